/*
 * milter/collect.h -- from lines to the store: what was read and how far it
 * was read are written together, so that a crash neither loses a line nor
 * counts one twice.
 */
#ifndef MTRK_MILTER_COLLECT_H
#define MTRK_MILTER_COLLECT_H

#include "common/conf.h"
#include "common/store.h"
#include "milter/follow.h"

struct collect;

/* Borrows all three.  `mark` is the position's name; NULL: none is kept.
 * NULL: no memory. */
struct collect *collect_new(
    const struct conf *, struct store *, struct follow *, const char *mark);
void collect_free(struct collect **);

/*
 * Reads what there is, up to COLLECT_LINES (COLLECT_HEAP if there were more
 * last time) and for about half a second, and makes it durable.  MTRK_OK: more
 * may come, let others write meanwhile; MTRK_TOOBIG: there is more;
 * MTRK_NOTFOUND: there was nothing.  Anything else: nothing was written, and
 * the lines are read again next time.
 */
enum { /* lines in one transaction, for which other writers wait; ours */
	COLLECT_LINES = 2000,
	COLLECT_HEAP = 20000,
};
enum mtrk_err collect_some(struct collect *);
/* Make durable how far it is, though no line since mattered. */
enum mtrk_err collect_save(struct collect *);

struct collect_numbers {
	uint64_t lines, events;
	uint64_t
	    unmatched; /* of a tracked message, of none of its recipients */
	uint64_t not_understood; /* of a tracked message */
};
struct collect_numbers collect_numbers(const struct collect *);

#endif
