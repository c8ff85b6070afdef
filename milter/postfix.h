/*
 * milter/postfix.h -- what a line of Postfix says about a queue id.  Pure.
 */
#ifndef MTRK_MILTER_POSTFIX_H
#define MTRK_MILTER_POSTFIX_H

#include "milter/said.h"

/* Whose history the line belongs to; false: no line of Postfix about a queue
 * id.  Cheap: most lines are about messages that nobody tracks. */
bool postfix_queue_id(const struct logline *, struct span *id);

/* Everything in *out but the instance; borrowed from the line. */
enum said postfix_parse(const struct logline *, struct happening_line *out);

#endif
