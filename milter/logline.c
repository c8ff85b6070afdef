#include "milter/logline.h"

#include <string.h>
#include <time.h>

#include "common/when.h"

enum {
	DAY_S = 86400,
	TRADITIONAL_LEN = 15, /* "Nov 24 03:28:35" */
	TAG_MAX = 128, /* ours; RFC 3164 says 32 */
	HOST_LEN_MAX = 255,
};

/* Decimal digits at a fixed place; -1 if they aren't. */
static int
digits(const char *p, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (i == 0 && n == 2 && p[0] == ' ')
			continue; /* "Nov  4" */
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

static int
month_of(const char *p)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int m = 0; m < 12; m++)
		if (memcmp(months + 3 * m, p, 3) == 0)
			return m;
	return -1;
}

/* No year is given: the latest one that isn't more than a day ahead. */
static bool
traditional(const char *p, int64_t now, int64_t *out)
{
	struct tm tm = { .tm_mon = month_of(p),
		.tm_mday = digits(p + 4, 2),
		.tm_hour = digits(p + 7, 2),
		.tm_min = digits(p + 10, 2),
		.tm_sec = digits(p + 13, 2),
		.tm_isdst = -1 };
	struct tm today, copy;
	time_t t = (time_t)now;

	if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_hour < 0 ||
	    tm.tm_min < 0 || tm.tm_sec < 0 || p[3] != ' ' || p[6] != ' ' ||
	    p[9] != ':' || p[12] != ':' || localtime_r(&t, &today) == NULL)
		return false;
	copy = tm;
	copy.tm_year = today.tm_year + 1;
	*out = mktime(&copy);
	for (int back = 0; back < 2 && *out > now + DAY_S; back++) {
		copy = tm;
		copy.tm_year = today.tm_year - back;
		*out = mktime(&copy);
	}
	return true;
}

/* The same second comes many times in a row. */
static bool
take_traditional(
    struct cur *c, int64_t now, struct logline_cache *cache, int64_t *out)
{
	struct span rest = cur_rest(c);

	if (rest.n <= TRADITIONAL_LEN || rest.p[TRADITIONAL_LEN] != ' ')
		return false;
	if (cache->n != TRADITIONAL_LEN ||
	    memcmp(cache->stamp, rest.p, TRADITIONAL_LEN) != 0) {
		if (!traditional(rest.p, now, &cache->time))
			return false;
		memcpy(cache->stamp, rest.p, TRADITIONAL_LEN);
		cache->n = TRADITIONAL_LEN;
	}
	c->p += TRADITIONAL_LEN + 1;
	*out = cache->time;
	return true;
}

/* Z, or +hh:mm, behind an optional fraction; in minutes. */
static bool
take_zone(struct cur *c, int *minutes)
{
	int h, m;

	if (cur_try(c, "."))
		while (c->p < c->end && c->p[0] >= '0' && c->p[0] <= '9')
			c->p++;
	*minutes = 0;
	if (cur_try(c, "Z"))
		return true;
	if (c->end - c->p < 6 || (c->p[0] != '+' && c->p[0] != '-') ||
	    (h = digits(c->p + 1, 2)) < 0 || (m = digits(c->p + 4, 2)) < 0)
		return false;
	*minutes = (c->p[0] == '-' ? -1 : 1) * (h * 60 + m);
	c->p += 6;
	return true;
}

static bool
take_rfc3339(struct cur *c, int64_t *out)
{
	const char *p = c->p;
	int y, mo, d, h, mi, s, zone;

	if (c->end - p < 20 || p[4] != '-' || p[7] != '-' || p[10] != 'T' ||
	    (y = digits(p, 4)) < 0 || (mo = digits(p + 5, 2)) < 1 || mo > 12 ||
	    (d = digits(p + 8, 2)) < 1 || (h = digits(p + 11, 2)) < 0 ||
	    (mi = digits(p + 14, 2)) < 0 || (s = digits(p + 17, 2)) < 0)
		return false;
	c->p += 19;
	if (!take_zone(c, &zone) || !cur_try(c, " "))
		return false;
	*out = when_from_civil(y, (unsigned)mo, (unsigned)d) * DAY_S +
	    h * 3600 + mi * 60 + s - zone * 60;
	return true;
}

/* "postfix-a/smtp[25593]: ": all of it must look like a tag. */
static bool
take_tag(struct cur *c, struct span *tag)
{
	struct span rest = cur_rest(c), pid;
	size_t n = 0;

	while (n < rest.n && n < TAG_MAX && rest.p[n] != '[' &&
	    rest.p[n] != ':' && rest.p[n] != ' ')
		n++;
	*tag = (struct span){ rest.p, n };
	c->p += n;
	if (cur_try(c, "["))
		pid = cur_until(c, ']', 16);
	(void)pid;
	return n > 0 && cur_lit(c, ":") && (cur_try(c, " "), c->why == NULL);
}

/* RFC 5424 behind the stamp: host app pid msgid structured-data text. */
static bool
take_5424(struct cur *c, struct span *tag)
{
	cur_until(c, ' ', HOST_LEN_MAX);
	*tag = cur_until(c, ' ', TAG_MAX);
	cur_until(c, ' ', TAG_MAX);
	cur_until(c, ' ', TAG_MAX);
	cur_lit(c, "- ");
	while (cur_try(c, " "))
		;
	return c->why == NULL;
}

static void
split_tag(struct span tag, struct logline *out)
{
	size_t slash = tag.n;
	struct span rest;

	while (slash > 0 && tag.p[slash - 1] != '/')
		slash--;
	out->program = span_from(tag, slash);
	span_split(tag, '/', &out->name, &rest);
}

enum mtrk_err
logline_parse(struct span line, int64_t now, struct logline_cache *cache,
    struct logline *out)
{
	struct cur c = cur_of(line);
	struct span tag;
	bool rfc5424, ok;

	if (cur_try(&c, "<"))
		cur_until(&c, '>', 3);
	rfc5424 = cur_try(&c, "1 ");
	ok = take_rfc3339(&c, &out->time) ||
	    take_traditional(&c, now, cache, &out->time);
	if (ok && rfc5424)
		ok = take_5424(&c, &tag);
	else if (ok)
		ok = cur_until(&c, ' ', HOST_LEN_MAX).n > 0 &&
		    take_tag(&c, &tag);
	if (!ok || c.why != NULL)
		return MTRK_SYNTAX;
	split_tag(tag, out);
	out->text = cur_rest(&c);
	return MTRK_OK;
}
