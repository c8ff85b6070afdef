/*
 * mtqp/inquiry.h -- one message asked after, once or again and again: the last
 * answer, and what is to be said beside it.
 */
#ifndef MTRK_MTQP_INQUIRY_H
#define MTRK_MTQP_INQUIRY_H

#include "mtqp/timeline.h"
#include "mtqp/trace.h"

struct inquiry {
	struct mtqp_uri uri;
	struct trace_options trace;
	const char *svg; /* a file to draw into; NULL */
	bool json, raw;

	struct hops *hops; /* of the last answer; NULL: none yet */
	struct ways ways;
	struct buf mime;
	char *notes; /* of the last time it was asked; UTF-8 lines, for
			inquiry_say() */
};

enum { INQUIRY_MIME_MAX = ASK_ANSWER_MAX };

/* The exit status, TRACK_ or sysexits'.  A failure leaves the last answer. */
int inquiry_ask(struct inquiry *);
/* The answer in the form that is asked for; nothing if there is none. */
void inquiry_print(const struct inquiry *, struct look, FILE *out);
/* Notes and warnings, at most `columns` wide (0: any). */
void inquiry_say(const struct inquiry *, size_t columns, FILE *out);
void inquiry_free(struct inquiry *);

#endif
