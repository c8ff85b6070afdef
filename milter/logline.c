#include "milter/logline.h"

#include <string.h>
#include <time.h>

#include "common/when.h"

enum {
	DAY_S = 86400,
	HOUR_S = 3600,
	TRADITIONAL_LEN = 15, /* "Nov 24 03:28:35" */
	CIVIL_LEN = 19, /* "2026-11-24T03:51:43" */
	EPOCH_LEN = 19, /* "1795493521.820400 x" */
	PRIORITY_MAX = 18, /* "authpriv.warning ", and one more */
	TAG_MAX = 128, /* ours; RFC 3164 says 32 */
	HOST_LEN_MAX = 255,
	QUEUE_ID_MIN = 12, /* Sendmail's */
	QUEUE_ID_MAX = 20,
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

/* When clocks go back an hour comes twice; the second one, if the first is
 * before the line before. */
static int64_t
local_time(const struct tm *tm, const struct logline_cache *cache)
{
	struct tm first = *tm, second = *tm;
	int64_t a, b;

	first.tm_isdst = -1;
	a = mktime(&first);
	if (!cache->seen || a >= cache->time || cache->time - a > HOUR_S)
		return a;
	second.tm_isdst = !first.tm_isdst;
	b = mktime(&second);
	return second.tm_hour == tm->tm_hour && b > a ? b : a;
}

static bool
read_traditional(const char *p, struct tm *tm)
{
	*tm = (struct tm){ .tm_mon = month_of(p),
		.tm_mday = digits(p + 4, 2),
		.tm_hour = digits(p + 7, 2),
		.tm_min = digits(p + 10, 2),
		.tm_sec = digits(p + 13, 2) };
	return tm->tm_mon >= 0 && tm->tm_mday >= 1 && tm->tm_hour >= 0 &&
	    tm->tm_min >= 0 && tm->tm_sec >= 0 && p[3] == ' ' && p[6] == ' ' &&
	    p[9] == ':' && p[12] == ':';
}

/* In the minute of the line before: no zone has to be asked. */
static bool
same_minute(const char *p, struct logline_cache *cache)
{
	int second = digits(p + 13, 2), before = digits(cache->stamp + 13, 2);

	if (cache->n != TRADITIONAL_LEN || memcmp(cache->stamp, p, 13) != 0 ||
	    second < before)
		return false;
	cache->time += second - before;
	return true;
}

/* No year is given: the latest one that isn't more than a day ahead. */
static bool
traditional(const char *p, int64_t now, struct logline_cache *cache)
{
	struct tm tm, today;
	time_t t = (time_t)now;
	int64_t found = INT64_MAX;

	if (!read_traditional(p, &tm) || localtime_r(&t, &today) == NULL)
		return false;
	for (int ahead = 1; ahead >= -1 && found > now + DAY_S; ahead--) {
		tm.tm_year = today.tm_year + ahead;
		found = local_time(&tm, cache);
	}
	cache->time = found;
	cache->seen = true;
	return true;
}

/* The same second comes many times in a row. */
static bool
is_cached(const struct logline_cache *cache, const char *p, size_t n)
{
	return cache->n == n && memcmp(cache->stamp, p, n) == 0;
}

static void
keep(struct logline_cache *cache, const char *p, size_t n)
{
	memcpy(cache->stamp, p, n);
	cache->n = n;
}

static bool
take_traditional(
    struct cur *c, int64_t now, struct logline_cache *cache, int64_t *out)
{
	struct span rest = cur_rest(c);

