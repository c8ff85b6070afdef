/*
 * milter/postfix.h -- what a line of Postfix says about a queue id.  Pure.
 */
#ifndef MTRK_MILTER_POSTFIX_H
#define MTRK_MILTER_POSTFIX_H

#include "common/store.h"
#include "milter/logline.h"

enum postfix_line {
	POSTFIX_NOTHING, /* no queue id, or nothing that we want */
	POSTFIX_HAPPENED, /* *out tells */
	POSTFIX_EARLY, /* the same, of a message that may not be stored yet */
	POSTFIX_QUEUED, /* qmgr took it: it is stored, if it is tracked */
};

/* Everything in *out but the instance; borrowed from the line. */
enum postfix_line postfix_parse(
    const struct logline *, struct happening_line *out);

#endif
