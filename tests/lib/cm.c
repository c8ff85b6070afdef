#include "tests/lib/cm.h"

#include <ftw.h>
#include <unistd.h>

void
scratch_make(char path[256])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, 256, "%s/mtrk-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(path) == NULL)
		abort();
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

void
scratch_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
scratch_unlink(const char *path, const char *name)
{
	char file[320];

	snprintf(file, sizeof file, "%s/%s", path, name);
	assert_int_equal(unlink(file), 0);
}
