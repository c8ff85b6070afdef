/*
 * mtqp/timeline.h -- what a tracking answer says, for people, as JSON and as
 * an exit status.  Pure.
 */
#ifndef MTRK_MTQP_TIMELINE_H
#define MTRK_MTQP_TIMELINE_H

#include <jansson.h>
#include <stdio.h>

#include "common/tstat.h"
#include "mtqp/ask.h"

/* What mtrk-track's exit statuses mean; the issue fixed them. */
enum {
	TRACK_WELL = 0, /* every recipient reached its end well */
	TRACK_UNDER_WAY = 1, /* delayed, or transferred without more */
	TRACK_FAILED = 2, /* one failed */
	TRACK_NO_INFORMATION = 3,
};
int timeline_status(const struct tstat *);

/* A block a recipient, times in the local zone; the server is a stranger, so
 * no control character of its comes through. */
void timeline_text(const struct tstat *, bool colour, FILE *out);

/* The caller's to json_decref(); NULL: no memory. */
json_t *timeline_json(
    const struct tstat *, const struct mtqp_uri *, const struct ask_tls *);

#endif
