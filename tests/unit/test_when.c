/* Points in time: T9, T12 and RFC 5322 3.3, 4.3. */
#include "tests/lib/cm.h"

#include <time.h>

#include "common/when.h"

enum { EX = 978380115 }; /* Mon, 1 Jan 2001 15:15:15 -0500 */

/* WHEN_NONE: must be refused. */
static const struct {
	const char *in;
	int64_t want;
} rows[] = {
	/* 9.7: as RFC 3887's examples have it, with one blank and two */
	{ "Mon, 1 Jan 2001 15:15:15 -0500", EX },
	{ "Mon,  1 Jan 2001 15:15:15 -0500", EX },
	{ "Mon, 01 Jan 2001 15:15:15 -0500", EX },
	{ "Mon, 001 Jan 2001 15:15:15 -0500", WHEN_NONE },
	/* the day's name */
	{ "1 Jan 2001 15:15:15 -0500", EX },
	{ "mon, 1 JAN 2001 15:15:15 -0500", EX },
	{ "Xyz, 1 Jan 2001 15:15:15 -0500", WHEN_NONE },
	{ "Monday, 1 Jan 2001 15:15:15 -0500", WHEN_NONE },
	{ ", 1 Jan 2001 15:15:15 -0500", WHEN_NONE },
	/* blanks and comments */
	{ " Mon,\t1 Jan  2001 15:15:15\t-0500 ", EX },
	{ "Mon, 1 Jan 2001 15:15:15 -0500 (EST)", EX },
	{ "Mon, 1 Jan 2001 15:15:15 -0500 (a (b) c)", EX },
	{ "Mon, 1 Jan 2001 15:15:15 -0500 (a \\) c)", EX },
	{ "Mon, 1 Jan 2001 15:15:15 -0500 (a (b) c", WHEN_NONE },
	{ "Mon, 1 Jan 2001 15:15:15 -0500 (EST", WHEN_NONE },
	{ "Mon, 1 Jan 2001 15:15:15 -0500 EST)", WHEN_NONE },
	{ "Mon, 1 Jan 2001 15:15:15 -0500 x", WHEN_NONE },
	/* RFC 5322 3.3: seconds may be missing */
	{ "Mon, 1 Jan 2001 15:15 -0500", EX - 15 },
	{ "Mon, 1 Jan 2001 15:15: -0500", WHEN_NONE },
	{ "Mon, 1 Jan 2001 15 -0500", WHEN_NONE },
	/* T9: four digits of year */
	{ "Mon, 1 Jan 01 15:15:15 -0500", WHEN_NONE },
	{ "Mon, 1 Jan 101 15:15:15 -0500", WHEN_NONE },
	{ "Mon, 1 Jan 20010 15:15:15 -0500", WHEN_NONE },
	{ "Mon, 1 Jan 20015:15:15 -0500", WHEN_NONE },
	{ "Mon, 1 Jan 1899 15:15:15 -0500", WHEN_NONE },
	{ "1 Jan 1900 00:00:00 +0000", -2208988800 },
	{ "31 Dec 9999 23:59:59 +0000", 253402300799 },
	/* days that are */
	{ "0 Jan 2001 00:00:00 +0000", WHEN_NONE },
	{ "31 Jan 2001 00:00:00 +0000", 980899200 },
	{ "32 Jan 2001 00:00:00 +0000", WHEN_NONE },
	{ "30 Apr 2001 00:00:00 +0000", 988588800 },
	{ "31 Apr 2001 00:00:00 +0000", WHEN_NONE },
	{ "28 Feb 2001 00:00:00 +0000", 983318400 },
	{ "29 Feb 2001 00:00:00 +0000", WHEN_NONE },
	{ "29 Feb 2000 00:00:00 +0000", 951782400 },
	{ "30 Feb 2000 00:00:00 +0000", WHEN_NONE },
	{ "29 Feb 2100 00:00:00 +0000", WHEN_NONE },
	{ "31 Dec 2001 00:00:00 +0000", 1009756800 },
	{ "1 Foo 2001 00:00:00 +0000", WHEN_NONE },
	{ "1 January 2001 00:00:00 +0000", WHEN_NONE },
	/* times that are */
	{ "1 Jan 2001 23:59:60 +0000", 978393600 },
	{ "1 Jan 2001 23:59:61 +0000", WHEN_NONE },
	{ "1 Jan 2001 23:60:00 +0000", WHEN_NONE },
	{ "1 Jan 2001 24:00:00 +0000", WHEN_NONE },
	{ "1 Jan 2001 1:00:00 +0000", WHEN_NONE },
	{ "1 Jan 2001 01:0:00 +0000", WHEN_NONE },
	{ "1 Jan 2001 01:00:0 +0000", WHEN_NONE },
	{ "1 Jan 2001 01:00:000 +0000", WHEN_NONE },
	{ "1 Jan 2001 01.00.00 +0000", WHEN_NONE },
	/* T12: the zone in numbers ... */
	{ "1 Jan 1970 00:00:00 +0000", 0 },
	{ "1 Jan 1970 00:00:00 -0000", 0 },
	{ "1 Jan 1970 00:00:00 +0100", -3600 },
	{ "1 Jan 1970 00:00:00 -0330", 12600 },
	{ "1 Jan 1970 00:00:00 +0545", -20700 },
	{ "1 Jan 1970 00:00:00 +0560", WHEN_NONE },
	{ "1 Jan 1970 00:00:00 +100", WHEN_NONE },
	{ "1 Jan 1970 00:00:00 +01000", WHEN_NONE },
	{ "1 Jan 1970 00:00:00 +01:00", WHEN_NONE },
	{ "1 Jan 1970 00:00:00 0100", WHEN_NONE },
	{ "1 Jan 1970 00:00:00 +", WHEN_NONE },
	{ "1 Jan 1970 00:00:00", WHEN_NONE },
	/* ... and RFC 5322 4.3's names */
	{ "1 Jan 1970 00:00:00 GMT", 0 },
	{ "1 Jan 1970 00:00:00 UTC", 0 },
	{ "1 Jan 1970 00:00:00 ut", 0 },
	{ "1 Jan 1970 00:00:00 Z", 0 },
	{ "1 Jan 1970 00:00:00 EST", 18000 },
	{ "1 Jan 1970 00:00:00 EDT", 14400 },
	{ "1 Jan 1970 00:00:00 CST", 21600 },
	{ "1 Jan 1970 00:00:00 CDT", 18000 },
	{ "1 Jan 1970 00:00:00 MST", 25200 },
	{ "1 Jan 1970 00:00:00 MDT", 21600 },
	{ "1 Jan 1970 00:00:00 PST", 28800 },
	{ "1 Jan 1970 00:00:00 PDT", 25200 },
	{ "1 Jan 1970 00:00:00 CET", WHEN_NONE },
	{ "1 Jan 1970 00:00:00 GMT+1", WHEN_NONE },
	{ "1 Jan 1970 00:00:00 ESTX", WHEN_NONE },
	{ "", WHEN_NONE },
	{ "(", WHEN_NONE },
	{ "Mon,", WHEN_NONE },
};

