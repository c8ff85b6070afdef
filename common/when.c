#include "common/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400 };

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Two digits. */
static char *
put2(char *p, int n)
{
	*p++ = (char)('0' + n / 10 % 10);
	*p++ = (char)('0' + n % 10);
	return p;
}

static char *
put3(char *p, const char *from)
{
	memcpy(p, from, 3);
	return p + 3;
}

/* Written out by hand: an answer has several, and snprintf() takes most of
 * the time that making one takes. */
void
when_rfc5322(int64_t t, char out[WHEN_TEXT])
{
	time_t when = (time_t)t;
	struct tm tm = { 0 };
	char *p = out;
	int zone, year;

	localtime_r(&when, &tm);
	zone = (int)(tm.tm_gmtoff / 60);
	year = tm.tm_year + 1900;
	p = put3(p, days + 3 * tm.tm_wday);
	*p++ = ',';
	*p++ = ' ';
	if (tm.tm_mday > 9)
		p = put2(p, tm.tm_mday);
	else
		*p++ = (char)('0' + tm.tm_mday);
	*p++ = ' ';
	p = put3(p, months + 3 * tm.tm_mon);
	if (year < 0 || year > 9999) { /* nobody's mail */
		p += snprintf(p, 24, " %04d ", year);
	} else {
		*p++ = ' ';
		p = put2(put2(p, year / 100), year);
		*p++ = ' ';
	}
	p = put2(p, tm.tm_hour);
	*p++ = ':';
	p = put2(p, tm.tm_min);
	*p++ = ':';
	p = put2(p, tm.tm_sec);
	*p++ = ' ';
	*p++ = zone < 0 ? '-' : '+';
	p = put2(put2(p, abs(zone) / 60), abs(zone) % 60);
	*p = '\0';
}

void
when_rfc3339(int64_t t, char out[WHEN_TEXT])
{
	time_t when = (time_t)t;
	struct tm tm = { 0 };

	gmtime_r(&when, &tm);
	snprintf(out, WHEN_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
}

/* Howard Hinnant's days_from_civil, in his names. */
int64_t
when_from_civil(int year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? (int64_t)year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	unsigned yoe = (unsigned)(y - era * 400);
	unsigned doy =
	    (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + (int64_t)doe - 719468;
}

/* Blanks, and comments in parentheses, which may nest. */
static void
skip_blanks(struct cur *c)
{
	unsigned depth = 0;

	for (; c->p < c->end; c->p++) {
		if (*c->p == '\\' && depth > 0 && c->p + 1 < c->end)
			c->p++; /* quoted-pair */
		else if (*c->p == '(')
			depth++;
		else if (*c->p == ')' && depth > 0)
			depth--;
		else if (depth == 0 && *c->p != ' ' && *c->p != '\t')
			return;
	}
	if (depth > 0)
		cur_fail(c, "a comment without its end");
}

/* 1 to `most` digits; -1 and the cursor stuck: none. */
static int
number(struct cur *c, unsigned most)
{
	unsigned n = 0;
	int v = 0;

	while (n < most && c->p < c->end && *c->p >= '0' && *c->p <= '9') {
		v = v * 10 + (*c->p++ - '0');
		n++;
	}
	if (n == 0)
		cur_fail(c, "a number is missing");
	return v;
}

/* One of the three-letter names, in any case: its place; stuck: none. */
static unsigned
name(struct cur *c, const char *names)
{
	struct span rest = cur_rest(c);

	for (unsigned i = 0; rest.n >= 3 && names[3 * i] != '\0'; i++) {
		if (!span_ieq((struct span){ rest.p, 3 },
			(struct span){ names + 3 * i, 3 }))
			continue;
		c->p += 3;
		return i;
	}
	cur_fail(c, "a name is missing");
	return 0;
}

/* zone = (("+" / "-") 4DIGIT) / obs-zone	; RFC 5322 4.3 */
static int
zone(struct cur *c)
{
	static const struct {
		const char *name;
		int minutes;
	} zones[] = {
		{ "GMT", 0 },
		{ "UTC", 0 },
		{ "UT", 0 },
		{ "EST", -300 },
		{ "EDT", -240 },
		{ "CST", -360 },
		{ "CDT", -300 },
		{ "MST", -420 },
		{ "MDT", -360 },
		{ "PST", -480 },
		{ "PDT", -420 },
		{ "Z", 0 },
	};
	struct span rest = cur_rest(c);
	int sign = rest.n > 0 && rest.p[0] == '-' ? -1 : 1, v;

	for (size_t i = 0; i < ARRAY_LEN(zones); i++)
		if (span_istarts(rest, zones[i].name)) {
			c->p += strlen(zones[i].name);
			return zones[i].minutes;
		}
	if (rest.n < 5 || (rest.p[0] != '+' && rest.p[0] != '-')) {
		cur_fail(c, "a zone is missing");
		return 0;
	}
	c->p++;
	rest = cur_rest(c);
	v = number(c, 4);
	if (c->p != rest.p + 4 || v % 100 > 59)
		cur_fail(c, "the zone is not 4 digits");
	return sign * (v / 100 * 60 + v % 100);
}

static void
day_name(struct cur *c)
{
	if (c->p < c->end && (*c->p < '0' || *c->p > '9')) {
		name(c, days);
		skip_blanks(c);
		cur_try(c, ",");
		skip_blanks(c);
	}
}

static int
two_digits(struct cur *c)
{
	const char *p = c->p;
	int v = number(c, 2);

	if (c->p != p + 2)
		cur_fail(c, "not two digits");
	return v;
}

/* hour ":" minute [ ":" second ], in seconds */
static int
time_of_day(struct cur *c)
{
	int h = two_digits(c), m, s = 0;

	cur_lit(c, ":");
	m = two_digits(c);
	if (cur_try(c, ":"))
		s = two_digits(c);
	if (h > 23 || m > 59 || s > 60)
		cur_fail(c, "no such time");
	return h * 3600 + m * 60 + s;
}

static int
month_days(int year, unsigned month)
{
	int64_t next = month == 12 ? when_from_civil(year + 1, 1, 1)
				   : when_from_civil(year, month + 1, 1);

	return (int)(next - when_from_civil(year, month, 1));
}

static int64_t
date(struct cur *c)
{
	int day = number(c, 2), year;
	unsigned month;
	const char *p;

	skip_blanks(c);
	month = name(c, months) + 1;
	skip_blanks(c);
	p = c->p;
	year = number(c, 4);
	if (day < 1 || day > month_days(year, month) || c->p != p + 4 ||
	    year < 1900 ||
	    (c->p < c->end && *c->p != ' ' && *c->p != '\t' && *c->p != '('))
		cur_fail(c, "no such day");
	return when_from_civil(year, month, (unsigned)day) * DAY_S;
}

/* date-time = [ day-name "," ] date time zone [CFWS]	; RFC 5322 3.3 */
enum mtrk_err
when_parse(struct span text, int64_t *out)
{
	struct cur c = cur_of(text);
	int64_t t;

	*out = WHEN_NONE;
	skip_blanks(&c);
	day_name(&c);
	t = date(&c);
	skip_blanks(&c);
	t += time_of_day(&c);
	skip_blanks(&c);
	t -= zone(&c) * 60;
	skip_blanks(&c);
	if (c.why != NULL || c.p != c.end)
		return MTRK_SYNTAX;
	*out = t;
	return MTRK_OK;
}