	if (rest.n <= TRADITIONAL_LEN || rest.p[TRADITIONAL_LEN] != ' ')
		return false;
	if (!is_cached(cache, rest.p, TRADITIONAL_LEN)) {
		if (!same_minute(rest.p, cache) &&
		    !traditional(rest.p, now, cache))
			return false;
		keep(cache, rest.p, TRADITIONAL_LEN);
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

/* "2026-11-24T03:51:43" */
static bool
civil(const char *p, int64_t *out)
{
	int y, mo, d, h, mi, s;

	if (p[4] != '-' || p[7] != '-' || p[10] != 'T' ||
	    (y = digits(p, 4)) < 0 || (mo = digits(p + 5, 2)) < 1 || mo > 12 ||
	    (d = digits(p + 8, 2)) < 1 || (h = digits(p + 11, 2)) < 0 ||
	    (mi = digits(p + 14, 2)) < 0 || (s = digits(p + 17, 2)) < 0)
		return false;
	*out = when_from_civil(y, (unsigned)mo, (unsigned)d) * DAY_S +
	    h * HOUR_S + mi * 60 + s;
	return true;
}

static bool
take_rfc3339(struct cur *c, struct logline_cache *cache, int64_t *out)
{
	const char *p = c->p;
	int zone;

	if (c->end - p <= CIVIL_LEN || p[4] != '-')
		return false;
	if (!is_cached(cache, p, CIVIL_LEN)) {
		if (!civil(p, &cache->time))
			return false;
		keep(cache, p, CIVIL_LEN);
	}
	c->p += CIVIL_LEN;
	if (!take_zone(c, &zone) || !cur_try(c, " "))
		return false;
	*out = cache->time - zone * 60;
	return true;
}

/* "1795493521.820400 text": with neither host nor tag. */
static bool
take_epoch(struct cur *c, struct logline_cache *cache, int64_t *out)
{
	struct span rest = cur_rest(c), seconds, fraction;
	uint64_t t, us;

	if (rest.n < EPOCH_LEN || rest.p[0] < '0' || rest.p[0] > '9' ||
	    !span_split(
		(struct span){ rest.p, EPOCH_LEN }, '.', &seconds, &fraction) ||
	    !span_split(fraction, ' ', &fraction, &rest) ||
	    !span_number(seconds, INT64_MAX, &t) ||
	    !span_number(fraction, 999999, &us))
		return false;
	c->p = rest.p;
	*out = cache->epoch = (int64_t)t;
	return true;
}

static bool
is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* "6AO3Z9pI030797[2]: text": there the pieces of a long line have no time. */
static bool
take_piece(const struct cur *c, int64_t now, const struct logline_cache *cache,
    int64_t *out)
{
	struct span id, rest, number;
	uint64_t n;

	if (!span_split(cur_rest(c), '[', &id, &rest) || id.n < QUEUE_ID_MIN ||
	    id.n > QUEUE_ID_MAX || !span_split(rest, ']', &number, &rest) ||
	    !span_number(number, 999, &n) || !span_starts(rest, ": "))
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!is_letter_or_digit(id.p[i]))
			return false;
	*out = cache->epoch != 0 ? cache->epoch : now;
	return true;
}

/* "mail.info ", which BusyBox writes between host and tag. */
static void
skip_priority(struct cur *c)
{
	struct span rest = cur_rest(c), word;
	bool dot = false;

	if (rest.n > PRIORITY_MAX)
		rest.n = PRIORITY_MAX;
	if (!span_split(rest, ' ', &word, &rest))
		return;
	for (size_t i = 0; i < word.n; i++) {
		dot = dot || word.p[i] == '.';
		if (word.p[i] == '[' || word.p[i] == ':' || word.p[i] == '/')
			return;
	}
	if (dot)
		c->p += word.n + 1;
}

/* "postfix-a/smtp[25593]: ": all of it must look like a tag. */
static bool
take_tag(struct cur *c, struct span *tag)
{
	struct span rest;
	size_t n = 0;

	skip_priority(c);
	rest = cur_rest(c);
	while (n < rest.n && n < TAG_MAX && rest.p[n] != '[' &&
	    rest.p[n] != ':' && rest.p[n] != ' ')
		n++;
	*tag = (struct span){ rest.p, n };
	c->p += n;
	if (cur_try(c, "["))
		(void)cur_until(c, ']', 16);
	return n > 0 && cur_lit(c, ":") && (cur_try(c, " "), c->why == NULL);
}

/* sd-element = "[" sd-id *(SP name "=" DQUOTE value DQUOTE) "]", where a
 * value has "\\" before a quote, a backslash or a bracket. */
static void
skip_structured(struct cur *c)
{
	bool quoted = false;

	if (cur_try(c, "-"))
		return;
	while (cur_try(c, "[")) {
		for (; c->p < c->end && (quoted || c->p[0] != ']'); c->p++) {
			if (quoted && c->p[0] == '\\' && c->p + 1 < c->end)
				c->p++;
			else if (c->p[0] == '"')
				quoted = !quoted;
		}
		cur_lit(c, "]");
	}
}

/* RFC 5424 behind the stamp: host app pid msgid structured-data text. */
static bool
take_5424(struct cur *c, struct span *tag)
{
	cur_until(c, ' ', HOST_LEN_MAX);
	*tag = cur_until(c, ' ', TAG_MAX);
	cur_until(c, ' ', TAG_MAX);
	cur_until(c, ' ', TAG_MAX);
	skip_structured(c);
	cur_lit(c, " ");
	(void)cur_try(c, "\xef\xbb\xbf"); /* 6.4: it is UTF-8 */
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
	struct span tag = SPAN("sendmail");
	bool rfc5424, ok = true;

	if (cur_try(&c, "<"))
		cur_until(&c, '>', 3);
	rfc5424 = cur_try(&c, "1 ");
	if (take_rfc3339(&c, cache, &out->time) ||
	    (!rfc5424 && take_traditional(&c, now, cache, &out->time)))
		ok = rfc5424 ? take_5424(&c, &tag)
			     : cur_until(&c, ' ', HOST_LEN_MAX).n > 0 &&
			take_tag(&c, &tag);
	else
		ok = !rfc5424 &&
		    (take_epoch(&c, cache, &out->time) ||
			take_piece(&c, now, cache, &out->time));
	if (!ok || c.why != NULL)
		return MTRK_SYNTAX;
	split_tag(tag, out);
	out->text = cur_rest(&c);
	return MTRK_OK;
}
