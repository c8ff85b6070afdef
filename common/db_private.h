/*
 * common/db_private.h -- what db.c and db_read.c share: LMDB's handles.
 */
#ifndef MTRK_COMMON_DB_PRIVATE_H
#define MTRK_COMMON_DB_PRIVATE_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/db.h"

enum { PATH_MAX_LEN = 1100 /* ours: a configured path is <= 1023 */ };

struct db {
	MDB_env *env; /* NULL: it could not be opened again */
	MDB_dbi dbi[DB_TABLES_MAX];
	const char *tables[DB_TABLES_MAX + 1];
	unsigned n_tables;
	struct db_stamp stamp;
	char dir[PATH_MAX_LEN];
	enum db_mode mode;
	uint64_t limit;
	pthread_rwlock_t map; /* read by read transactions; moved by none */
	_Atomic(MDB_txn *) spare; /* one that was read with, reset */
	bool lingers;
	atomic_long full_until_s; /* monotonic; 0: not full */
	size_t pages_before; /* of the write transaction that is open */
};

/* NULL, and LMDB says why. */
MDB_txn *db_begin(struct db *, unsigned flags, int *rc);
/* After MDB_MAP_RESIZED; true: try again. */
bool db_take_map(struct db *, int rc);
MDB_txn *db_begin_reading(struct db *, int *rc);
void db_end_reading(struct db *, MDB_txn *);

#endif
