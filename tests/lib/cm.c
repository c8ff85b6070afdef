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

uint16_t
scratch_port(void)
{
	/* NOLINTNEXTLINE(cert-env33-c) */
	FILE *f = popen("python3 '" MTRK_TESTS_DIR "/lab/ports.py' 1", "r");
	char line[16] = "";

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	assert_int_equal(pclose(f), 0);
	return (uint16_t)strtoul(line, NULL, 10);
}

void
scratch_unlink(const char *path, const char *name)
{
	char file[320];

	snprintf(file, sizeof file, "%s/%s", path, name);
	assert_int_equal(unlink(file), 0);
}
