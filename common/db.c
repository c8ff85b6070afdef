#include "common/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/db_private.h"
#include "common/log.h"

enum {
	READERS_MAX = 512, /* slots; ours */
	RESERVE_MIN = 1 << 20, /* octets kept for purging; ours */
	FULL_RETRY_S = 60, /* a full store is tried again this often */
	LOG_EVERY_S = 60,
	/* beside LMDB's and the system's own codes: */
	FILES_LOST = -1, /* db_lost_files() */
	LOCK_OF_ANOTHER = -2, /* data.mdb was replaced, and lock.mdb was not */
};

static enum mtrk_err
err_from_lmdb(int rc)
{
	static const struct {
		int rc;
		enum mtrk_err err;
	} table[] = {
		{ MDB_SUCCESS, MTRK_OK },
		{ MDB_NOTFOUND, MTRK_NOTFOUND },
		{ ENOENT, MTRK_NOTFOUND },
		{ MDB_MAP_FULL, MTRK_FULL },
		{ ENOSPC, MTRK_FULL },
		{ EDQUOT, MTRK_FULL },
		{ MDB_TXN_FULL, MTRK_FULL },
		{ MDB_READERS_FULL, MTRK_BUSY },
		{ MDB_MAP_RESIZED, MTRK_BUSY },
		{ MDB_VERSION_MISMATCH, MTRK_FORMAT },
		{ MDB_INVALID, MTRK_FORMAT },
		{ MDB_CORRUPTED, MTRK_CORRUPT },
		{ MDB_PAGE_NOTFOUND, MTRK_CORRUPT },
		{ ENOMEM, MTRK_NOMEM },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].rc == rc)
			return table[i].err;
	if (rc > 0)
		errno = rc;
	return MTRK_IO;
}

static size_t
map_bytes(const struct db *db)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t reserve = db->limit / 16;

	if (reserve < RESERVE_MIN)
		reserve = RESERVE_MIN;
	return (size_t)((db->limit + reserve) / page * page);
}

/* One that is there stays. */
static int
put_stamp(const struct db *db, MDB_txn *h)
{
	const struct db_stamp *s = &db->stamp;
	MDB_val key = { strlen(s->key), (void *)(uintptr_t)s->key };
	MDB_val value = { strlen(s->value), (void *)(uintptr_t)s->value };
	int rc = mdb_put(h, db->dbi[s->table], &key, &value, MDB_NOOVERWRITE);

	return rc == MDB_KEYEXIST ? 0 : rc;
}

static size_t
last_txnid(struct db *db)
{
	MDB_envinfo info;

	return mdb_env_info(db->env, &info) == 0 ? info.me_last_txnid : 0;
}

/*
 * lock.mdb tells the last transaction too, data.mdb first.  One of another
 * data.mdb, which was moved here while programs had the old one open, would
 * have us overwrite what is in use.
 */
static int
check_lock(struct db *db)
{
	size_t before = last_txnid(db), locked;
	MDB_txn *h;
	int rc;

	if ((h = db_begin(db, MDB_RDONLY, &rc)) == NULL)
		return rc;
	locked = mdb_txn_id(h);
	mdb_txn_abort(h);
	return locked + 1 >= before && locked <= last_txnid(db)
	    ? 0
	    : LOCK_OF_ANOTHER;
}

static int
open_tables(struct db *db, unsigned create)
{
	MDB_txn *h;
	int rc;

	if ((h = db_begin(db, create ? 0 : MDB_RDONLY, &rc)) == NULL)
		return rc;
	for (unsigned i = 0; rc == 0 && i < db->n_tables; i++)
		rc = mdb_dbi_open(h, db->tables[i], create, &db->dbi[i]);
	if (rc == 0 && create)
		rc = put_stamp(db, h);
	if (rc == 0)
		return mdb_txn_commit(h);
	mdb_txn_abort(h);
	return rc;
}

/* Tables are made with the stamp, in one transaction; where they are there, no
 * other writer is waited for. */
static int
find_tables(struct db *db)
{
	int rc = open_tables(db, 0);

	return rc == MDB_NOTFOUND && db->mode == DB_WRITE
	    ? open_tables(db, MDB_CREATE)
	    : rc;
}

