/* The process that opens keys: what it says late is not taken for what it is
 * asked next. */
#include "tests/lib/cm.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/keeper.h"

enum { PATH_LEN = 300 };

static char folder[256];

static void
put(char path[PATH_LEN], const char *name)
{
	FILE *f;

	snprintf(path, PATH_LEN, "%s/%s", folder, name);
	assert_non_null(f = fopen(path, "w"));
	fputs(name, f);
	fclose(f);
}

/* A pipe stands for a file system that doesn't answer: opening it takes until
 * somebody writes. */
static void
slow_file(void **state)
{
	char slow[PATH_LEN], one[PATH_LEN], two[PATH_LEN];
	const char *paths[] = { slow, one, two };
	struct buf got = BUF(KEEPER_FILE_MAX);
	struct keeper *k;
	int writer;

	(void)state;
	scratch_make(folder);
	snprintf(slow, sizeof slow, "%s/slow", folder);
	assert_int_equal(mkfifo(slow, 0600), 0);
	put(one, "one");
	put(two, "two");
	assert_int_equal(keeper_start(paths, 3, &k), MTRK_OK);
	assert_int_equal(keeper_read(k, 1, &got), MTRK_OK);
	assert_span(buf_as_span(&got), "one");
	assert_int_equal(keeper_read(k, 0, &got), MTRK_IO); /* its patience */
	assert_int_not_equal(writer = open(slow, O_WRONLY), -1);
	close(writer);
	for (size_t i = 0; i < 2; i++) {
		buf_cut(&got, 0);
		assert_int_equal(keeper_read(k, 2, &got), MTRK_OK);
		assert_span(buf_as_span(&got), "two");
	}
	assert_int_equal(keeper_read(k, 3, &got), MTRK_IO);
	keeper_stop(&k);
	buf_free(&got);
	scratch_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
