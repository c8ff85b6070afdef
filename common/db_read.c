#include <errno.h>

#include "common/db_private.h"

/* What this thread read with, if the db lingers; open: it is not reset, and
 * the map is locked. */
static _Thread_local struct {
	MDB_txn *h;
	bool open;
} mine;

MDB_txn *
db_begin(struct db *db, unsigned flags, int *rc)
{
	MDB_txn *h = NULL;
	int dead = 0;

	*rc = EIO;
	if (db->env == NULL)
		return NULL;
	*rc = mdb_txn_begin(db->env, NULL, flags, &h);
	if (*rc == MDB_READERS_FULL && mdb_reader_check(db->env, &dead) == 0)
		*rc = mdb_txn_begin(db->env, NULL, flags, &h);
	return *rc == 0 ? h : NULL;
}

/* Another process has a larger map: take that over, if nobody here looks at
 * the old one. */
bool
db_take_map(struct db *db, int rc)
{
	if (rc != MDB_MAP_RESIZED || pthread_rwlock_trywrlock(&db->map) != 0)
		return false;
	mdb_env_set_mapsize(db->env, 0);
	pthread_rwlock_unlock(&db->map);
	return true;
}

/* Taking a slot in the reader table costs more than a lookup: the last
 * reader's is kept. */
static MDB_txn *
renew(struct db *db, int *rc)
{
	MDB_txn *h = mine.h;

	if (db->lingers)
		mine.h = NULL;
	else
		h = atomic_exchange(&db->spare, NULL);
	if (h != NULL && (*rc = mdb_txn_renew(h)) == 0)
		return h;
	if (h != NULL)
		mdb_txn_abort(h);
	return db_begin(db, MDB_RDONLY, rc);
}

/* The one that is open, if nothing was committed since it began. */
static MDB_txn *
take_open(struct db *db)
{
	MDB_txn *h = mine.h;
	MDB_envinfo info;

	if (!db->lingers || !mine.open)
		return NULL;
	if (mdb_env_info(db->env, &info) != 0 ||
	    info.me_last_txnid != mdb_txn_id(h)) {
		db_rest(db);
		return NULL;
	}
	mine.h = NULL;
	mine.open = false;
	return h;
}

MDB_txn *
db_begin_reading(struct db *db, int *rc)
{
	MDB_txn *h = take_open(db);

	*rc = 0;
	if (h != NULL)
		return h;
	pthread_rwlock_rdlock(&db->map);
	h = renew(db, rc);
	if (*rc == MDB_MAP_RESIZED) {
		pthread_rwlock_unlock(&db->map);
		db_take_map(db, *rc);
		pthread_rwlock_rdlock(&db->map);
		h = renew(db, rc);
	}
	if (h == NULL)
		pthread_rwlock_unlock(&db->map);
	return h;
}

void
db_end_reading(struct db *db, MDB_txn *h)
{
	MDB_txn *none = NULL;

	if (db->lingers && mine.h == NULL) {
		mine.h = h;
		mine.open = true;
		return;
	}
	mdb_txn_reset(h);
	if (db->lingers ||
	    !atomic_compare_exchange_strong(&db->spare, &none, h))
		mdb_txn_abort(h);
	pthread_rwlock_unlock(&db->map);
}

void
db_linger(struct db *db)
{
	db->lingers = true;
}

void
db_rest(struct db *db)
{
	if (!db->lingers || !mine.open)
		return;
	mdb_txn_reset(mine.h);
	mine.open = false;
	pthread_rwlock_unlock(&db->map);
}

void
db_leave(struct db *db)
{
	db_rest(db);
	if (!db->lingers || mine.h == NULL)
		return;
	mdb_txn_abort(mine.h);
	mine.h = NULL;
}
