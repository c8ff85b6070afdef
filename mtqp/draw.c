#include "mtqp/draw.h"

#include <langinfo.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "common/span.h"
#include "common/when.h"

enum { UTF8_MAX = 6 };

/* They turn the order of what follows around: one name could look like
 * another (Unicode TR 36). */
static bool
is_bidi_control(wchar_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/*
 * The next character of *s: its octets, at most UTF8_MAX, in `out`, and its
 * columns.  What is no character of the locale, or commands a terminal, is "?".
 */
static size_t
next(const char **s, mbstate_t *state, char out[UTF8_MAX + 1])
{
	wchar_t c = 0;
	size_t n = mbrtowc(&c, *s, strlen(*s), state);
	int width =
	    n > 0 && n <= UTF8_MAX && !is_bidi_control(c) ? wcwidth(c) : -1;

	if (width < 0) {
		bool valid = n > 0 && n <= UTF8_MAX;

		*s += valid ? n : 1;
		*state = (mbstate_t){ 0 };
		memcpy(out, "?", 2);
		return 1;
	}
	memcpy(out, *s, n);
	out[n] = '\0';
	*s += n;
	return (size_t)width;
}

static size_t
each(const char *s, FILE *out)
{
	mbstate_t state = { 0 };
	char one[UTF8_MAX + 1];
	size_t width = 0;

	while (s != NULL && *s != '\0') {
		width += next(&s, &state, one);
		if (out != NULL)
			fputs(one, out);
	}
	return width;
}

size_t
draw_width(const char *s)
{
	return each(s, NULL);
}

void
draw_safe(const char *s, FILE *out)
{
	each(s, out);
}

void
draw_column(const char *s, size_t width, FILE *out)
{
	size_t used = each(s, out);

	if (used < width)
		fprintf(out, "%*s", (int)(width - used), "");
}

#pragma GCC diagnostic push
/* the year's digits are as the reader's locale has them */
#pragma GCC diagnostic ignored "-Wformat-y2k"
void
draw_time(int64_t t, int64_t day, char out[DRAW_TIME])
{
	const time_t when = (time_t)t, other = (time_t)day;
	struct tm a, b = { 0 };
	size_t n;

	out[0] = '\0';
	if (localtime_r(&when, &a) == NULL ||
	    (day != WHEN_NONE && localtime_r(&other, &b) == NULL))
		return;
	if (day == WHEN_NONE)
		n = strftime(out, DRAW_TIME, "%c %Z", &a);
	else if (a.tm_yday != b.tm_yday || a.tm_year != b.tm_year)
		n = strftime(out, DRAW_TIME, "%x %X", &a);
	else
		n = strftime(out, DRAW_TIME, "%X", &a);
	out[n > 0 ? DRAW_TIME - 1 : 0] = '\0';
}
#pragma GCC diagnostic pop

void
draw_duration(int64_t s, char out[DRAW_DURATION])
{
	static const struct {
		int64_t below, large, small;
		const char *names[2];
	} rows[] = {
		{ 3600, 60, 1, { "min", "s" } },
		{ 86400, 3600, 60, { "h", "min" } },
		{ INT64_MAX, 86400, 3600, { "d", "h" } },
	};
	size_t i = 0;

	out[0] = '\0';
	if (s < 0)
		return;
	if (s < 60) {
		snprintf(out, DRAW_DURATION, "%d s", (int)s);
		return;
	}
	while (i + 1 < ARRAY_LEN(rows) && s >= rows[i].below)
		i++;
	snprintf(out, DRAW_DURATION, "%lld %s %d %s",
	    (long long)(s / rows[i].large), rows[i].names[0],
	    (int)(s % rows[i].large / rows[i].small), rows[i].names[1]);
}

bool
draw_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}
