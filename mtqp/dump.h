/*
 * mtqp/dump.h -- a tracked message as text and as JSON, for administrators.
 */
#ifndef MTRK_MTQP_DUMP_H
#define MTRK_MTQP_DUMP_H

#include <stdio.h>

#include "common/conf.h"
#include "common/record.h"

/* One JSON object and a newline, with the certifier (RFC 3885 3.1): it proves
 * no right to ask.  False: no memory, or `out` failed. */
bool dump_json(const struct message *, const struct conf *, FILE *out);
/* A few lines for people. */
bool dump_text(const struct message *, const struct conf *, FILE *out);

/* What to show; NULL matches everything.  Addresses in any case; "<...>" is
 * the same as what is inside, so "<>" is the sender of bounces. */
struct dump_filter {
	struct span envid, queue_id, message_id, sender, recipient;
};
bool dump_matches(const struct message *, const struct dump_filter *);

#endif
