/*
 * common/span.h -- borrowed bytes, a cursor that remembers failing, and a
 * buffer that grows up to a limit.
 *
 * A span is not NUL-terminated and not owned.  Letters compare as ASCII,
 * whatever the locale.
 */
#ifndef MTRK_COMMON_SPAN_H
#define MTRK_COMMON_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct span {
	const char *p;
	size_t n;
};
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

struct span span_of(const char *); /* of a C string; NULL gives no bytes */
/* These are inline because the log's reader asks millions of times whether a
 * span is one word, whose length the compiler knows. */
static inline bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool
span_is(struct span a, const char *s)
{
	size_t n = strlen(s);

	return a.n == n && (n == 0 || memcmp(a.p, s, n) == 0);
}
static inline bool
span_starts(struct span a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && (n == 0 || memcmp(a.p, s, n) == 0);
}
bool span_ieq(struct span, struct span); /* case-insensitively */
bool span_iis(struct span, const char *);
bool span_istarts(struct span, const char *);
bool span_ends(struct span, const char *);
struct span span_from(struct span, size_t skip); /* without the first `skip` */
struct span span_trim(struct span); /* without blanks and tabs at both ends */
struct span span_bare(struct span); /* "<text>" without its brackets */
uint64_t span_hash(struct span); /* FNV-1a: not for secrets */
/* Split at the first `c`: what is before goes to *head, what is behind to
 * *tail.  False, and *head is all, if there is no `c`. */
bool span_split(struct span, char c, struct span *head, struct span *tail);
/* Copy with a NUL behind; false, and an empty string, if it does not fit or
 * holds a NUL. */
bool span_copy(char *buf, size_t size, struct span);
/* Decimal digits only, at most `max`. */
bool span_number(struct span, uint64_t max, uint64_t *out);
/* A number as stored: big-endian, `n` octets of it. */
static inline void
big_put(char *to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (char)(v >> (8 * (n - 1 - i)));
}
static inline uint64_t
big_get(const char *from, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)from[i];
	return v;
}
int span_find(struct span, const char *needle); /* offset, or -1 */

/*
 * A cursor over a span.  The first failure sticks in `why` (a static text);
 * from then on nothing is taken and every piece is empty.
 */
struct cur {
	const char *p, *end, *why;
};
struct cur cur_of(struct span);
static inline bool
cur_try(struct cur *c, const char *lit) /* may stand here */
{
	struct span rest = { c->p, (size_t)(c->end - c->p) };

	if (c->why != NULL || !span_starts(rest, lit))
		return false;
	c->p += strlen(lit);
	return true;
}
bool cur_lit(struct cur *, const char *); /* must stand here */
bool cur_skip_to(struct cur *, const char *); /* step over its next place */
struct span cur_until(struct cur *, char stop, size_t max); /* and over it */
struct span cur_rest(const struct cur *);
bool cur_fail(struct cur *, const char *why); /* always false */

/*
 * Bytes that grow up to `max`.  The first failure sticks: MTRK_TOOBIG or
 * MTRK_NOMEM; later calls do nothing.  `p` is NUL-terminated when it isn't
 * NULL.  buf_free() leaves an empty, usable buffer with the same maximum.
 */
struct buf {
	char *p;
	size_t n, cap, max;
	int err; /* enum mtrk_err */
};
#define BUF(limit) ((struct buf){ .max = (limit) })
bool buf_room(struct buf *, size_t more); /* false: it fails, or has failed */
/* Inline, as answers are put together from dozens of words whose length the
 * compiler knows. */
static inline void
buf_add(struct buf *b, const void *bytes, size_t n)
{
	if ((b->err != 0 || n >= b->cap - b->n || n > b->max - b->n) &&
	    !buf_room(b, n))
		return;
	if (n > 0)
		memcpy(b->p + b->n, bytes, n);
	b->n += n;
	b->p[b->n] = '\0';
}
static inline void
buf_span(struct buf *b, struct span a)
{
	buf_add(b, a.p, a.n);
}
static inline void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}
static inline void
buf_chr(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}
void buf_fmt(struct buf *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
void buf_cut(struct buf *, size_t n); /* keep the first n bytes */
void buf_drop(struct buf *, size_t n); /* remove the first n bytes */
void buf_free(struct buf *);
struct span buf_as_span(const struct buf *);

#endif
