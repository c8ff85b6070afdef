/*
 * milter/gate_message.h -- the tracked message that a transaction carries
 * on, and who of its recipients may have the certifier (RFC 3885 3.3,
 * S27-S32).  Pure: the store's records come in, answers go out.
 *
 * One resulting recipient keeps the certifier: the first address that an
 * original recipient turns into (S30's primary).  A transaction under another
 * sender than the message came with is a list's, and goes without (S31).
 */
#ifndef MTRK_MILTER_GATE_MESSAGE_H
#define MTRK_MILTER_GATE_MESSAGE_H

#include "common/disposition.h"

struct gate_message;

/* hide_forwarding: the certifier doesn't go on to an address that an alias
 * put in a recipient's place (S35).  NULL: no memory. */
struct gate_message *gate_message_new(bool hide_forwarding);
void gate_message_free(struct gate_message **);

/* What is looked for: `queue_id` is empty where the MTA does not tell it. */
void gate_message_begin(
    struct gate_message *, struct span queue_id, struct span sender);
/*
 * A record under the transaction's ENVID, oldest first: store_find()'s each,
 * with the struct as `arg`.  The queue id's own record is taken, else the
 * newest with this sender.  False: no memory, or the right one is found.
 */
bool gate_message_offer(const struct message *, void *arg);
bool gate_message_found(const struct gate_message *);

/* What is left of its time at `now` (S21b, A38).  False: nothing, or records
 * disagree on the certifier: no MTRK (S21c). */
bool gate_message_mark(const struct gate_message *, const struct retention *,
    int64_t now, struct mtrk *out);

/*
 * A recipient of the transaction: before aliasing, and now.  False: it must
 * not go with the certifier: it isn't the sender's, its original has
 * another address already, or forwarding is hidden and this is that.  *index:
 * as in the record, or UINT32_MAX.
 */
bool gate_message_rcpt(struct gate_message *, struct span original,
    struct span address, uint32_t *index);

/* The record once more, as it is now: another conversation may have handed a
 * recipient on meanwhile.  Another message is passed over; as `each` above.
 * Ask gate_message_rcpt() again then. */
bool gate_message_news(const struct message *, void *arg);

/* The record's number in the store. */
uint64_t gate_message_number(const struct gate_message *);
/* Is this the recipient's address as the record has it? */
bool gate_message_is_own(
    const struct gate_message *, uint32_t index, struct span address);

#endif
