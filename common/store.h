/*
 * common/store.h -- the tracking store: messages, what became of their
 * recipients, how far a log was read, counters.
 *
 * Any number of processes: mtrk-milter adds messages, mtrk-collect adds
 * events, mtqpd and mtrk-dump read.  Times are seconds since 1970 UTC.  The
 * folder's format is told in store.c.
 */
#ifndef MTRK_COMMON_STORE_H
#define MTRK_COMMON_STORE_H

#include "common/db.h"
#include "common/disposition.h"
#include "common/record.h"

struct store;
enum store_mode { STORE_READ, STORE_WRITE };
enum { STORE_WHY_MAX = 2304, MARK_MAX = 4096 /* octets of a mark; ours */ };

/*
 * `limit` octets are the most that the data may grow to (ignored for
 * STORE_READ).  On failure *out is NULL and why[STORE_WHY_MAX] says in one
 * line what to do.  Open it once per process, after fork().
 */
enum mtrk_err store_open(const char *dir, enum store_mode, uint64_t limit,
    struct store **out, char *why);
void store_close(struct store **); /* NULL is fine */

/*
 * Add a message (its events are ignored).  From any thread; returns when it
 * is durable, one fsync serving all that wait, or after wait_ms (MTRK_BUSY).
 * MTRK_FULL: at its limit.  The same message again, by envid, certifier,
 * instance and queue id, is MTRK_OK and changes nothing.
 */
enum mtrk_err store_add(
    struct store *, const struct message *, unsigned wait_ms);

/* What a log line says about a queue id.  Borrowed. */
enum happening {
	HAPPENED_ACTION, /* to one recipient */
	HAPPENED_TO_ALL, /* the same, to all that still wait */
	HAPPENED_ONE_FAILED, /* somebody, if nobody is known to have failed */
	HAPPENED_MESSAGE_ID, /* `text` is the Message-ID */
	HAPPENED_FROM, /* it is on its way; `address` is its sender now */
	HAPPENED_NOTE, /* `text` is for people */
	HAPPENED_REFUSED, /* one recipient, by a milter: it isn't queued for him
			   */
	HAPPENED_ALIAS, /* `address` leads to one member more, `next` */
	HAPPENED_EXPANDED, /* `address` leads to several */
	/* It goes on under the queue id `next`: */
	HAPPENED_FORWARDED, /* one recipient, by the MTA's word */
	HAPPENED_REINJECTED, /* one recipient, by a remote's: see store_goes_on
			      */
	HAPPENED_REQUEUED, /* all; this queue id is free again */
	HAPPENED_SPLIT, /* some */
	HAPPENED_CLONED, /* the members of a list, whichever it was */
	HAPPENED_REMOVED, /* the queue id is free again */
	HAPPENED_DELETED, /* HAPPENED_TO_ALL, and then REMOVED */
};
struct happening_line {
	enum happening what;
	struct span instance, queue_id;
	int64_t time;
	struct span original, address; /* before aliasing (may be empty), now */
	bool member; /* `address` comes out of an alias, of nobody knows whom */
	bool untried; /* unknown here: a member, or whom a bounce can't reach */
	bool several; /* HAPPENED_FROM: it is for more than one */
	bool hidden; /* `address` is a program or file: nobody's business */
	enum action action;
	struct status status; /* of `action` */
	struct status logged; /* as the MTA said it */
	struct span remote_mta, remote_address, text;
	struct span service; /* that delivered it here, as the MTA calls it */
	struct span next; /* queue id; HAPPENED_ALIAS: a member */
	struct span next_instance; /* empty: the same */
	struct span more; /* of a list of addresses, ids or members */
};

/*
 * A collector's writes: begin, any number of steps, end.  In one thread; all
 * other writers wait meanwhile, so keep it short.  Either all is durable when
 * store_end() returns MTRK_OK, or nothing happened.
 */
struct txn store_begin(struct store *);
/* 1: it is there now, and if it was before, nothing was added; 0: no tracked
 * message has this queue id; -1: none of its recipients is meant (counted), or
 * the transaction has failed. */
int store_happened(struct txn *, const struct happening_line *);
/*
 * May HAPPENED_REINJECTED be believed?  `next` is the message again if it is
 * linked already, or if nobody claims it and its Message-ID, as the MTA logged
 * it, is ours.  Its lines count for our recipients' own addresses only, so
 * that a lying remote learns nothing of anybody's mail.
 */