static void
parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t t = 1;
		enum mtrk_err err = when_parse(span_of(rows[i].in), &t);

		if (t != rows[i].want || (err == MTRK_OK) != (t != WHEN_NONE))
			fail_msg("T9 \"%s\": %s, %lld", rows[i].in,
			    mtrk_err_text(err), (long long)t);
	}
}

static const struct {
	const char *tz;
	int64_t t;
	const char *text;
} formats[] = {
	{ "UTC0", 0, "Thu, 1 Jan 1970 00:00:00 +0000" },
	{ "EST5", EX, "Mon, 1 Jan 2001 15:15:15 -0500" },
	{ "CET-1", 1795489925, "Tue, 24 Nov 2026 04:12:05 +0100" },
	{ "NPT-5:45", 0, "Thu, 1 Jan 1970 05:45:00 +0545" },
	{ "NST3:30", 0, "Wed, 31 Dec 1969 20:30:00 -0330" },
	{ "UTC0", 253402300799, "Fri, 31 Dec 9999 23:59:59 +0000" },
};

/* T12: always in numbers, and the reader agrees. */
static void
formats_numeric_zones(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		char text[WHEN_TEXT];
		int64_t back;

		setenv("TZ", formats[i].tz, 1);
		tzset();
		when_rfc5322(formats[i].t, text);
		if (strcmp(text, formats[i].text) != 0)
			fail_msg("T12 %s: \"%s\"", formats[i].tz, text);
		assert_int_equal(when_parse(span_of(text), &back), MTRK_OK);
		assert_true(back == formats[i].t);
	}
}

static void
formats_rfc3339(void **state)
{
	char text[WHEN_TEXT];

	(void)state;
	setenv("TZ", "EST5", 1);
	tzset();
	when_rfc3339(1795489925, text);
	assert_string_equal(text, "2026-11-24T03:12:05Z");
	when_rfc3339(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
}

/* Every day of 1900-2400 against the one before, and the C library. */
static void
civil_days(void **state)
{
	(void)state;
	assert_int_equal(when_from_civil(1970, 1, 1), 0);
	assert_int_equal(when_from_civil(1969, 12, 31), -1);
	assert_int_equal(when_from_civil(0, 3, 1), -719468);
	assert_int_equal(when_from_civil(-400, 3, 1), -719468 - 146097);
	for (int64_t day = when_from_civil(1900, 1, 1);
	     day < when_from_civil(2400, 1, 1); day++) {
		time_t t = (time_t)(day * 86400);
		struct tm tm;

		gmtime_r(&t, &tm);
		assert_true(
		    when_from_civil(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1,
			(unsigned)tm.tm_mday) == day);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(formats_numeric_zones),
		cmocka_unit_test(formats_rfc3339),
		cmocka_unit_test(civil_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
