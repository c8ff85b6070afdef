/*
 * common/disposition.h -- what a recipient's events add up to (design.md 4,
 * RFC 3886 3.3.3), and when a message may be forgotten (S19-S21d).  Pure.
 */
#ifndef MTRK_COMMON_DISPOSITION_H
#define MTRK_COMMON_DISPOSITION_H

#include "common/record.h"
#include "common/when.h"

struct disposition {
	enum action action;
	struct status status;
	struct span final; /* where it went, or the recipient's own address */
	struct span remote_mta; /* empty: none */
	int64_t last_attempt; /* WHEN_NONE: no attempt was made (T18) */
	int64_t will_retry_until; /* WHEN_NONE: not queued here (T19) */
};

/*
 * queue_lifetime_s: how long the MTA retries.  A recipient without events is
 * delayed, 4.0.0, with no attempt.  One whose events name several new
 * addresses, or an expansion, is expanded: the members are not shown (S30,
 * T25).  What befell EVENT_SOMEONE befell the one recipient that no other
 * event names; if there are several of those, nobody knows which, and once
 * it is an end they are opaque; if there is none, it befell the one of whom
 * only members of his alias were told.  One who left the queue and of whom the
 * log doesn't say more is opaque.
 */
void disposition_of(const struct message *, uint32_t recipient,
    uint64_t queue_lifetime_s, struct disposition *out);

/* Does the recipient's story, for people who may see all, include it? */
bool event_is_of(
    const struct message *, const struct event *, uint32_t recipient);

/*
 * For a site that keeps to itself where its aliases lead (S35, T24): a
 * recipient that was sent on to another address is delivered, and that's all.
 */
void disposition_hide_forwarding(
    const struct message *, uint32_t recipient, struct disposition *);

/* True if the event's action ends the recipient's way through this MTA. */
bool action_is_end(enum action);
/* Does anybody wait under this queue id (empty: the message's own)?  False also
 * if it can't be told, because some went on under another. */
bool message_waits_under(const struct message *, struct span queue_id);

struct retention {
	uint64_t preset_s; /* when the client asked for nothing (S21) */
	uint64_t limit_s; /* cap (S20); may be lowered any time (S21d) */
};
/* arrival + min(requested or preset, limit) */
int64_t message_expires(const struct message *, const struct retention *);
/* Expired at `now`, and not queued any more (S21a). */
bool message_expired(
    const struct message *, const struct retention *, int64_t now);

#endif
