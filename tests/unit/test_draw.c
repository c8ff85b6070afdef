/* mtqp/draw.c: columns, strangers' words, times and durations. */
#include <locale.h>
#include <time.h>

#include "common/utf8.h"
#include "common/when.h"
#include "mtqp/draw.h"
#include "tests/lib/cm.h"

static void
columns(void **state)
{
	static const struct {
		const char *text, *shown;
		size_t width;
	} cases[] = {
		{ "mx.example", "mx.example", 10 },
		{ "", "", 0 },
		{ "日本.example", "日本.example", 12 },
		{ "e\u0301", "e\u0301", 1 }, /* a combining accent */
		{ "a\033[2Jb", "a?[2Jb", 6 },
		{ "a\xc2\x9b"
		  "2Jb",
		    "a?2Jb", 5 }, /* C1's CSI */
		{ "bad \xff octet", "bad ? octet", 11 },
		{ "cut \xe6\x97", "cut ??", 6 },
		{ "\U0001f600", "\U0001f600", 2 },
		{ "a\u200bb\u00adc\ufeff", "a?b?c?", 6 },
		{ "\u2066x\u200f\u061c\U000e0041", "?x???", 5 },
		{ "\u0646\u200c\u06cc", "\u0646\u200c\u06cc", 2 },
		{ "evil\u202egpj.exe", "evil?gpj.exe", 12 },
		{ "tab\tand\nline", "tab?and?line", 12 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char got[100] = "";
		FILE *f = fmemopen(got, sizeof got - 1, "w");

		draw_safe(cases[i].text, f);
		fclose(f);
		if (strcmp(got, cases[i].shown) != 0 ||
		    draw_width(cases[i].text) != cases[i].width)
			fail_msg("case %zu: \"%s\", %zu columns", i, got,
			    draw_width(cases[i].text));
	}
}

/* Lines are wrapped at blanks, and inside of what is longer than a line; two
 * columns that a wide letter fills count as two. */
static void
wrapping(void **state)
{
	static const struct {
		const char *text;
		size_t columns, indent;
		const char *want;
	} cases[] = {
		{ "one two three", 0, 2, "one two three\n" },
		{ "one two three", 13, 2, "one two three\n" },
		{ "one two three", 12, 2, "one two\n  three\n" },
		{ "one two three", 7, 2, "one two\n  three\n" },
		{ "one two three", 6, 2, "one\n  two\n  thre\n  e\n" },
		{ "abcdefghij", 4, 1, "abcd\n efg\n hij\n" },
		{ "日本語", 4, 0, "日本\n語\n" },
		{ "日本", 3, 0, "日\n本\n" },
		{ "ab cd", 1, 40, "a\nb\nc\nd\n" },
		{ "", 4, 0, "\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char got[100] = "";
		FILE *f = fmemopen(got, sizeof got - 1, "w");
		struct pen pen = { .out = f,
			.columns = cases[i].columns,
			.indent = cases[i].indent };

		pen_text(&pen, cases[i].text);
		pen_end(&pen);
		fclose(f);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("case %zu: \"%s\"", i, got);
	}
}

/* What stands beside a wide name and a narrow one begins in one column. */
static void
padding(void **state)
{
	char got[100] = "";
	FILE *f = fmemopen(got, sizeof got - 1, "w");
	struct pen pen = { .out = f };

	(void)state;
	pen_text(&pen, "日本");
	pen_to(&pen, 6);
	pen_text(&pen, "|");
	pen_to(&pen, 3);
	pen_text(&pen, "e\u0301");
	pen_to(&pen, 9);
	pen_text(&pen, "|");
	fclose(f);
	assert_string_equal(got, "日本  |e\u0301 |");
}

/* For a file: cut to its columns, UTF-8 in the C locale too. */
static void
for_files(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *want;
	} cases[] = {
		{ "abcdef", 6, "abcdef" }, { "abcdefg", 6, "abc..." },
		{ "abcdefg", 2, "..." }, /* there is no less */
		{ "日本語", 6, "日本語" }, { "日本語x", 6, "日..." },
		{ "a\u202eb\u200bc\033d", 10, "a?b?c?d" },
		{ "\xef\xbf\xbe", 10, "?" }, /* U+FFFE: not of XML */
	};
	static const char *const locales[] = { "C", "C.UTF-8" };

	(void)state;
	for (size_t l = 0; l < ARRAY_LEN(locales); l++)
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			char got[100] = "";
			FILE *f = fmemopen(got, sizeof got - 1, "w");

			assert_non_null(setlocale(LC_ALL, locales[l]));
			draw_utf8(cases[i].text, cases[i].columns, f);
			fclose(f);
			if (strcmp(got, cases[i].want) != 0)
				fail_msg(
				    "%s, case %zu: %s", locales[l], i, got);
		}
}

