/*
 * common/record.h -- a tracked message, its recipients and events, as structs
 * and as the bytes that the store keeps (the format is told in record.c).
 *
 * Spans are borrowed: from the caller when encoding, from the stored bytes
 * when decoding.
 */
#ifndef MTRK_COMMON_RECORD_H
#define MTRK_COMMON_RECORD_H

#include "common/err.h"
#include "common/mtrk.h"
#include "common/span.h"
#include "common/status.h"

enum {
	RECORD_VERSION = 1,
	RECIPIENTS_MAX = 65000, /* ours: of one message */
	/* ours, and of an instance's name; Postfix's longest id is 20 */
	QUEUE_ID_LEN_MAX = 63,
	EVENT_TEXT_MAX = 1024, /* ours: of a remote's own words */
	REMOTE_MAX = 255, /* RFC 1035 2.3.4 */
};

enum notify { /* RFC 3461 4.1, as bits; none: not given */
	NOTIFY_NEVER = 1,
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8,
};

struct recipient {
	struct span original_type, original; /* ORCPT, decoded; empty: none */
	struct span address; /* RCPT's, without its brackets */
	unsigned notify;
};

enum event_kind {
	EVENT_ACTION = 1, /* a recipient came into another state */
	EVENT_MESSAGE_ID, /* `text` is the Message-ID: of the whole message */
	EVENT_HANDED, /* EVENT_ACTION by mtrk-gate: the log knows no better */
	EVENT_LINK, /* it goes on under `queue_id` */
	EVENT_NOTE, /* `text` tells what changed no state: held, released */
};

#define EVENT_ALL UINT32_MAX /* whoever is still waiting */
#define EVENT_SOMEONE (UINT32_MAX - 1) /* whom no other event names */

struct event {
	enum event_kind kind;
	uint32_t recipient; /* index, EVENT_ALL or EVENT_SOMEONE */
	int64_t time; /* seconds since 1970 UTC */
	enum action action;
	struct status status;
	struct span remote_mta; /* empty: none was involved */
	struct span address; /* where it went, if not to the recipient's own */
	struct span text; /* the remote's or the MTA's own words */
	struct span queue_id; /* where it happened; empty: the message's own */
};

struct message {
	uint64_t number; /* the store's; 0: not from there */
	struct span envid; /* decoded, case kept */
	unsigned char certifier[CERTIFIER_LEN];
	int64_t arrival; /* seconds since 1970 UTC */
	bool has_timeout;
	uint32_t timeout_s; /* as requested */
	struct span instance, queue_id, sender, client, message_id;
	struct recipient *recipients;
	size_t n_recipients;
	struct event *events; /* oldest first */
	size_t n_events;
};

/* The message and its recipients, without events and Message-ID. */
void record_put_message(struct buf *, const struct message *);
/*
 * Allocates `recipients`, the caller's to free, also on failure.
 * MTRK_FORMAT: written by a newer suite; MTRK_CORRUPT; MTRK_NOMEM.
 */
enum mtrk_err record_get_message(struct span, struct message *out);

/* The certifier alone, borrowed; false: there is none. */
bool record_peek_certifier(struct span message, struct span *out);

/*
 * One event.  `before` is the message's event before this one (NULL: none);
 * `previous` its number.  Remote and text that `before` has too are not
 * stored again.
 */
void record_put_event(struct buf *, const struct event *,
    const struct event *before, uint64_t previous);
struct event_bytes {
	struct event event;
	uint64_t previous; /* 0: this is the first */
	bool same_remote, same_text; /* as the event before */
};
/* MTRK_FORMAT, MTRK_CORRUPT. */
enum mtrk_err record_get_event(struct span, struct event_bytes *out);

/*
 * The recipient that the MTA's log means: by the address that it was before
 * aliasing if the log tells (`original`, may be empty), else by `address`.
 * Local parts compare exactly first, then in any case; quotes that need not
 * be there, source routes and blanks around don't count.  False: none.
 */
bool message_recipient(const struct message *, struct span original,
    struct span address, uint32_t *index);
bool address_equal(struct span, struct span, bool any_case);

#endif
