/* Following a file: growth, rotation of every kind, restart from a mark; a
 * folder of old logs, a pipe, the journal. */
#include "tests/lib/cm.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/follow.h"
#include "milter/siblings.h"
#include "milter/stream_source.h"

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

/* Written in place, as cp does: another file, the same content. */
static void
copy(const char *from, const char *to)
{
	char command[700];

	snprintf(command, sizeof command, "cat '%s' >'%s'", from, to);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void
compress(const char *file)
{
	char command[500];

	snprintf(command, sizeof command, "gzip '%s'", file);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

/* The follower is gone, and comes again. */
static void
restart(void)
{
	char mark[FOLLOW_MARK_MAX];

	follow_mark(f, mark);
	follow_free(&f);
	start(mark);
}

/* It has grown past where we were before we looked. */
static void
grown_back(void **state)
{
	(void)state;
	append("one\ntwo\n");
	start("");
	expect("one|two|");
	copy(path, old);
	assert_int_equal(truncate(path, 0), 0);
	append("three\nfour\nfive\n");
	expect("three|four|five|");
	restart();
	copy(path, old);
	assert_int_equal(truncate(path, 0), 0);
	append("a long line that goes past the old place\nsix\n");
	restart();
	expect("a long line that goes past the old place|six|");
}

/* The same, and the lines at the old place look alike at their ends. */
static void
grown_alike(void **state)
{
	char line[256], want[300];

	(void)state;
	for (int i = 0; i < 2; i++) {
		snprintf(line, sizeof line, "%d%0200d\n", i, 0);
		append(line);
		if (i == 0)
			start("");
		snprintf(want, sizeof want, "%d%0200d|", i, 0);
		expect(want);
		assert_int_equal(truncate(path, 0), 0);
	}
}

/* What was not read yet is in the copy, twice in a row. */
static void
copied_unread(void **state)
{
	char older[330];

	(void)state;
	append("one\n");
	start("");
	expect("one|");
	append("two\n");
	copy(path, old);
	assert_int_equal(truncate(path, 0), 0);
	append("three\n");
	snprintf(older, sizeof older, "%s.2", path);
	assert_int_equal(rename(old, older), 0);
	copy(path, old);
	assert_int_equal(truncate(path, 0), 0);
	append("four\n");
	expect("two|three|four|");
	expect("");
}

/* An empty log was seen; its first lines are read though they were copied
 * away before the next look, and nothing came after them. */
static void
copied_from_empty(void **state)
{
	const struct timespec long_ago[2] = { { .tv_sec = 1 },
		{ .tv_sec = 1 } };

	(void)state;
	append("");
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	start("");
	expect("");
	append("one\n");
	copy(path, old);
	assert_int_equal(truncate(path, 0), 0);
	expect("one|");
	append("two\n");
	expect("two|");
}

/* Copied away, and the emptied file was renamed at once: what has the log's
 * name since then stays the newest, also when the empty one is removed. */
static void
copied_and_renamed(void **state)
{
	char older[330];

	(void)state;
	append("one\n");
	start("");
	expect("one|");
	copy(path, old);
	assert_int_equal(truncate(path, 0), 0);
	snprintf(older, sizeof older, "%s.2", path);
	assert_int_equal(rename(path, older), 0);
	append("three\n");
	expect("three|");
	assert_int_equal(unlink(older), 0);
	expect("");
	assert_int_equal(truncate(path, 0), 0);
	append("two\n");
	expect("two|");
}

/* Rotated and compressed with lines that were not read; and once more. */
static void
compressed(void **state)
{
	char older[330];

	(void)state;
	append("one\n");
	start("");
	expect("one|");
	append("two\n");
	assert_int_equal(rename(path, old), 0);
	append("three\n");
	compress(old);
	expect("two|three|"); /* still open */
	append("four\n");
	snprintf(older, sizeof older, "%s.2", path);
	assert_int_equal(rename(path, older), 0);
	compress(older);
	append("five\n");
	restart();
	expect("four|five|");
	restart();
	expect("");
}

/* Rotated more than once while nobody looked; the first one is gone. */
static void
missed(void **state)
{
	char mark[FOLLOW_MARK_MAX], names[3][330];

	(void)state;
	append("one\n");
	start("");
	expect("one|");
	follow_mark(f, mark);
	follow_free(&f);
	for (size_t i = 0; i < 3; i++) {
		snprintf(names[i], sizeof names[i], "%s-%zu", path, i);
		assert_int_equal(rename(path, names[i]), 0);
		append(i == 0 ? "two\n" : i == 1 ? "three\n" : "four\n");
	}
	assert_int_equal(unlink(names[0]), 0);
	compress(names[1]);
	start(mark);
	expect("two|three|four|");
	expect("");
}

/* Who writes goes on in the renamed file for a while, and we are restarted. */
static void
late_writer(void **state)
{
	FILE *out;

	(void)state;
	append("one\n");
	start("");
	expect("one|");
	out = fopen(path, "ae");
	assert_non_null(out);
	assert_int_equal(rename(path, old), 0);
	append("three\n");
	expect("three|");
	fputs("two\n", out);
	fflush(out);
	expect("two|");
	restart();
	fputs("and a half\n", out);
	fclose(out);
	append("four\n");
	expect("and a half|four|");
	assert_int_equal(unlink(old), 0);
	expect("");
	expect("");
}

static void
created_anew(void **state)
{
	(void)state;
	append("one\n");
	start("");
	expect("one|");
	append("two\n");
	assert_int_equal(unlink(path), 0);
	expect("two|");
	append("three\n");
	expect("three|");
	assert_int_equal(unlink(path), 0);
	restart();
	expect("");
	assert_non_null(follow_trouble(f));
	append("four\n");
	expect("four|");
	assert_null(follow_trouble(f));
}

/* The filesystem is unmounted and comes back as another device: the same
 * content is another file. */
static void
comes_back(void **state)
{
	char away[330];

	(void)state;
	append("one\n");
	start("");
	expect("one|");
	snprintf(away, sizeof away, "%s/away", dir);
	assert_int_equal(rename(path, away), 0);
	expect("");
	copy(away, path);
	append("two\n");
	expect("two|");
	restart();
	assert_int_equal(unlink(path), 0);
	expect("");
	copy(away, path);
	append("two\nthree\n");
	expect("three|");
}

/* A writer that doesn't append leaves a hole; a line has NULs in it. */
/* Another filesystem's log came between, and went for good. */
static void
hidden_before(void **state)
{
	char away[320], mark[FOLLOW_MARK_MAX];

	(void)state;
	snprintf(away, sizeof away, "%s/away", dir);
	append("one\n");
	start("");
	expect("one|");
	assert_int_equal(rename(path, away), 0);
	append("below\n");
	expect("below|");
	assert_int_equal(unlink(path), 0);
	follow_mark(f, mark);
	follow_free(&f);
	assert_int_equal(rename(away, path), 0);
	append("two\n");
	start(mark);
	expect("two|");
	assert_null(follow_trouble(f));
	/* it is the log again, to be renamed as any */
	append("three\n");
	assert_int_equal(rename(path, old), 0);
	append("four\n");
	expect("three|four|");
	assert_null(follow_trouble(f));
}

static void
holes(void **state)
{
	struct span line;
	FILE *out;

	(void)state;
	append("one\ntwo\n");
	start("");
	expect("one|two|");
	out = fopen(path, "r+e");
	assert_non_null(out);
	assert_int_equal(fseek(out, 100000, SEEK_SET), 0);
	assert_int_equal(truncate(path, 0), 0);
	fwrite("th\0ree\n", 1, 8, out);
	fclose(out);
	assert_true(follow_line(f, &line));
	assert_true(span_eq(line, (struct span){ "th\0ree", 6 }));
	assert_int_equal(follow_skipped(f), 0);
}

/* The rest of too long a line is no line, even after a restart in it. */
static void
too_long_restarted(void **state)
{
	char *big = malloc(600001);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 600000);
	big[600000] = '\0';
	append("one\n");
	append(big);
	start("");
	expect("one|");
	restart();
	append("tail\ntwo\n");
	expect("two|");
	restart();
	expect("");
	free(big);
}

static void
names(void **state)
{
	static const struct {
		const char *base, *name;
		bool is;
	} cases[] = {
		{ "mail.log", "mail.log", true },
		{ "mail.log", "mail.log.1", true },
		{ "mail.log", "mail.log.1.gz", true },
		{ "mail.log", "mail.log-20261124", true },
		{ "mail.log", "mail-20261124.log", true },
		{ "mail.log", "mail.2.log.gz", true },
		{ "mail.log", "mail-20261124.log.gz", true },
		{ "mail.log", "mail.logger", false },
		{ "mail.log", "mail-host.log", false },
		{ "mail.log", "mail.err", false },
		{ "mail.log", "mail", false },
		{ "maillog", "maillog.0", true },
		{ "maillog", "maillog2", false },
		{ "maillog", "1maillog", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (sibling_name(cases[i].base, cases[i].name) != cases[i].is)
			fail_msg("%s, %s", cases[i].base, cases[i].name);
}

static void
write_old(const char *name, const char *text)
{
	char file[400];
	FILE *out;

	snprintf(file, sizeof file, "%s/%s", dir, name);
	out = fopen(file, "we");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	if (strcmp(name, "b") == 0)
		compress(file);
}

static void
folder(void **state)
{
	char mark[FOLLOW_MARK_MAX];
	struct span line;

	(void)state;
	write_old("z", "rubbish\nNov 22 00:00:00 h t[1]: a\n");
	write_old("b", "Nov 23 00:00:00 h t[1]: b\nlast");
	write_old("a", "2026-11-24T00:00:00Z h t[1]: c\n");
	write_old("c", "no log\n");
	write_old("empty", "");
	assert_int_equal(follow_new(dir, "", &f), MTRK_OK);
	assert_false(follow_ended(f));
	assert_true(follow_line(f, &line));
	follow_mark(f, mark);
	expect("Nov 22 00:00:00 h t[1]: a|Nov 23 00:00:00 h t[1]: b|last|"
	       "2026-11-24T00:00:00Z h t[1]: c|");
	assert_true(follow_ended(f));
	assert_int_equal(follow_rewind(f, mark), MTRK_OK);
	expect("Nov 22 00:00:00 h t[1]: a|Nov 23 00:00:00 h t[1]: b|last|"
	       "2026-11-24T00:00:00Z h t[1]: c|");
	assert_null(follow_trouble(f));
}

static void
folder_damaged(void **state)
{
	char gz[400];
	struct stat st;

	(void)state;
	write_old("b", "Nov 23 00:00:00 h t[1]: b\nNov 23 00:00:00 h x\n");
	snprintf(gz, sizeof gz, "%s/b.gz", dir);
	assert_int_equal(stat(gz, &st), 0);
	assert_int_equal(truncate(gz, st.st_size - 8), 0);
	assert_int_equal(follow_new(dir, "", &f), MTRK_OK);
	while (follow_line(f, &(struct span){ 0 }))
		;
	assert_true(follow_ended(f));
	assert_non_null(follow_trouble(f));
}

/* What is read from a pipe can be given again, back to the last mark. */
static void
pipes(void **state)
{
	struct follow_source s;
	char mark[FOLLOW_MARK_MAX];
	struct span line;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(stream_source_new(fds[0], &s), MTRK_OK);
	assert_false(s.kind->line(s.self, &line)); /* and doesn't wait */
	s.kind->mark(s.self, mark);
	assert_int_equal(write(fds[1], "one\ntwo\nthr", 11), 11);
	for (int again = 0; again < 2; again++) {
		assert_true(s.kind->line(s.self, &line));
		assert_span(line, "one");
		assert_true(s.kind->line(s.self, &line));
		assert_span(line, "two");
		assert_false(s.kind->line(s.self, &line));
		if (again == 0)
			assert_int_equal(s.kind->rewind(s.self, mark), MTRK_OK);
	}
	s.kind->mark(s.self, mark);
	close(fds[1]);
	assert_false(s.kind->ended(s.self));
	assert_true(s.kind->line(s.self, &line));
	assert_span(line, "thr");
	assert_true(s.kind->ended(s.self));
	assert_false(s.kind->line(s.self, &line));
	s.kind->rewind(s.self, mark);
	assert_true(s.kind->line(s.self, &line));
	assert_span(line, "thr");
	s.kind->free(s.self);
	close(fds[0]);
}

static void
bad_marks(void **state)
{
	static const char *const marks[] = { "", "x", "1 2", "1 2 x",
		"1 2 99999999999999999999", "1 1 1", "1 1 1 1 1 1 1",
		"1 1 1 1 999 1 1", "1 1 1;", "1 1 1;1 1 1;1 1 1;1 1 1;1 1 1" };

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
		FOLLOW_TEST(grown_back),
		FOLLOW_TEST(grown_alike),
		FOLLOW_TEST(copied_unread),
		FOLLOW_TEST(copied_from_empty),
		FOLLOW_TEST(copied_and_renamed),
		FOLLOW_TEST(compressed),
		FOLLOW_TEST(missed),
		FOLLOW_TEST(late_writer),
		FOLLOW_TEST(created_anew),
		FOLLOW_TEST(comes_back),
		FOLLOW_TEST(hidden_before),
		FOLLOW_TEST(holes),
		FOLLOW_TEST(too_long),
		FOLLOW_TEST(too_long_restarted),
		FOLLOW_TEST(folder),
		FOLLOW_TEST(folder_damaged),
		FOLLOW_TEST(pipes),
		cmocka_unit_test(names),
		FOLLOW_TEST(bad_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
