/*
 * mtqp/timeline.h -- what the answers about a message say, for people and as
 * an exit status.  Pure.
 */
#ifndef MTRK_MTQP_TIMELINE_H
#define MTRK_MTQP_TIMELINE_H

#include <stdio.h>

#include "mtqp/follow_hops.h"

/* What mtrk-track's exit statuses mean; the issue fixed them. */
enum {
	TRACK_WELL = 0, /* every recipient reached its end well */
	TRACK_UNDER_WAY = 1, /* delayed, or transferred without more */
	TRACK_FAILED = 2, /* one failed */
	TRACK_NO_INFORMATION = 3,
};
int timeline_status(const struct ways *);
/* Of the recipient whose way begins at this step of depth 0. */
int timeline_status_at(const struct ways *, size_t step);
/* "Delivered", "Waiting", ...: its last word. */
const char *timeline_word(const struct ways *, size_t step);
/* Where the way ends most gravely; in between does not count. */
const struct step *timeline_worst(const struct ways *, size_t step);
const char *timeline_colour(enum action); /* as ECMA-48's SGR has it */
/* The step behind the way that begins at `step`. */
size_t timeline_end(const struct ways *, size_t step);

struct look {
	bool colour;
	bool utf8;
	size_t columns; /* of the terminal; 0: a line may be of any length */
};

/* A block a recipient, a line a server, times in the local zone; the servers
 * are strangers, so no control character of theirs comes through.  Where
 * there are few columns a server's name has a line of its own. */
void timeline_text(
    const struct hops *, const struct ways *, struct look, FILE *out);

/*
 * What one server did with one recipient, without its own name: "Accepted
 * 12:00:01, handed to mx.example 12:00:02 (1 s)"; times of the day `day` are
 * without their date.  Strangers' words are in it: for pen_text().
 */
void timeline_step(const struct step *, int64_t day, struct buf *out);
/* Does it say when the message came?  Arrival-Date is always there (T12); who
 * knows of no message has to invent one, and mtqpd's is 1970. */
bool timeline_dated(const struct step *);
/* Why the way stops at a server that did not tell; NULL: it did. */
const char *timeline_missing(const struct hops *, const struct step *);

#endif
