/*
 * common/db.h -- the one door to LMDB: one environment in one folder, tables
 * of byte strings, and transactions in which failure sticks.
 *
 * Any number of readers and one writer at a time, across processes.  Open an
 * environment once per process, after fork().  What a transaction lends dies
 * with it.  data.mdb is 0640 and lock.mdb 0660: a reader in the folder's
 * group needs to write the lock file and nothing else.
 */
#ifndef MTRK_COMMON_DB_H
#define MTRK_COMMON_DB_H

#include "common/err.h"
#include "common/span.h"

struct db;
enum db_mode { DB_READ, DB_WRITE };
enum { DB_TABLES_MAX = 16, DB_KEY_MAX = 511 };

/* What a new folder says of itself, written with its tables. */
struct db_stamp {
	unsigned table;
	const char *key, *value;
};

/*
 * `tables` are their names, ended by NULL; a table's number is its place.
 * `limit` octets are what the data may grow to; a sixteenth more is kept so
 * that a full store can still be purged.  Only DB_WRITE creates folder
 * (0750), files and tables.  On failure *out is NULL and `why` tells, for
 * people.  MTRK_NOTFOUND: no store there; MTRK_FORMAT: not LMDB's or another
 * LMDB version's; MTRK_IO.
 */
enum mtrk_err db_open(const char *dir, enum db_mode, const char *const *tables,
    struct db_stamp, uint64_t limit, struct db **out, char *why,
    size_t why_size);
void db_close(struct db **);

struct txn {
	struct db *db;
	void *h;
	bool reading;
	enum mtrk_err
	    err; /* the first failure sticks; later calls do nothing */
};

struct txn txn_read(struct db *);
/* In the calling thread, alone among all processes until txn_end(). */
struct txn txn_write(struct db *);
/* Commit a write if nothing failed, else undo; either way it is over.  The
 * first failure: MTRK_IO, MTRK_FULL, MTRK_BUSY (no slot for a reader),
 * MTRK_CORRUPT, MTRK_FORMAT, MTRK_NOMEM. */
enum mtrk_err txn_end(struct txn *);

/*
 * For threads that look up much in the one store of their process: what
 * txn_end() ends stays open, so that the same thread's next txn_read() is cheap
 * if nothing was written since; it always sees what was.  A thread calls
 * db_rest() before it waits for anything, since pages that a reader may look at
 * are not written again, and db_leave() before it ends.
 */
void db_linger(struct db *); /* once, before there are threads */
void db_rest(struct db *);
void db_leave(struct db *);

/* False: there is none, or the transaction has failed. */
bool txn_get(struct txn *, unsigned table, struct span key, struct span *val);
/* The first entry at or behind `key`; the last one before it. */
bool txn_at_least(struct txn *, unsigned table, struct span key,
    struct span *found, struct span *val);
bool txn_before(struct txn *, unsigned table, struct span key,
    struct span *found, struct span *val);
bool txn_last(
    struct txn *, unsigned table, struct span *found, struct span *val);
/* Every entry at or behind `from`, in order, until each() returns false; it
 * may look things up, but not write. */
typedef bool txn_each_fn(struct span key, struct span val, void *arg);
void txn_walk(
    struct txn *, unsigned table, struct span from, txn_each_fn *, void *arg);
void txn_put(struct txn *, unsigned table, struct span key, struct span val);
/* The same for a key behind all others: fills pages whole. */
void txn_append(struct txn *, unsigned table, struct span key, struct span val);
void txn_delete(struct txn *, unsigned table, struct span key);
/* MTRK_FULL sticks if the store is at its limit: ask before adding. */
void txn_need_room(struct txn *);

struct db_numbers {
	uint64_t entries[DB_TABLES_MAX];
	uint64_t used_bytes; /* pages in use by the tables */
	uint64_t file_bytes; /* data.mdb's end */
	uint64_t limit_bytes;
};
/* Octets.  Outcomes as txn_end(). */
enum mtrk_err db_numbers(struct db *, struct db_numbers *out);
/*
 * Were its files deleted, or has the folder others by now?  Who writes sees to
 * that by itself, and works on what the folder has; a reader goes on with what
 * it has open.
 */
bool db_lost_files(const struct db *);
/* Slots of readers that died are given back; how many. */
unsigned db_clear_dead_readers(struct db *);
const char *db_version(void);

#endif
