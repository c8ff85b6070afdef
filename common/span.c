#include "common/span.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

struct span
span_of(const char *s)
{
	return (struct span){ s != NULL ? s : "", s != NULL ? strlen(s) : 0 };
}

bool
span_ieq(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool
span_iis(struct span a, const char *s)
{
	return span_ieq(a, span_of(s));
}

bool
span_istarts(struct span a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && span_iis((struct span){ a.p, n }, s);
}

bool
span_ends(struct span a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && memcmp(a.p + a.n - n, s, n) == 0;
}

struct span
span_from(struct span a, size_t skip)
{
	if (skip > a.n)
		skip = a.n;
	if (skip > 0) /* no arithmetic with a NULL */
		a.p += skip;
	a.n -= skip;
	return a;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span
span_trim(struct span a)
{
	while (a.n > 0 && is_blank(a.p[0]))
		a = span_from(a, 1);
	while (a.n > 0 && is_blank(a.p[a.n - 1]))
		a.n--;
	return a;
}

struct span
span_bare(struct span a)
{
	if (a.n >= 2 && a.p[0] == '<' && a.p[a.n - 1] == '>')
		a = (struct span){ a.p + 1, a.n - 2 };
	return a;
}

uint64_t
span_hash(struct span s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h;
}

bool
span_split(struct span a, char c, struct span *head, struct span *tail)
{
	const char *at = a.n > 0 ? memchr(a.p, c, a.n) : NULL;

	if (at == NULL) {
		*head = a;
		*tail = span_from(a, a.n);
		return false;
	}
	*head = (struct span){ a.p, (size_t)(at - a.p) };
	*tail = span_from(a, head->n + 1);
	return true;
}

bool
span_copy(char *buf, size_t size, struct span a)
{
	bool fits = a.n < size && (a.n == 0 || memchr(a.p, 0, a.n) == NULL);

	if (fits && a.n > 0)
		memcpy(buf, a.p, a.n);
	buf[fits ? a.n : 0] = '\0';
	return fits;
}

bool
span_number(struct span a, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (a.n == 0)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		unsigned d = (unsigned char)a.p[i] - (unsigned)'0';

		if (d > 9 || d > max || v > (max - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

int
span_find(struct span a, const char *needle)
{
	const char *at =
	    a.n > 0 ? memmem(a.p, a.n, needle, strlen(needle)) : NULL;

	return at != NULL ? (int)(at - a.p) : -1;
}

struct cur
cur_of(struct span a)
{
	return (struct cur){ a.p, a.p + a.n, NULL };
}

struct span
cur_rest(const struct cur *c)
{
	return (struct span){ c->p, (size_t)(c->end - c->p) };
}

bool
cur_fail(struct cur *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
	return false;
}

bool
cur_lit(struct cur *c, const char *lit)
{
	return cur_try(c, lit) || cur_fail(c, "a word is missing");
}

bool
cur_skip_to(struct cur *c, const char *lit)
{
	int at = c->why == NULL ? span_find(cur_rest(c), lit) : -1;

	if (at < 0)
		return cur_fail(c, "a word is missing");
	c->p += (size_t)at + strlen(lit);
	return true;
}

struct span
cur_until(struct cur *c, char stop, size_t max)
{
	struct span piece, tail;

	if (c->why != NULL)
		return (struct span){ c->p, 0 };
	if (!span_split(cur_rest(c), stop, &piece, &tail) || piece.n == 0)
		cur_fail(c, "missing or empty field");
	else if (piece.n > max)
		cur_fail(c, "too long");
	if (c->why != NULL)
		return (struct span){ c->p, 0 };
	c->p = tail.p;
	return piece;
}

bool
buf_room(struct buf *b, size_t more)
{
	size_t want = b->cap != 0 ? b->cap : 64;
	char *p;

	if (b->err != MTRK_OK)
		return false;
	if (more > b->max || b->n > b->max - more) {
		b->err = MTRK_TOOBIG;
		return false;
	}
	while (want < b->n + more + 1)
		want *= 2;
	if (want == b->cap)
		return true;
	if ((p = realloc(b->p, want)) == NULL) {
		b->err = MTRK_NOMEM;
		return false;
	}
	b->p = p;
	b->cap = want;
	return true;
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !buf_room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void
buf_cut(struct buf *b, size_t n)
{
	if (n < b->n) {
		b->n = n;
		b->p[n] = '\0';
	}
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n + 1);
	b->n -= n;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = BUF(b->max);
}

struct span
buf_as_span(const struct buf *b)
{
	return (struct span){ b->p != NULL ? b->p : "", b->n };
}