static int
env_open(struct db *db)
{
	unsigned flags = MDB_NOTLS | (db->mode == DB_READ ? MDB_RDONLY : 0);
	int dead, rc;

	if (db->mode == DB_WRITE && (rc = db_reserve(db)) != 0)
		return rc;
	if ((rc = mdb_env_create(&db->env)) != 0)
		return rc;
	mdb_env_set_maxreaders(db->env, READERS_MAX);
	mdb_env_set_maxdbs(db->env, db->n_tables);
	if (db->mode == DB_WRITE &&
	    (rc = mdb_env_set_mapsize(db->env, map_bytes(db))) != 0)
		return rc;
	db_tell_unreadable(db);
	rc = mdb_env_open(db->env, db->dir, flags, 0660);
	if (rc == EBADF && db->mode == DB_READ)
		rc = ENOENT; /* an empty file, which it may not begin */
	if (rc != 0)
		return rc;
	if (db->mode == DB_WRITE)
		db_set_modes(db);
	db_know_files(db);
	mdb_reader_check(db->env, &dead);
	if ((rc = check_lock(db)) != 0)
		return rc;
	return find_tables(db);
}

static void
env_close(struct db *db)
{
	MDB_txn *spare = atomic_exchange(&db->spare, NULL);

	db_leave(db);
	if (spare != NULL)
		mdb_txn_abort(spare);
	if (db->env != NULL)
		mdb_env_close(db->env);
	db->env = NULL;
}

/* mdb_strerror() isn't safe for system errors from several threads. */
static void
explain(int rc, const struct db *db, char *why, size_t size)
{
	errno = rc;
	if (rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH)
		snprintf(why, size,
		    "%s/data.mdb is not a store of LMDB 0.9 (LMDB 1.0 and 0.9 "
		    "cannot read each other's files): this is %s",
		    db->dir, mdb_version(NULL, NULL, NULL));
	else if (rc == EACCES && db->mode == DB_READ)
		snprintf(why, size,
		    "%s: %m (a reader must be in the group of data.mdb and "
		    "lock.mdb, and needs write access to lock.mdb alone)",
		    db->dir);
	else if (rc == MDB_NOTFOUND || (rc == ENOENT && db->mode == DB_READ))
		snprintf(why, size,
		    "%s: there is no store yet (mtrk-milter makes it)",
		    db->dir);
	else if (rc == LOCK_OF_ANOTHER)
		snprintf(why, size,
		    "%s: data.mdb was replaced while programs had it open: "
		    "stop mtrk-milter, mtrk-collect, mtrk-gate and mtqpd, "
		    "then start them",
		    db->dir);
	else if (rc > 0)
		snprintf(why, size, "%s: %m", db->dir);
	else
		snprintf(why, size, "%s: %s", db->dir, mdb_strerror(rc));
}

static bool
prepare(struct db *db, const char *dir, const char *const *tables)
{
	while (tables[db->n_tables] != NULL) {
		db->tables[db->n_tables] = tables[db->n_tables];
		db->n_tables++;
	}
	return span_copy(db->dir, sizeof db->dir, span_of(dir));
}

enum mtrk_err
db_open(const char *dir, enum db_mode mode, const char *const *tables,
    struct db_stamp stamp, uint64_t limit, struct db **out, char *why,
    size_t why_size)
{
	struct db *db = calloc(1, sizeof *db);
	int rc = 0;

	*out = NULL;
	why[0] = '\0';
	if (db == NULL)
		return MTRK_NOMEM;
	pthread_rwlock_init(&db->map, NULL);
	db->mode = mode;
	db->limit = limit;
	db->stamp = stamp;
	if (!prepare(db, dir, tables)) {
		db_close(&db);
		return MTRK_TOOBIG;
	}
	if (mode == DB_WRITE && mkdir(dir, 0750) == -1 && errno != EEXIST)
		rc = errno;
	if (rc == 0)
		rc = env_open(db);
	if (rc != 0) {
		explain(rc, db, why, why_size);
		db_close(&db);
		return err_from_lmdb(rc);
	}
	*out = db;
	return MTRK_OK;
}

void
db_close(struct db **dbp)
{
	struct db *db = *dbp;

	*dbp = NULL;
	if (db == NULL)
		return;
	env_close(db);
	pthread_rwlock_destroy(&db->map);
	free(db);
}

