/*
 * common/db_private.h -- what db.c, db_files.c and db_read.c share: LMDB's
 * handles.
 */
#ifndef MTRK_COMMON_DB_PRIVATE_H
#define MTRK_COMMON_DB_PRIVATE_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "common/db.h"

enum { PATH_MAX_LEN = 1100 /* ours: a configured path is <= 1023 */ };

enum { DB_DATA, DB_LOCK, DB_FILES };
struct db_file {
	dev_t dev;
	ino_t ino;
};

struct db {
	MDB_env *env; /* NULL: it could not be opened again */
	MDB_dbi dbi[DB_TABLES_MAX];
	const char *tables[DB_TABLES_MAX + 1];
	unsigned n_tables;
	struct db_stamp stamp;
	char dir[PATH_MAX_LEN];
	struct db_file files[DB_FILES]; /* those that are open */
	enum db_mode mode;
	uint64_t limit;
	pthread_rwlock_t map; /* read by read transactions; moved by none */
	_Atomic(MDB_txn *) spare; /* one that was read with, reset */
	bool lingers;
	atomic_long full_until_s; /* monotonic; 0: not full */
	size_t pages_before; /* of the write transaction that is open */
};

/* The owner can; for anybody else the modes are as the owner left them. */
void db_set_modes(const struct db *);
/*
 * Room for what LMDB makes of a new folder, before it begins: without it, it
 * leaves half a data.mdb behind, which it can't read, and dies of SIGBUS when
 * it uses a lock.mdb that the disk has no room for.  Before it opens them:
 * closing a file frees the locks on it.
 */
int db_reserve(const struct db *);
/*
 * LMDB reads data.mdb through a map.  What can't be read there, behind the end
 * of a file that was cut off, or on a disk that fails, is SIGBUS to whoever
 * looks: from now on the process says so, and ends with 74 (EX_IOERR).
 */
void db_tell_unreadable(const struct db *);
/* Right after they were opened. */
void db_know_files(struct db *);

/* NULL, and LMDB says why. */
MDB_txn *db_begin(struct db *, unsigned flags, int *rc);
/* After MDB_MAP_RESIZED; true: try again. */
bool db_take_map(struct db *, int rc);
MDB_txn *db_begin_reading(struct db *, int *rc);
void db_end_reading(struct db *, MDB_txn *);

#endif