bool store_goes_on(struct txn *, const struct happening_line *,
    struct span message_id_of_next);
/* A line of `program` about a tracked queue id that we don't understand. */
void store_not_understood(struct txn *, struct span program, struct span line);
void store_set_mark(struct txn *, const char *name, struct span value);
void store_count(struct txn *, const char *name, uint64_t more);
enum mtrk_err store_end(struct txn *);

/*
 * mtrk-gate's word for what a next hop took: `events` hold recipient, time,
 * action (transferred, relayed), status, remote_mta (the next hop, never the
 * gate itself), address if it was aliased, text; their kind becomes
 * EVENT_HANDED.  What the MTA's log tells later of the same attempt, that the
 * gate took it, changes none of that.  `m` is as store_find()
 * gave it: only number and envid are used, so a copy of those will do.  Returns
 * at once; MTRK_OK: told(arg, outcome) will be called, in another thread or by
 * store_close(), when it is durable or has failed. MTRK_NOTFOUND: the message
 * was purged.
 */
enum mtrk_err store_hand(struct store *, const struct message *m,
    const struct event *events, size_t n,
    void (*told)(void *arg, enum mtrk_err), void *arg);

/* What was there at one moment, for many questions; store_end() it soon. */
struct txn store_look(struct store *);
/* Does a message claim this queue id?  Cheap; in either kind of transaction. */
bool store_knows(struct txn *, struct span instance, struct span queue_id);
/* The newest message's number, though it was purged; 0: there never was one. */
uint64_t store_newest(struct txn *);
/* MTRK_NOTFOUND if it was never set. */
enum mtrk_err store_get_mark(struct store *, const char *name, struct buf *out);

/*
 * Call `each` with every message under a (decoded) envid, oldest first, until
 * it returns false; what it gets dies when it returns.  MTRK_OK even if there
 * is none; MTRK_CORRUPT, MTRK_FORMAT stop at the bad record.
 */
typedef bool store_each_fn(const struct message *, void *arg);
enum mtrk_err store_find(
    struct store *, struct span envid, store_each_fn, void *arg);
/* Of these, only those with this certifier; one that doesn't fit costs the
 * same time as none (A16). */
enum mtrk_err store_find_by(struct store *, struct span envid,
    const unsigned char certifier[CERTIFIER_LEN], store_each_fn, void *arg);
/* The first at or behind a number, without events.  Its number, 0: none. */
uint64_t store_message_at(
    struct txn *, uint64_t number, store_each_fn, void *arg);
/*
 * Every message, in the order of arrival.  `each` is not to wait for anybody:
 * pages that a reader may look at are not written again, and the store grows.
 * Now and then, and at the end, nobody looks, and `pause` may take its time;
 * false ends it.
 */
enum mtrk_err store_all(
    struct store *, store_each_fn, bool (*pause)(void *arg), void *arg);

/* Counters, by name; one example line for each that counts lines. */
enum mtrk_err store_counters(struct store *,
    void (*each)(struct span name, uint64_t value, void *arg), void *arg);
enum mtrk_err store_examples(struct store *,
    void (*each)(struct span name, struct span line, void *arg), void *arg);

/* A collector's lines that wait for their message, by a number that grows,
 * under the name of a log; see milter/waiting.h. */
void store_put_waiting(
    struct txn *, const char *log, uint64_t number, struct span line);
void store_drop_waiting(struct txn *, const char *log, uint64_t number);
/* The first at or behind *number. */
bool store_get_waiting(
    struct txn *, const char *log, uint64_t *number, struct span *line);

/*
 * Look at up to `steps` messages from *at (0: the oldest; 0 again at the
 * end) and remove those whose retention has passed at `now` and of whose
 * recipients none is still queued (S21a).  *removed counts them.
 */
enum mtrk_err store_purge(struct store *, const struct retention *, int64_t now,
    unsigned steps, uint64_t *at, unsigned *removed);

struct db *store_db(struct store *); /* for numbers, copies, readers */
enum { STORE_MESSAGES = 1, STORE_EVENTS = 2 }; /* places in db_numbers */

#endif
