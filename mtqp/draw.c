#include "mtqp/draw.h"

#include <langinfo.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "common/utf8.h"
#include "common/when.h"
#include "mtqp/charset.h"

/*
 * Controls; what turns the order of what follows around, so that one name
 * looks like another; what is not seen at all.  Joiners stay: names in Persian
 * and emoji need them.
 */
static bool
is_hostile(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, /* C0, DEL, C1 */
		{ 0xad, 0xad }, /* soft hyphen */
		{ 0x34f, 0x34f }, { 0x61c, 0x61c }, /* Arabic letter mark */
		{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180e },
		{ 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xfeff, 0xfeff },
		{ 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff }, /* tags */
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

/* A character as it goes out. */
struct glyph {
	char text[MB_LEN_MAX + 1];
	size_t columns;
};

static const struct glyph question = { "?", 1 };

/* The next one in the locale's own charset. */
static struct glyph
next(struct span *s)
{
	const uint32_t c = utf8_next(s);
	mbstate_t state = { 0 };
	struct glyph g = question;
	char text[MB_LEN_MAX];
	size_t n;
	int columns;

	if (c == UTF8_BAD || is_hostile(c) ||
	    (columns = wcwidth((wchar_t)c)) < 0)
		return g;
	n = wcrtomb(text, (wchar_t)c, &state);
	if (n > sizeof text) /* not of the locale */
		return g;
	memcpy(g.text, text, n);
	g.text[n] = '\0';
	g.columns = (size_t)columns;
	return g;
}

size_t
draw_width(const char *text)
{
	struct span s = span_of(text);
	size_t n = 0;

	while (s.n > 0)
		n += next(&s).columns;
	return n;
}

void
draw_safe(const char *text, FILE *out)
{
	struct span s = span_of(text);

	while (s.n > 0)
		fputs(next(&s).text, out);
}

/* The next one as UTF-8; the C locale knows no widths: a guess. */
static struct glyph
next_utf8(struct span *s)
{
	const char *from = s->p;
	const uint32_t c = utf8_next(s);
	const int columns = wcwidth((wchar_t)c);
	struct glyph g = question;

	if (c == UTF8_BAD || is_hostile(c) || (c & 0xfffe) == 0xfffe)
		return g;
	memcpy(g.text, from, (size_t)(s->p - from));
	g.text[s->p - from] = '\0';
	g.columns = columns >= 0 ? (size_t)columns : c < 0x1100 ? 1 : 2;
	return g;
}

void
draw_utf8(const char *text, size_t columns, FILE *out)
{
	struct span s = span_of(text), all = s;
	size_t used = 0, most;

	while (all.n > 0 && used <= columns)
		used += next_utf8(&all).columns;
	most = used <= columns ? columns : columns > 3 ? columns - 3 : 0;
	used = 0;
	while (s.n > 0) {
		struct glyph g = next_utf8(&s);

		if ((used += g.columns) > most) {
			fputs("...", out);
			return;
		}
		fputs(g.text, out);
	}
}

static void
put_blanks(struct pen *p, size_t n)
{
	fprintf(p->out, "%*s", (int)n, "");
	p->at += n;
}

/* Where lines are too short for it, half of one must do. */
static size_t
indent_of(const struct pen *p)
{
	return p->indent < p->columns / 2 ? p->indent : p->columns / 2;
}

static void
wrap(struct pen *p)
{
	pen_end(p);
	put_blanks(p, indent_of(p));
}

static bool
fits(const struct pen *p, size_t columns)
{
	return p->columns == 0 || p->at + columns <= p->columns;
}

static void
put_word(struct pen *p, struct span word)
{
	struct span rest = word;
	size_t columns = 0;

	while (rest.n > 0)
		columns += next(&rest).columns;
	if (!fits(p, columns + p->blank) && p->at > indent_of(p))
		wrap(p);
	else if (p->blank)
		put_blanks(p, 1);
	p->blank = false;
	while (word.n > 0) {
		struct glyph g = next(&word);

		if (!fits(p, g.columns))
			wrap(p);
		fputs(g.text, p->out);
		p->at += g.columns;
	}
}

void
pen_text(struct pen *p, const char *text)
{
	struct span s = span_of(text), word;

	while (s.n > 0) {
		bool blank = span_split(s, ' ', &word, &s);

		if (word.n > 0)
			put_word(p, word);
		if (!blank)
			return;
		p->blank = true;
	}
}

void
pen_to(struct pen *p, size_t column)
{
	p->blank = false;
	if (p->at < column)
		put_blanks(p, column - p->at);
}

void
pen_end(struct pen *p)
{
	fputc('\n', p->out);
	p->at = 0;
	p->blank = false;
}

/* From the locale's charset; "" if it is too long. */
static void
to_utf8(const char *text, char out[DRAW_TIME])
{
	struct buf b = BUF(DRAW_TIME - 1);

	if (charset_to_utf8(nl_langinfo(CODESET), span_of(text), &b) !=
		MTRK_OK ||
	    !span_copy(out, DRAW_TIME, buf_as_span(&b)))
		out[0] = '\0';
	buf_free(&b);
}

#pragma GCC diagnostic push
/* the year's digits are as the reader's locale has them */
#pragma GCC diagnostic ignored "-Wformat-y2k"
void
draw_time(int64_t t, int64_t day, char out[DRAW_TIME])
{
	const time_t when = (time_t)t, other = (time_t)day;
	struct tm a, b = { 0 };
	char text[DRAW_TIME];
	size_t n;

	out[0] = '\0';
	if (localtime_r(&when, &a) == NULL ||
	    (day != WHEN_NONE && localtime_r(&other, &b) == NULL))
		return;
	if (day == WHEN_NONE)
		n = strftime(text, sizeof text, "%c %Z", &a);
	else if (a.tm_yday != b.tm_yday || a.tm_year != b.tm_year)
		n = strftime(text, sizeof text, "%x %X", &a);
	else
		n = strftime(text, sizeof text, "%X", &a);
	if (n > 0)
		to_utf8(text, out);
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
