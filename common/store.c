/*
 * The folder holds data.mdb and lock.mdb, an LMDB 0.9 environment, with these
 * tables.  Numbers in keys are big-endian; a message's and an event's number
 * has 6 bytes.
 *
 *	meta	"format"		"mtrk 1": a reader refuses another
 *		"mark:" name		how far a log was read; its owner's
 *		"count:" name		8 bytes, big-endian
 *		"last:message"		6 bytes: no number up to this one is
 *		"last:event"		given again, though it was purged
 *	message	number			record.c's message; never changed
 *	event	number			record.c's event, the newest last; each
 *					names the one before of its message
 *	state	message's number	its newest event's number, 6 bytes; a
 *					byte of 1 before it if its events are
 *					not in the order of time, give or take
 *					a second; absent: it has none
 *	envid	begin, hash, number	no bytes.  begin: the first 9 octets of
 *					the decoded envid, NULs behind; hash:
 *					the first 5 bytes of SHA-1(decoded
 *					envid).  It only finds candidates, the
 *					record is asked
 *	queue	instance, NUL, queue	no bytes: this message claims the
 *		id, NUL, number		queue id.  13 bytes: it goes on under
 *					it; store_link.c tells them.  Removed
 *					when the MTA frees the id
 *	member	message's number,	4 bytes a recipient, big-endian: the
 *		address in lower case	indexes of those whose alias led there
 *	waiting	log's name, NUL, 8	a line about a queue id that nobody
 *		bytes			claims yet; milter/waiting.c's
 *
 * Messages and events are written behind all others and never grow, so that
 * pages fill whole.
 */
#include "common/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/store_private.h"

static const char *const tables[] = {
	[TABLE_META] = "meta",
	[TABLE_MESSAGE] = "message",
	[TABLE_EVENT] = "event",
	[TABLE_STATE] = "state",
	[TABLE_ENVID] = "envid",
	[TABLE_QUEUE] = "queue",
	[TABLE_MEMBER] = "member",
	[TABLE_WAITING] = "waiting",
	NULL,
};
static const char format[] = "mtrk 1";

enum {
	ENVID_BEGIN_LEN = 9, /* mtrk-track's time stamp */
	ENVID_HASH_LEN = 5,
};

struct number_key
number_key(uint64_t n)
{
	struct number_key k;

	big_put(k.b, n, NUMBER_LEN);
	return k;
}

uint64_t
number_of(struct span s)
{
	size_t n = s.n < NUMBER_LEN ? s.n : NUMBER_LEN;

	return big_get(s.p + (s.n - n), n);
}

static void
index_add(struct index_key *k, struct span s)
{
	if (s.n > INDEX_MAX - k->n)
		s.n = INDEX_MAX - k->n; /* too long was refused before */
	memcpy(k->b + k->n, s.p, s.n);
	k->n += s.n;
}

/*
 * Senders number upwards too, so the beginning puts neighbours on the same
 * pages: sixteen messages in one commit touch a page or two instead of
 * sixteen.  A hash instead of the rest keeps it small.
 */
struct index_key
envid_key(struct span envid, uint64_t message)
{
	char begin[ENVID_BEGIN_LEN] = { 0 };
	unsigned char hash[CERTIFIER_LEN] = { 0 };
	struct number_key n = number_key(message);
	struct index_key k = { 0 };

	memcpy(begin, envid.p, envid.n < sizeof begin ? envid.n : sizeof begin);
	index_add(&k, (struct span){ begin, sizeof begin });
	crypto_sha1(envid.p, envid.n, hash);
	index_add(&k, (struct span){ (const char *)hash, ENVID_HASH_LEN });
	index_add(&k, KEY(n));
	return k;
}

/* As they are: MTAs number upwards, and neighbours share pages. */
struct index_key
queue_key(struct span instance, struct span queue_id, uint64_t message)
{
	struct number_key n = number_key(message);
	struct index_key k = { 0 };

	index_add(&k, instance);
	index_add(&k, (struct span){ "", 1 });
	index_add(&k, queue_id);
	index_add(&k, (struct span){ "", 1 });
	index_add(&k, KEY(n));
	return k;
}

struct span
index_span(const struct index_key *k)
{
	return (struct span){ k->b, k->n };
}

bool
index_same(struct span found, const struct index_key *k)
{
	return found.n == k->n && memcmp(found.p, k->b, k->n - NUMBER_LEN) == 0;
}

/* Nobody works on another format than that of the folder's first writer. */
static enum mtrk_err
check_format(struct db *db, char *why)
{
	struct txn t = txn_read(db);
	struct span found = { 0 };
	char q[64];

	(void)txn_get(&t, TABLE_META, SPAN("format"), &found);
	if (t.err == MTRK_OK && !span_is(found, format)) {
		snprintf(why, STORE_WHY_MAX,
		    "the store's format is \"%s\" and this program's is \"%s\"",
		    log_quote(found, q, sizeof q), format);
		t.err = MTRK_FORMAT;
	}
	return txn_end(&t);
}

enum mtrk_err
store_open(const char *dir, enum store_mode mode, uint64_t limit,
    struct store **out, char *why)
{
	static const struct db_stamp stamp = { TABLE_META, "format", format };
	struct store *st = calloc(1, sizeof *st);
	enum mtrk_err err = MTRK_NOMEM;

