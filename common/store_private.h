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
};

enum { NUMBER_LEN = 6, INDEX_LEN = 8 + NUMBER_LEN, NAME_MAX_LEN = 128 };
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

/* A hash, big-endian, and a message's number. */
struct index_key {
	char b[INDEX_LEN];
};
struct index_key envid_key(struct span envid, uint64_t message);
struct index_key queue_key(
    struct span instance, struct span queue_id, uint64_t message);
/* True if both are of the same hash. */
bool index_same(struct span found, const struct index_key *);

/* Message `number` without events; recipients are the caller's to free. */
bool load_message(struct txn *, uint64_t number, struct message *out);
/* And its events and Message-ID; message_free() them. */
bool load_whole(struct txn *, uint64_t number, struct message *out);
void message_free(struct message *);

/* The number of the message that claims a queue id at `time`; 0: none.
 * Its record goes to *out, recipients the caller's to free. */
uint64_t find_claim(struct txn *, struct span instance, struct span queue_id,
    int64_t time, struct message *out);

#endif
