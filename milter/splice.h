/*
 * milter/splice.h -- long lines that Sendmail writes in pieces, "ID[1]: ...
 * ...", put together again.
 */
#ifndef MTRK_MILTER_SPLICE_H
#define MTRK_MILTER_SPLICE_H

#include "milter/logline.h"

enum {
	SPLICE_LINES = 8, /* at a time; ours */
	SPLICE_MAX = 65536, /* octets of a line; ours */
};

struct splice {
	struct {
		char instance[64], queue_id[32];
		struct buf text; /* "ID: " and the pieces so far */
	} lines[SPLICE_LINES];
	unsigned next; /* place for a new one; its old one is lost */
};

/* A piece.  True: it was the last, and *l has the whole line's text now,
 * borrowed until the next piece.  All zero is an empty splice. */
bool splice_add(struct splice *, struct span instance, struct span queue_id,
    struct logline *l);
void splice_free(struct splice *);

#endif