	*out = NULL;
	snprintf(why, STORE_WHY_MAX, "out of memory");
	if (st != NULL)
		err = db_open(dir, mode == STORE_WRITE ? DB_WRITE : DB_READ,
		    tables, stamp, limit, &st->db, why, STORE_WHY_MAX);
	if (err == MTRK_OK)
		err = check_format(st->db, why);
	if (err == MTRK_OK && mode == STORE_WRITE &&
	    (st->group = group_new(st->db)) == NULL)
		err = MTRK_NOMEM;
	if (err != MTRK_OK) {
		if (why[0] == '\0')
			snprintf(why, STORE_WHY_MAX, "%s: %s", dir,
			    mtrk_err_text(err));
		store_close(&st);
	}
	*out = st;
	return err;
}

void
store_close(struct store **stp)
{
	struct store *st = *stp;

	*stp = NULL;
	if (st == NULL)
		return;
	group_free(&st->group);
	db_close(&st->db);
	free(st);
}

struct db *
store_db(struct store *st)
{
	return st->db;
}

static const char *const last_keys[] = {
	[TABLE_MESSAGE] = "last:message",
	[TABLE_EVENT] = "last:event",
};

uint64_t
next_number(struct txn *t, enum store_table table)
{
	struct span key, val;
	uint64_t last = txn_last(t, table, &key, &val) ? number_of(key) : 0;

	if (txn_get(t, TABLE_META, span_of(last_keys[table]), &val) &&
	    number_of(val) > last)
		last = number_of(val);
	return last + 1;
}

void
keep_numbers(struct txn *t)
{
	for (size_t i = 0; i < ARRAY_LEN(last_keys); i++)
		if (last_keys[i] != NULL) {
			struct number_key last =
			    number_key(next_number(t, (enum store_table)i) - 1);

			txn_put(
			    t, TABLE_META, span_of(last_keys[i]), KEY(last));
		}
}

/* A message's record, ready to be written, and what its indexes need. */
struct new_message {
	struct buf record;
	int64_t arrival;
	unsigned char certifier[CERTIFIER_LEN];
	char envid[ENVID_MAX + 1];
	char instance[QUEUE_ID_LEN_MAX + 1];
	char queue_id[QUEUE_ID_LEN_MAX + 1];
};

static void
new_message_drop(void *arg)
{
	struct new_message *n = arg;

	buf_free(&n->record);
	free(n);
}

/* Does the newest claim on the queue id belong to this very message? */
static bool
is_there(struct txn *t, const struct new_message *n)
{
	struct message old = { 0 };
	struct claim c;
	bool same = find_claim(t, span_of(n->instance), span_of(n->queue_id),
			INT64_MAX, &c, &old) &&
	    !c.linked && span_is(old.envid, n->envid) &&
	    crypto_equal(old.certifier, n->certifier, CERTIFIER_LEN);

	message_free(&old);
	return same;
}

static void
add_message(struct txn *t, void *arg)
{
	struct new_message *n = arg;
	struct number_key key;
	struct index_key by_envid, by_queue;
	uint64_t number;

	txn_need_room(t);
	if (is_there(t, n))
		return;
	number = next_number(t, TABLE_MESSAGE);
	key = number_key(number);
	by_envid = envid_key(span_of(n->envid), number);
	by_queue =
	    queue_key(span_of(n->instance), span_of(n->queue_id), number);
	txn_append(t, TABLE_MESSAGE, KEY(key), buf_as_span(&n->record));
	txn_put(t, TABLE_ENVID, index_span(&by_envid), SPAN(""));
	txn_put(t, TABLE_QUEUE, index_span(&by_queue), SPAN(""));
}

enum mtrk_err
store_add(struct store *st, const struct message *m, unsigned wait_ms)
{
	struct new_message *n = calloc(1, sizeof *n);

	if (n == NULL)
		return MTRK_NOMEM;
	n->record = BUF(RECORD_MAX);
	n->arrival = m->arrival;
	memcpy(n->certifier, m->certifier, CERTIFIER_LEN);
	record_put_message(&n->record, m);
	if (n->record.err != MTRK_OK ||
	    !span_copy(n->envid, sizeof n->envid, m->envid) ||
	    !span_copy(n->instance, sizeof n->instance, m->instance) ||
	    !span_copy(n->queue_id, sizeof n->queue_id, m->queue_id)) {
		enum mtrk_err err =
		    n->record.err == MTRK_NOMEM ? MTRK_NOMEM : MTRK_TOOBIG;

		new_message_drop(n);
		return err;
	}
	return group_commit(
	    st->group, add_message, n, new_message_drop, wait_ms);
}

struct txn
store_begin(struct store *st)
{
	return txn_write(st->db);
}

enum mtrk_err
store_end(struct txn *t)
{
	return txn_end(t);
}

void
store_set_mark(struct txn *t, const char *name, struct span value)
{
	char key[NAME_MAX_LEN];

	if (t->err == MTRK_OK && value.n > MARK_MAX)
		t->err = MTRK_TOOBIG;
	txn_put(t, TABLE_META, meta_key(key, "mark", name), value);
}

enum mtrk_err
store_get_mark(struct store *st, const char *name, struct buf *out)
{
	char key[NAME_MAX_LEN];
	struct txn t = txn_read(st->db);
	struct span v;
	bool found = txn_get(&t, TABLE_META, meta_key(key, "mark", name), &v);
	enum mtrk_err err;

	if (found)
		buf_span(out, v);
	err = txn_end(&t);
	return err == MTRK_OK && !found ? MTRK_NOTFOUND : err;
}
