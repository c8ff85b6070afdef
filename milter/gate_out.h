/*
 * milter/gate_out.h -- the outbound gate in a loop: listeners that each stand
 * in front of a next hop, or one conversation on standard input and output.
 * The thinking is done in gate_outbound.c and gate_message.c.
 */
#ifndef MTRK_MILTER_GATE_OUT_H
#define MTRK_MILTER_GATE_OUT_H

#include "common/conf.h"
#include "common/loop.h"
#include "milter/gate_pump.h"

struct gate_out;

/*
 * Borrows both.  Neither a store nor trusted authorities that can't be had
 * are failures: the store is tried again, once a minute, and mail goes on
 * without MTRK; a next hop can't be verified then.  On failure *out is NULL
 * and why[GATE_OUT_WHY] says what to do.
 */
enum { GATE_OUT_WHY = 512 };
enum mtrk_err gate_out_new(
    struct loop *, const struct conf *, struct gate_out **out, char *why);
void gate_out_free(struct gate_out **); /* before the loop; NULL is fine */

/* Once rights are given up, for what is made is this user's: opens the store,
 * which is otherwise done when the first message comes. */
void gate_out_begin(struct gate_out *);

/* Every GateRoute; MTRK_IO: `why` says which could not be bound. */
enum mtrk_err gate_out_listen(struct gate_out *, char *why);
/*
 * For Sendmail: SMTP with the MTA on descriptors 0 and 1, towards `host` as
 * the mailer's $h says it; the loop stops at the end.  `queue_id` is its $i.
 */
enum mtrk_err gate_out_pipe(
    struct gate_out *, const char *host, const char *queue_id);

/* End conversations with 421, now and as they come to that point. */
void gate_out_end(struct gate_out *, enum pump_ending);

#endif
