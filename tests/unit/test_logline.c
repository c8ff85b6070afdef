/* Stamps and tags of the syslog forms, New Year included. */
#include "tests/lib/cm.h"

#include <time.h>

#include "milter/logline.h"

enum { NOW = 1795500000 }; /* 2026-11-24T06:00:00Z */

static void
forms(void **state)
{
	static const struct {
		const char *line;
		int64_t time, now;
		const char *name, *program, *text;
	} cases[] = {
		{ "Nov 24 03:28:35 a postfix-a/smtp[25593]: 38D: x", 1795490915,
		    NOW, "postfix-a", "smtp", "38D: x" },
		{ "<22>Nov  4 03:28:35 a postfix/qmgr[1]: y", 1793762915, NOW,
		    "postfix", "qmgr", "y" },
		{ "Nov 24 03:28:35 vm postfix/submission/smtpd[1]: z",
		    1795490915, NOW, "postfix", "smtpd", "z" },
		{ "Nov 24 03:28:35 vm sm-mta[1]: q: w", 1795490915, NOW,
		    "sm-mta", "sm-mta", "q: w" },
		/* no year: New Year's Eve seen on New Year's Day, and a clock
		 * that is a little ahead */
		{ "Dec 31 23:59:59 a postfix/smtp[1]: x", 1798761599,
		    1798761600 + 60, "postfix", "smtp", "x" },
		{ "Jan  1 00:00:01 a postfix/smtp[1]: x", 1798761601,
		    1798761600 - 60, "postfix", "smtp", "x" },
		{ "Feb 29 12:00:00 a postfix/smtp[1]: x", 1709208000,
		    1709208000 + 3600, "postfix", "smtp", "x" },
		{ "2026-11-24T03:51:43.726908+00:00 vm postfix/smtpd[2]: B: c",
		    1795492303, NOW, "postfix", "smtpd", "B: c" },
		{ "2026-11-24T03:51:43+01:30 vm postfix/smtpd[2]: B: c",
		    1795486903, NOW, "postfix", "smtpd", "B: c" },
		{ "2026-11-24T03:51:43Z vm postfix/smtpd[2]: B: c", 1795492303,
		    NOW, "postfix", "smtpd", "B: c" },
		{ "<22>1 2026-11-24T03:51:43.7+00:00 vm postfix 2 - -  B: c",
		    1795492303, NOW, "postfix", "postfix", "B: c" },
		{ "<22>1 2026-11-24T03:51:43Z vm sm-mta 2 - [a@1 b=\"\\\"] x\"]"
		  "[c] \xef\xbb\xbf"
		  "B: c",
		    1795492303, NOW, "sm-mta", "sm-mta", "B: c" },
		{ "Nov 24 03:28:35 mta mail.info sendmail[28419]: 6A: x",
		    1795490915, NOW, "sendmail", "sendmail", "6A: x" },
		{ "Nov 24 03:28:35 mta a.b[28419]: 6A: x", 1795490915, NOW,
		    "a.b", "a.b", "6A: x" },
		{ "1795493521.820400 6AO3vnWK004885: to=<a@b>", 1795493521, 0,
		    "sendmail", "sendmail", "6AO3vnWK004885: to=<a@b>" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct logline_cache cache = { 0 };
		struct logline l;
		enum mtrk_err err = logline_parse(
		    span_of(cases[i].line), cases[i].now, &cache, &l);

		if (err != MTRK_OK || l.time != cases[i].time ||
		    !span_is(l.name, cases[i].name) ||
		    !span_is(l.program, cases[i].program) ||
		    !span_is(l.text, cases[i].text))
			fail_msg("%s: %s, time %lld", cases[i].line,
			    mtrk_err_text(err), (long long)l.time);
	}
}

static void
not_log_lines(void **state)
{
	static const char *const lines[] = {
		"",
		"Nov",
		"Nov 24 03:28:35",
		"Nov 24 03:28:35 ",
		"Nov 24 03:28:35 host",
		"Nov 24 03:28:35 host tag without colon",
		"Nov 24 03:28:35 host tag[1",
		"Nov 24 03:28:3x host tag[1]: x",
		"Nix 24 03:28:35 host tag[1]: x",
		"2026-13-24T03:51:43Z host tag[1]: x",
		"2026-11-24T03:51:43 host tag[1]: x",
		"2026-11-24 03:51:43Z host tag[1]: x",
		"<22>1 2026-11-24T03:51:43Z vm",
		"<22222>Nov 24 03:28:35 host tag[1]: x",
		"<22>1 Nov 24 03:28:35 host tag[1]: x",
		"<22>1 2026-11-24T03:51:43Z vm postfix 2 - [a b",
		"<22>1 2026-11-24T03:51:43Z vm postfix 2 - [a b=\"] x",
		"1795493521",
		"1795493521.8204000 x",
		"1795493521.82040x x",
		"1795493521 82040 x",
		"\x01\x02\xff",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct logline_cache cache = { 0 };
		struct logline l;

		if (logline_parse(span_of(lines[i]), NOW, &cache, &l) ==
		    MTRK_OK)
			fail_msg("taken: %s", lines[i]);
	}
}

static int64_t
at(const char *stamp, int64_t now, struct logline_cache *cache)
{
	char line[64];
	struct logline l;

	snprintf(line, sizeof line, "%s h postfix/smtp[1]: x", stamp);
	assert_int_equal(logline_parse(span_of(line), now, cache, &l), MTRK_OK);
	return l.time;
}

static void
in_zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

/* Clocks go back on 2026-10-25 at 01:00Z: from 02:59:59 CEST to 02:00 CET. */
static void
clock_changes(void **state)
{
	enum { BACK = 1792890000, FORWARD = 1774746000 };
	struct logline_cache cache = { 0 };

	(void)state;
	in_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(at("Oct 25 02:10:00", BACK, &cache), BACK - 3000);
	assert_int_equal(at("Oct 25 02:59:59", BACK, &cache), BACK - 1);
	assert_int_equal(at("Oct 25 02:00:00", BACK, &cache), BACK);
	assert_int_equal(at("Oct 25 02:00:01", BACK, &cache), BACK + 1);
	assert_int_equal(at("Oct 25 03:00:00", BACK, &cache), BACK + 3600);
	cache = (struct logline_cache){ 0 };
	assert_int_equal(at("Mar 29 01:59:59", BACK, &cache), FORWARD - 1);
	assert_int_equal(at("Mar 29 03:00:00", BACK, &cache), FORWARD);
	/* a clock set back by hand stays as it is */
	assert_int_equal(at("Mar 29 01:59:00", BACK, &cache), FORWARD - 60);
	assert_int_equal(at("Mar 28 12:00:00", BACK, &cache), 1774695600);
	in_zone("UTC");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(not_log_lines),
		cmocka_unit_test(clock_changes),
	};

	in_zone("UTC");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
