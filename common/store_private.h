/*
 * common/store_private.h -- what store.c and store_read.c share.
 */
#ifndef MTRK_COMMON_STORE_PRIVATE_H
#define MTRK_COMMON_STORE_PRIVATE_H

#include "common/group.h"
#include "common/store.h"

enum store_table {
	TABLE_META,
	TABLE_MESSAGE = STORE_MESSAGES,
	TABLE_EVENT = STORE_EVENTS,
	TABLE_STATE,
	TABLE_ENVID,
	TABLE_QUEUE,
	TABLE_MEMBER,
	TABLE_WAITING,
};

enum {
	NUMBER_LEN = 6,
	STATE_MIXED = 1, /* before the number: not in the order of time */
	INDEX_MAX = 2 * (QUEUE_ID_LEN_MAX + 1) + NUMBER_LEN,
	NAME_MAX_LEN = 128,
	RECORD_MAX = 64 << 20, /* octets of one record; ours */
};
#define NUMBER_MAX ((1ull << 48) - 1)

struct store {
	struct db *db;
	struct group *group; /* NULL when reading */
};

/* Numbers of messages and events as keys: 6 bytes, big-endian. */
struct number_key {
	char b[NUMBER_LEN];
};
struct number_key number_key(uint64_t);
uint64_t number_of(struct span); /* of at least 6 bytes: the last six */
#define KEY(k) ((struct span){ (k).b, sizeof(k).b })

/* What is indexed, and a message's number behind it. */
struct index_key {
	size_t n;
	char b[INDEX_MAX];
};
struct index_key envid_key(struct span envid, uint64_t message);
struct index_key queue_key(
    struct span instance, struct span queue_id, uint64_t message);
struct span index_span(const struct index_key *);
/* True if both index the same. */
bool index_same(struct span found, const struct index_key *);

/* The number for one more message or event: behind all that there ever were. */
uint64_t next_number(struct txn *, enum store_table);
/* Before any of them go. */
void keep_numbers(struct txn *);
/* "kind:name", cut to its place. */
struct span meta_key(
    char buf[NAME_MAX_LEN], const char *kind, const char *name);

/* Message `number` without events; recipients are the caller's to free. */
bool load_message(struct txn *, uint64_t number, struct message *out);
/* Its events and Message-ID, unless it has them; message_free() it. */
bool load_its_events(struct txn *, struct message *);
/* Both. */
bool load_whole(struct txn *, uint64_t number, struct message *out);
void message_free(struct message *);

/* Its newest event's number, 0: it has none; and whether the times of all of
 * them rise. */
struct last_event {
	uint64_t number;
	bool in_order;
};
struct last_event last_event(struct txn *, uint64_t message);
/* Unless it is there already. */
void add_event(struct txn *, uint64_t message, const struct event *);
bool has_event(
    struct txn *, struct last_event, const struct event *, bool *in_order);
/* What the event at `number` has in common with those before it. */
void load_before(struct txn *, uint64_t number, struct event *out);

/* A message's claim on a queue id: the milter's, or one that the log made. */
struct claim {
	uint64_t message;
	bool linked; /* the rest is for these only */
	bool list; /* of a list: whoever it leads to is a member */
	uint32_t recipient; /* whose way goes on; EVENT_ALL, EVENT_SOMEONE */
	int64_t since;
};
/* Who claimed a queue id at `time`?  Its record goes to *out, recipients the
 * caller's to free.  False: nobody.  In a transaction that writes: what
 * messages that were purged have left is removed. */
bool find_claim(struct txn *, struct span instance, struct span queue_id,
    int64_t time, struct claim *, struct message *out);
/* Make or change the link; free a claim of either kind. */
void put_link(struct txn *, struct span instance, struct span queue_id,
    const struct claim *);
void free_claim(
    struct txn *, struct span instance, struct span queue_id, uint64_t message);

/* Members of aliases: `address` is one of `recipient`'s. */
void add_member(
    struct txn *, uint64_t message, struct span address, uint32_t recipient);
enum { MEMBER_OF_MAX = 16 /* recipients that share a member; ours */ };
/* Whose it is; how many. */
size_t find_member(struct txn *, uint64_t message, struct span address,
    uint32_t recipients[MEMBER_OF_MAX]);
/* Links and members of a message that goes. */
void remove_members(struct txn *, uint64_t message);

#endif
