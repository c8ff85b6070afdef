#include "milter/chunk.h"

#include <stdlib.h>
#include <string.h>

bool
chunk_init(struct chunk *c)
{
	*c = (struct chunk){ .bytes = malloc(CHUNK_SIZE), .cap = CHUNK_SIZE };
	return c->bytes != NULL;
}

void
chunk_free(struct chunk *c)
{
	free(c->bytes);
	c->bytes = NULL;
}

void
chunk_restart(struct chunk *c, uint64_t offset, struct span context)
{
	memcpy(c->bytes, context.p, context.n);
	c->at = c->n = context.n;
	c->offset = offset;
	c->skipping = false;
}

/* Moved only when there is little room, so that a young file's first octets
 * stay for a while. */
char *
chunk_room(struct chunk *c, size_t *n)
{
	size_t from = c->at < CHUNK_CONTEXT ? 0 : c->at - CHUNK_CONTEXT;

	if (c->cap - c->n < c->cap / 2) {
		memmove(c->bytes, c->bytes + from, c->n - from);
		c->at -= from;
		c->n -= from;
	}
	*n = c->cap - c->n;
	return c->bytes + c->n;
}

void
chunk_filled(struct chunk *c, size_t n)
{
	c->n += n;
}

static struct span
before(const struct chunk *c, size_t at)
{
	size_t n = at < CHUNK_CONTEXT ? at : CHUNK_CONTEXT;

	return (struct span){ c->bytes + at - n, n };
}

struct span
chunk_before_room(const struct chunk *c)
{
	return before(c, c->n);
}

static void
consume(struct chunk *c, size_t n)
{
	c->at += n;
	c->offset += n;
}

static void
skip_nuls(struct chunk *c)
{
	while (c->at < c->n && c->bytes[c->at] == '\0')
		consume(c, 1);
}

static void
begin_skipping(struct chunk *c)
{
	c->line_offset = c->offset;
	c->line_tail = span_hash(before(c, c->at));
	c->skipping = true;
	c->skipped++;
}

bool
chunk_line(struct chunk *c, struct span *line)
{
	for (;;) {
		const char *p, *end;
		size_t n;

		if (!c->skipping)
			skip_nuls(c);
		p = c->bytes + c->at;
		n = c->n - c->at;
		end = n > 0 ? memchr(p, '\n', n) : NULL;
		if (end != NULL)
			n = (size_t)(end - p);
		if (!c->skipping && n > CHUNK_LINE_MAX)
			begin_skipping(c);
		if (end == NULL) {
			if (c->skipping)
				consume(c, n);
			return false;
		}
		consume(c, n + 1);
		if (!c->skipping) {
			*line = (struct span){ p, n };
			return true;
		}
		c->skipping = false;
	}
}

bool
chunk_last_line(struct chunk *c, struct span *line)
{
	*line = (struct span){ c->bytes + c->at, c->n - c->at };
	consume(c, line->n);
	return line->n > 0 && !c->skipping;
}

uint64_t
chunk_position(const struct chunk *c, uint64_t *tail)
{
	if (c->skipping) {
		*tail = c->line_tail;
		return c->line_offset;
	}
	*tail = span_hash(before(c, c->at));
	return c->offset;
}

struct span
chunk_head(const struct chunk *c, size_t max)
{
	bool here = c->offset == c->at;

	return (struct span){ c->bytes, !here ? 0 : c->at < max ? c->at : max };
}