struct txn
txn_read(struct db *db)
{
	struct txn t = { .db = db, .reading = true };
	int rc = 0;

	t.h = db_begin_reading(db, &rc);
	t.err = err_from_lmdb(rc);
	return t;
}

static size_t
last_page(struct db *db)
{
	MDB_envinfo info;

	return mdb_env_info(db->env, &info) == 0 ? info.me_last_pgno : 0;
}

/*
 * LMDB gives up for good when its meta page could not be written, and knows
 * nothing of files that were taken away.  What can't be opened again now is
 * tried again by the next one who writes.
 */
static bool
reopen(struct db *db, int *rc)
{
	static struct log_limit often;
	unsigned long missed;

	if ((*rc != MDB_PANIC && *rc != FILES_LOST && db->env != NULL) ||
	    pthread_rwlock_trywrlock(&db->map) != 0)
		return false;
	if (log_allow(&often, LOG_EVERY_S, &missed))
		log_err("event=store-reopen reason=\"%s\" missed=%lu",
		    *rc == FILES_LOST ? "its files were deleted or replaced"
				      : mdb_strerror(MDB_PANIC),
		    missed);
	env_close(db);
	if ((*rc = env_open(db)) != 0)
		env_close(db);
	pthread_rwlock_unlock(&db->map);
	return *rc == 0;
}

static MDB_txn *
begin_writing(struct db *db, int *rc)
{
	MDB_txn *h = db_begin(db, 0, rc);

	if (h == NULL || !db_lost_files(db))
		return h;
	mdb_txn_abort(h);
	*rc = FILES_LOST;
	return NULL;
}

struct txn
txn_write(struct db *db)
{
	struct txn t = { .db = db };
	int rc;

	t.h = begin_writing(db, &rc);
	if (db_take_map(db, rc) || reopen(db, &rc))
		t.h = begin_writing(db, &rc);
	t.err = err_from_lmdb(rc);
	if (t.h != NULL)
		db->pages_before = last_page(db);
	return t;
}

/* Past the limit only the reserve is left, and that is for purging: whoever
 * made the file grow there closes the door for a while. */
static void
watch_growth(struct db *db)
{
	size_t last = last_page(db);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	if (last > db->pages_before && last * page > db->limit)
		db->full_until_s = clock_s() + FULL_RETRY_S;
	else if (last == db->pages_before)
		db->full_until_s = 0;
}

enum mtrk_err
txn_end(struct txn *t)
{
	MDB_txn *h = t->h;

	t->h = NULL;
	if (h == NULL)
		return t->err;
	if (t->reading) {
		db_end_reading(t->db, h);
		return t->err;
	}
	if (t->err != MTRK_OK) {
		mdb_txn_abort(h);
		return t->err;
	}
	t->err = err_from_lmdb(mdb_txn_commit(h)); /* h is dead either way */
	if (t->err == MTRK_OK)
		watch_growth(t->db);
	return t->err;
}

static bool
got(struct txn *t, int rc)
{
	if (rc != 0 && rc != MDB_NOTFOUND)
		t->err = err_from_lmdb(rc);
	return rc == 0;
}

static MDB_val
val_of(struct span s)
{
	return (MDB_val){ s.n, (void *)(uintptr_t)s.p };
}

static struct span
span_of_val(MDB_val v)
{
	return (struct span){ v.mv_data, v.mv_size };
}

bool
txn_get(struct txn *t, unsigned table, struct span key, struct span *val)
{
	MDB_val k = val_of(key), v = { 0, NULL };

	if (t->err != MTRK_OK ||
	    !got(t, mdb_get(t->h, t->db->dbi[table], &k, &v)))
		return false;
	*val = span_of_val(v);
	return true;
}

enum seek { SEEK_AT_LEAST, SEEK_BEFORE, SEEK_LAST };

static int
cursor_seek(MDB_cursor *c, enum seek how, MDB_val *k, MDB_val *v)
{
	int rc;

	if (how == SEEK_LAST)
		return mdb_cursor_get(c, k, v, MDB_LAST);
	rc = mdb_cursor_get(c, k, v, MDB_SET_RANGE);
	if (how == SEEK_AT_LEAST || (rc != 0 && rc != MDB_NOTFOUND))
		return rc;
	return mdb_cursor_get(c, k, v, rc == 0 ? MDB_PREV : MDB_LAST);
}