/* In the C locale a "?" stands for each letter that it does not have. */
static void
c_locale(void **state)
{
	char got[100] = "";
	FILE *f = fmemopen(got, sizeof got - 1, "w");

	(void)state;
	assert_non_null(setlocale(LC_ALL, "C"));
	assert_int_equal(draw_width("é日本\xff"), 4);
	draw_safe("é日本\xff", f);
	fclose(f);
	assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
	assert_string_equal(got, "????");
}

/* RFC 3629: shortest forms, no surrogates, nothing above U+10FFFF. */
static void
utf8(void **state)
{
	static const struct {
		struct span in;
		uint32_t c;
		size_t used;
	} cases[] = {
		{ { "a", 1 }, 'a', 1 },
		{ { "\0", 1 }, 0, 1 },
		{ { "\xc3\xa9z", 3 }, 0xe9, 2 },
		{ { "\xe2\x82\xac", 3 }, 0x20ac, 3 },
		{ { "\xf4\x8f\xbf\xbf", 4 }, 0x10ffff, 4 },
		{ { "\xf4\x90\x80\x80", 4 }, UTF8_BAD, 1 },
		{ { "\xed\xa0\x80", 3 }, UTF8_BAD, 1 },
		{ { "\xc0\xaf", 2 }, UTF8_BAD, 1 },
		{ { "\xe0\x80\xaf", 3 }, UTF8_BAD, 1 },
		{ { "\xe2\x82", 2 }, UTF8_BAD, 1 },
		{ { "\xe2\x82x", 3 }, UTF8_BAD, 1 },
		{ { "\x80", 1 }, UTF8_BAD, 1 },
		{ { "\xff", 1 }, UTF8_BAD, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct span s = cases[i].in;
		uint32_t c = utf8_next(&s);

		if (c != cases[i].c || cases[i].in.n - s.n != cases[i].used)
			fail_msg("case %zu: %x", i, c);
	}
}

/* What is cut is cut between two characters. */
static void
utf8_cut(void **state)
{
	char out[5];

	(void)state;
	utf8_copy(out, sizeof out, SPAN("ab\xc3\xa9z"));
	assert_string_equal(out, "ab\xc3\xa9");
	utf8_copy(out, sizeof out, SPAN("abc\xc3\xa9"));
	assert_string_equal(out, "abc");
	utf8_copy(out, sizeof out, SPAN("a\xff\0b"));
	assert_string_equal(out, "a??b");
}

static void
durations(void **state)
{
	static const struct {
		int64_t s;
		const char *want;
	} cases[] = { { -1, "" }, { 0, "0 s" }, { 59, "59 s" },
		{ 60, "1 min 0 s" }, { 3599, "59 min 59 s" },
		{ 3600, "1 h 0 min" }, { 86399, "23 h 59 min" },
		{ 86400, "1 d 0 h" }, { 432000, "5 d 0 h" },
		{ INT64_MAX, "106751991167300 d 15 h" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char got[DRAW_DURATION];

		draw_duration(cases[i].s, got);
		assert_string_equal(got, cases[i].want);
	}
}

/* With the date only where it is not the day's own. */
static void
times(void **state)
{
	const int64_t noon = 1795521600; /* 24 Nov 2026 12:00 UTC */
	char got[DRAW_TIME];

	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	draw_time(noon, noon - 3600, got);
	assert_string_equal(got, "12:00:00");
	draw_time(noon, noon - 13 * 3600, got);
	assert_string_equal(got, "11/24/26 12:00:00");
	draw_time(noon, WHEN_NONE, got);
	assert_string_equal(got, "Tue Nov 24 12:00:00 2026 UTC");
	setenv("TZ", "XST-5:30", 1);
	tzset();
	draw_time(noon, noon, got);
	assert_string_equal(got, "17:30:00");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(padding),
		cmocka_unit_test(for_files),
		cmocka_unit_test(c_locale),
		cmocka_unit_test(utf8),
		cmocka_unit_test(utf8_cut),
		cmocka_unit_test(durations),
		cmocka_unit_test(times),
	};

	if (setlocale(LC_ALL, "C.UTF-8") == NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
