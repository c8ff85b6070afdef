/*
 * common/status.h -- actions (RFC 3886 3.3.3) and status codes (RFC 3463).
 */
#ifndef MTRK_COMMON_STATUS_H
#define MTRK_COMMON_STATUS_H

#include "common/err.h"
#include "common/span.h"

enum action {
	ACTION_NONE, /* no such action, or none known */
	ACTION_DELIVERED,
	ACTION_EXPANDED,
	ACTION_RELAYED,
	ACTION_TRANSFERRED,
	ACTION_DELAYED,
	ACTION_FAILED,
	ACTION_OPAQUE,
	ACTION_COUNT
};

const char *action_text(enum action); /* "none" for ACTION_NONE */
enum action action_of(struct span); /* case-insensitively (T15) */

struct status {
	uint16_t klass, subject, detail; /* all zero: none */
};
#define STATUS(c, s, d) ((struct status){ (c), (s), (d) })
enum { STATUS_TEXT = 12 };

/* DIGIT "." 1*3DIGIT "." 1*3DIGIT, class 2, 4 or 5, no leading zeros (T16);
 * nothing may follow.  MTRK_SYNTAX. */
enum mtrk_err status_parse(struct span, struct status *out);
void status_format(struct status, char out[STATUS_TEXT]);

#endif
