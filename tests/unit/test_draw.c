/* mtqp/draw.c: columns, strangers' words, times and durations. */
#include <locale.h>
#include <time.h>

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

/* Two columns that a wide name fills as a narrow one does. */
static void
padding(void **state)
{
	char got[100] = "";
	FILE *f = fmemopen(got, sizeof got - 1, "w");

	(void)state;
	draw_column("日本", 6, f);
	fputc('|', f);
	draw_column("abcdefgh", 6, f);
	fputc('|', f);
	fclose(f);
	assert_string_equal(got, "日本  |abcdefgh|");
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
		cmocka_unit_test(padding),
		cmocka_unit_test(durations),
		cmocka_unit_test(times),
	};

	if (setlocale(LC_ALL, "C.UTF-8") == NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
