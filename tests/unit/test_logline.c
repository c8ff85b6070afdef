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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(not_log_lines),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
