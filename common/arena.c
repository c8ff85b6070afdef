#include "common/arena.h"

#include <stdlib.h>
#include <string.h>

enum {
	ALIGNED = _Alignof(max_align_t),
	BLOCK_MIN = 976, /* octets; ours: malloc() has such at hand */
	BLOCK_MAX = 64 * 1024, /* unless a piece is larger; ours */
};

struct arena_block {
	struct arena_block *before;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};

/* Each is twice as large as the one before. */
static struct arena_block *
add_block(struct arena *a, size_t piece)
{
	size_t size = a->last != NULL ? 2 * a->last->size : BLOCK_MIN;
	struct arena_block *b;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size < piece)
		size = piece;
	if (size > SIZE_MAX - sizeof *b ||
	    (b = malloc(sizeof *b + size)) == NULL)
		return NULL;
	b->before = a->last;
	b->used = 0;
	b->size = size;
	a->last = b;
	return b;
}

static char *
take(struct arena *a, size_t octets, size_t aligned)
{
	struct arena_block *b = a->last;
	size_t at = b != NULL ? (b->used + aligned - 1) / aligned * aligned : 0;

	if (b == NULL || at > b->size || octets > b->size - at) {
		at = 0;
		b = add_block(a, octets);
	}
	if (b == NULL)
		return NULL;
	b->used = at + octets;
	return b->bytes + at;
}

void *
arena_take(struct arena *a, size_t octets)
{
	return take(a, octets, ALIGNED);
}

char *
arena_text(struct arena *a, struct span s)
{
	char *text = take(a, s.n + 1, 1);

	if (text == NULL)
		return NULL;
	if (s.n > 0)
		memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return text;
}

void
arena_join(struct arena *to, struct arena *from)
{
	struct arena_block **end = &from->last;

	while (*end != NULL)
		end = &(*end)->before;
	*end = to->last;
	to->last = from->last;
	from->last = NULL;
}

void
arena_free(struct arena *a)
{
	struct arena_block *b;

	while ((b = a->last) != NULL) {
		a->last = b->before;
		free(b);
	}
}
