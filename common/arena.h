/*
 * common/arena.h -- memory for what lives and ends together: taken in pieces,
 * given back all at once.
 */
#ifndef MTRK_COMMON_ARENA_H
#define MTRK_COMMON_ARENA_H

#include "common/span.h"

struct arena_block;
struct arena { /* { NULL } is empty */
	struct arena_block *last;
};

/* For any type, not cleared; NULL: no memory.  It lasts until arena_free(). */
void *arena_take(struct arena *, size_t octets);
/* A copy with a NUL behind; NULL: no memory. */
char *arena_text(struct arena *, struct span);
/* What is in `from` lasts as long as what is in `to`; `from` is empty. */
void arena_join(struct arena *to, struct arena *from);
void arena_free(struct arena *); /* leaves it empty */

#endif