static bool
seek(struct txn *t, unsigned table, enum seek how, struct span key,
    struct span found[2])
{
	MDB_val k = val_of(key), v = { 0, NULL };
	MDB_cursor *c;
	int rc;

	if (t->err != MTRK_OK ||
	    !got(t, mdb_cursor_open(t->h, t->db->dbi[table], &c)))
		return false;
	rc = cursor_seek(c, how, &k, &v);
	mdb_cursor_close(c);
	if (!got(t, rc))
		return false;
	found[0] = span_of_val(k);
	found[1] = span_of_val(v);
	return true;
}

void
txn_walk(struct txn *t, unsigned table, struct span from, txn_each_fn *each,
    void *arg)
{
	MDB_val k = val_of(from), v = { 0, NULL };
	MDB_cursor_op op = MDB_SET_RANGE;
	MDB_cursor *c;

	if (t->err != MTRK_OK ||
	    !got(t, mdb_cursor_open(t->h, t->db->dbi[table], &c)))
		return;
	while (got(t, mdb_cursor_get(c, &k, &v, op)) &&
	    each(span_of_val(k), span_of_val(v), arg))
		op = MDB_NEXT;
	mdb_cursor_close(c);
}

static bool
seek_out(struct txn *t, unsigned table, enum seek how, struct span key,
    struct span out[2], struct span *found, struct span *val)
{
	if (!seek(t, table, how, key, out))
		return false;
	*found = out[0];
	*val = out[1];
	return true;
}

bool
txn_at_least(struct txn *t, unsigned table, struct span key, struct span *found,
    struct span *val)
{
	struct span out[2];

	return seek_out(t, table, SEEK_AT_LEAST, key, out, found, val);
}

bool
txn_before(struct txn *t, unsigned table, struct span key, struct span *found,
    struct span *val)
{
	struct span out[2];

	return seek_out(t, table, SEEK_BEFORE, key, out, found, val);
}

bool
txn_last(struct txn *t, unsigned table, struct span *found, struct span *val)
{
	struct span out[2];

	return seek_out(t, table, SEEK_LAST, SPAN(""), out, found, val);
}

static void
put(struct txn *t, unsigned table, struct span key, struct span val,
    unsigned flags)
{
	MDB_val k = val_of(key), v = val_of(val);

	if (t->err == MTRK_OK)
		t->err = err_from_lmdb(
		    mdb_put(t->h, t->db->dbi[table], &k, &v, flags));
}

void
txn_put(struct txn *t, unsigned table, struct span key, struct span val)
{
	put(t, table, key, val, 0);
}

void
txn_append(struct txn *t, unsigned table, struct span key, struct span val)
{
	put(t, table, key, val, MDB_APPEND);
}

void
txn_delete(struct txn *t, unsigned table, struct span key)
{
	MDB_val k = val_of(key);

	if (t->err == MTRK_OK)
		got(t, mdb_del(t->h, t->db->dbi[table], &k, NULL));
}

void
txn_need_room(struct txn *t)
{
	long until = t->db->full_until_s;

	if (t->err == MTRK_OK && until != 0 && clock_s() < until)
		t->err = MTRK_FULL;
}

enum mtrk_err
db_numbers(struct db *db, struct db_numbers *out)
{
	struct txn t = txn_read(db);
	MDB_stat st;
	int rc = 0;

	*out = (struct db_numbers){ .limit_bytes = db->limit };
	for (unsigned i = 0; t.err == MTRK_OK && i < db->n_tables; i++) {
		if ((rc = mdb_stat(t.h, db->dbi[i], &st)) != 0)
			t.err = err_from_lmdb(rc);
		else
			out->used_bytes += st.ms_psize *
			    (st.ms_branch_pages + st.ms_leaf_pages +
				st.ms_overflow_pages);
		out->entries[i] = st.ms_entries;
	}
	out->file_bytes = (last_page(db) + 1) * (uint64_t)sysconf(_SC_PAGESIZE);
	return txn_end(&t);
}

unsigned
db_clear_dead_readers(struct db *db)
{
	int dead = 0;

	mdb_reader_check(db->env, &dead);
	return (unsigned)dead;
}

const char *
db_version(void)
{
	return mdb_version(NULL, NULL, NULL);
}
