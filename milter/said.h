/*
 * milter/said.h -- what an MTA's line says about a queue id: the parsers'
 * common outcome.
 */
#ifndef MTRK_MILTER_SAID_H
#define MTRK_MILTER_SAID_H

#include "common/store.h"
#include "milter/logline.h"

enum said {
	SAID_NOTHING, /* not a line of this MTA's about a queue id */
	SAID_KNOWN, /* one that we know, and that changes nothing */
	SAID_UNKNOWN, /* no row of the table fits */
	SAID_HAPPENED, /* the happening_line tells */
};

/* The rest of a line is text that begins so, of a program ("": of any). */
struct said_row {
	const char *program, *begins;
	/* NULL: SAID_KNOWN */
	enum said (*parse)(struct cur *, struct happening_line *);
};

/* An address in angle brackets, behind the "<": up to the first ">" outside
 * of quotes.  A quoted local part may hold anything. */
struct span said_address(struct cur *);
/* "... queued as ID", "... ID Message accepted for delivery": the ID that the
 * remote says it gave; empty: none. */
struct span said_queued_as(struct span reply);
/* `l` is a whole message that failed. */
enum said said_all_failed(
    struct happening_line *l, struct status, struct span text);
/* `l` is one recipient, whom the MTA refused in these words. */
enum said said_refused(struct happening_line *l, struct span reply);

#endif
