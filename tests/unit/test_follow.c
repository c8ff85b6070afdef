/* Following a file: growth, rotation of both kinds, restart from a mark. */
#include "tests/lib/cm.h"

#include <unistd.h>

#include "milter/follow.h"

static char dir[256], path[300], old[310];
static struct follow *f;

static int
setup(void **state)
{
	(void)state;
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/mail.log", dir);
	snprintf(old, sizeof old, "%s.1", path);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	follow_free(&f);
	scratch_remove(dir);
	return 0;
}

static void
append(const char *text)
{
	FILE *out = fopen(path, "ae");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* All lines that there are now, each followed by "|". */
static void
expect(const char *want)
{
	char got[4096] = "";
	struct span line;

	while (follow_line(f, &line)) {
		size_t n = strlen(got);

		snprintf(got + n, sizeof got - n, "%.*s|", (int)line.n, line.p);
	}
	assert_string_equal(got, want);
}

static void
start(const char *mark)
{
	assert_int_equal(follow_new(path, mark, &f), MTRK_OK);
}

static void
grows(void **state)
{
	(void)state;
	start("");
	assert_non_null(follow_trouble(f)); /* not there yet */
	expect("");
	append("one\ntwo\nthr");
	expect("one|two|");
	assert_null(follow_trouble(f));
	append("ee\n\nfour\n");
	expect("three||four|");
}

static void
renamed(void **state)
{
	(void)state;
	append("one\n");
	start("");
	expect("one|");
	append("two\n");
	assert_int_equal(rename(path, old), 0);
	append("three\n");
	expect("two|three|");
	append("four\n");
	expect("four|");
}

static void
copied_and_truncated(void **state)
{
	(void)state;
	append("one\ntwo\n");
	start("");
	expect("one|two|");
	assert_int_equal(truncate(path, 0), 0);
	append("3\n");
	expect("3|");
}

static void
restarted(void **state)
{
	char mark[FOLLOW_MARK_MAX];
	struct span line;

	(void)state;
	append("one\ntwo\nthree\n");
	start("");
	assert_true(follow_line(f, &line));
	follow_mark(f, mark);
	follow_free(&f);
	append("four\n");
	start(mark);
	expect("two|three|four|");
	follow_rewind(f, mark);
	expect("two|three|four|");
	follow_mark(f, mark);
	follow_free(&f);

	/* rotated while nobody looked: the rest of the old one first */
	append("five\n");
	assert_int_equal(rename(path, old), 0);
	append("six\n");
	start(mark);
	expect("five|six|");
}

static void
too_long(void **state)
{
	char *big = malloc(200001);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 200000);
	big[200000] = '\0';
	append("one\n");
	append(big);
	start("");
	expect("one|");
	append("tail, not a line of its own\ntwo\n");
	expect("two|");
	assert_int_equal(follow_skipped(f), 1);
	big[FOLLOW_LINE_MAX] = '\0';
	append(big);
	append("\n");
	assert_true(follow_line(f, &(struct span){ 0 }));
	append(big);
	append("x\nthree\n");
	expect("three|");
	assert_int_equal(follow_skipped(f), 2);
	free(big);
}

static void
bad_marks(void **state)
{
	static const char *const marks[] = { "", "x", "1 2", "1 2 x",
		"1 2 99999999999999999999", "1 1 1" };

	(void)state;
	append("one\n");
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		start(marks[i]);
		expect("one|");
		follow_free(&f);
	}
}

int
main(void)
{
#define FOLLOW_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		FOLLOW_TEST(grows),
		FOLLOW_TEST(renamed),
		FOLLOW_TEST(copied_and_truncated),
		FOLLOW_TEST(restarted),
		FOLLOW_TEST(too_long),
		FOLLOW_TEST(bad_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
