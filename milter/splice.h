/*
 * milter/splice.h -- long lines that Sendmail writes in pieces, "ID[1]: ...
 * ...", put together again.  Pieces wait in the waiting room for the last one,
 * so they survive a restart.
 */
#ifndef MTRK_MILTER_SPLICE_H
#define MTRK_MILTER_SPLICE_H

#include "milter/waiting.h"

enum {
	SPLICE_PIECES = 999, /* of a line: sm_syslog() ends there */
	SPLICE_MAX = 65536, /* octets of a line; ours */
};

enum splice {
	SPLICE_WAITS, /* for the next one */
	SPLICE_WHOLE, /* *l has the whole line's text now, kept in *whole */
	SPLICE_LOST, /* one before it was lost, or it is too long */
};

/* Number `part` of a line about `queue_id`. */
enum splice splice_add(struct waiting *, struct span queue_id, unsigned part,
    struct logline *l, struct buf *whole);

/*
 * Another line of `name` about `queue_id` comes: does one still wait for its
 * end?  Its last piece may have ended in " ..." by its own words, or be lost.
 * What there is of it goes to *l and *whole, as above; else false.
 */
bool splice_left(struct waiting *, struct span queue_id, struct span name,
    struct logline *l, struct buf *whole);

#endif
