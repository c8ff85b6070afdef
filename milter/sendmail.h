/*
 * milter/sendmail.h -- what a line of Sendmail says about a queue id.  Pure.
 */
#ifndef MTRK_MILTER_SENDMAIL_H
#define MTRK_MILTER_SENDMAIL_H

#include "milter/said.h"

/* The queue id; false: no line of Sendmail about one.  *part is 0, or the
 * number of a piece of a long line ("ID[2]: "). */
bool sendmail_queue_id(const struct logline *, struct span *id, unsigned *part);

/*
 * Everything in *out but the instance; borrowed from the line.  One line may
 * tell of several recipients, members or new queue ids: sendmail_next() steps
 * to the next of them, and is false behind the last.
 */
enum said sendmail_parse(const struct logline *, struct happening_line *out);
bool sendmail_next(struct happening_line *);

/* The text of a piece, and whether more pieces follow. */
struct span sendmail_piece(const struct logline *, bool *more);

#endif
