#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/store_private.h"

enum { ALL_STEP = 500 }; /* messages in one read transaction; ours */

void
message_free(struct message *m)
{
	free(m->recipients);
	free(m->events);
	m->recipients = NULL;
	m->events = NULL;
}

static bool
get_message(
    struct txn *t, uint64_t number, struct span bytes, struct message *out)
{
	t->err = record_get_message(bytes, out);
	out->number = number;
	return t->err == MTRK_OK;
}

bool
load_message(struct txn *t, uint64_t number, struct message *out)
{
	struct number_key key = number_key(number);
	struct span bytes;

	*out = (struct message){ 0 };
	return txn_get(t, TABLE_MESSAGE, KEY(key), &bytes) &&
	    get_message(t, number, bytes, out);
}

/* Room for events as they are found, newest first. */
struct events {
	struct event_bytes *e;
	size_t n, room;
	struct event_bytes few[8]; /* most messages have no more */
};

static bool
events_grow(struct events *all)
{
	size_t room = 4 * all->room;
	struct event_bytes *e = calloc(room, sizeof *e);

	if (e == NULL)
		return false;
	memcpy(e, all->e, all->n * sizeof *e);
	if (all->e != all->few)
		free(all->e);
	all->e = e;
	all->room = room;
	return true;
}

/* A number that doesn't fall along the chain is a broken one. */
static enum mtrk_err
get_event(struct txn *t, uint64_t at, struct event_bytes *out)
{
	struct number_key key = number_key(at);
	struct span bytes;
	enum mtrk_err err;

	if (!txn_get(t, TABLE_EVENT, KEY(key), &bytes))
		return t->err != MTRK_OK ? t->err : MTRK_CORRUPT;
	err = record_get_event(bytes, out);
	return err == MTRK_OK && out->previous >= at ? MTRK_CORRUPT : err;
}

/* Backwards along the chain. */
static void
find_events(struct txn *t, uint64_t last, struct events *all)
{
	for (uint64_t at = last; at != 0; at = all->e[all->n++].previous) {
		t->err = all->n == all->room && !events_grow(all)
		    ? MTRK_NOMEM
		    : get_event(t, at, &all->e[all->n]);
		if (t->err != MTRK_OK)
			return;
	}
}

/* What an event has in common with the one before was not stored again. */
static void
keep_events(struct message *m, const struct events *all)
{
	const struct event *before = NULL;

	for (size_t i = 0; i < all->n; i++) {
		const struct event_bytes *from = &all->e[all->n - 1 - i];
		struct event *e = &m->events[i];

		*e = from->event;
		if (before != NULL && from->same_remote)
			e->remote_mta = before->remote_mta;
		if (before != NULL && from->same_text)
			e->text = before->text;
		if (e->kind == EVENT_MESSAGE_ID)
			m->message_id = e->text;
		before = e;
	}
	m->n_events = all->n;
}

static bool
load_events(struct txn *t, uint64_t last, struct message *m)
{
	struct events all;

	all.e = all.few;
	all.n = 0;
	all.room = ARRAY_LEN(all.few);
	find_events(t, last, &all);
	if (t->err == MTRK_OK && all.n > 0 &&
	    (m->events = calloc(all.n, sizeof *m->events)) == NULL)
		t->err = MTRK_NOMEM;
	if (t->err == MTRK_OK)
		keep_events(m, &all);
	if (all.e != all.few)
		free(all.e);
	return t->err == MTRK_OK;
}

struct last_event
last_event(struct txn *t, uint64_t message)
{
	struct number_key key = number_key(message);
	struct span state;

	if (!txn_get(t, TABLE_STATE, KEY(key), &state))
		return (struct last_event){ .in_order = true };
	return (struct last_event){ number_of(state), state.n == NUMBER_LEN };
}

bool
load_its_events(struct txn *t, struct message *m)
{
	return m->events != NULL ||
	    load_events(t, last_event(t, m->number).number, m);
}

bool
load_whole(struct txn *t, uint64_t number, struct message *out)
{
	return load_message(t, number, out) && load_its_events(t, out);
}

struct txn
store_look(struct store *st)
{
	return txn_read(st->db);
}

bool
store_knows(struct txn *t, struct span instance, struct span queue_id)
{
	struct index_key k = queue_key(instance, queue_id, 0);
	struct span found, none;

	return txn_at_least(t, TABLE_QUEUE, index_span(&k), &found, &none) &&
	    index_same(found, &k);
}

uint64_t
store_newest(struct txn *t)
{
	return next_number(t, TABLE_MESSAGE) - 1;
}

uint64_t
store_message_at(struct txn *t, uint64_t number, store_each_fn each, void *arg)
{
	struct number_key from = number_key(number);
	struct span key, value;
	struct message m;

	if (!txn_at_least(t, TABLE_MESSAGE, KEY(from), &key, &value))
		return 0;
	number = number_of(key);
	if (load_message(t, number, &m))
		each(&m, arg);
	message_free(&m);
	return number;
}

struct finding {
	struct txn *t;
	struct index_key key;
	struct span envid;
	const unsigned char *certifier; /* NULL: any */
	bool loaded;
	store_each_fn *each;
	void *arg;
};

/* Before anything else of the message is looked at: what a wrong secret costs
 * must not depend on how large the message is. */
static bool
certifier_fits(const struct finding *f, struct span bytes)
{
	struct span theirs;

	return f->certifier == NULL ||
	    (record_peek_certifier(bytes, &theirs) &&
		crypto_equal(theirs.p, f->certifier, CERTIFIER_LEN));
}

static bool
found_one(struct span key, struct span val, void *arg)
{
	struct finding *f = arg;
	uint64_t number = number_of(key);
	struct number_key at = number_key(number);
	struct message m = { 0 };
	struct span bytes;
	bool more = true;

	(void)val;
	if (!index_same(key, &f->key))
		return false;
	if (!txn_get(f->t, TABLE_MESSAGE, KEY(at), &bytes) ||
	    !certifier_fits(f, bytes))
		return f->t->err == MTRK_OK;
	f->loaded = true;
	if (get_message(f->t, number, bytes, &m) && load_its_events(f->t, &m) &&
	    span_eq(m.envid, f->envid))
		more = f->each(&m, f->arg);
	message_free(&m);
	return more && f->t->err == MTRK_OK;
}

/* A16: as much work as when there had been one. */
static void
load_in_vain(struct txn *t)
{
	struct span key, val;
	struct message m = { 0 };

	if (txn_last(t, TABLE_MESSAGE, &key, &val) &&
	    get_message(t, number_of(key), val, &m))
		(void)load_its_events(t, &m);
	message_free(&m);
}

static enum mtrk_err
find(struct store *st, struct span envid, const unsigned char *certifier,
    store_each_fn each, void *arg)
{
	struct txn t = txn_read(st->db);
	struct finding f = { &t, envid_key(envid, 0), envid, certifier, false,
		each, arg };

	txn_walk(&t, TABLE_ENVID, index_span(&f.key), found_one, &f);
	if (certifier != NULL && !f.loaded)
		load_in_vain(&t);
	return txn_end(&t);
}

enum mtrk_err
store_find_by(struct store *st, struct span envid,
    const unsigned char certifier[CERTIFIER_LEN], store_each_fn each, void *arg)
{
	return find(st, envid, certifier, each, arg);
}

enum mtrk_err
store_find(struct store *st, struct span envid, store_each_fn each, void *arg)
{
	return find(st, envid, NULL, each, arg);
}

/* Up to `step` messages from *at on; *at becomes 0 at the end. */
static bool
some(struct store *st, uint64_t *at, store_each_fn each, void *arg,
    enum mtrk_err *err)
{
	struct txn t = txn_read(st->db);
	struct span key, val;
	bool more = true;

	for (unsigned i = 0; more && i < ALL_STEP; i++) {
		struct number_key from = number_key(*at);
		struct message m;

		more = txn_at_least(&t, TABLE_MESSAGE, KEY(from), &key, &val);
		if (!more)
			break;
		*at = number_of(key);
		more = load_whole(&t, *at, &m) && each(&m, arg);
		message_free(&m);
		++*at;
	}
	*err = txn_end(&t);
	return more && *err == MTRK_OK;
}

enum mtrk_err
store_all(
    struct store *st, store_each_fn each, bool (*pause)(void *arg), void *arg)
{
	enum mtrk_err err = MTRK_OK;
	uint64_t at = 0;
	bool more;

	do
		more = some(st, &at, each, arg, &err);
	while (pause(arg) && more);
	return err;
}

static void
remove_message(struct txn *t, uint64_t number, const struct message *m)
{
	struct number_key key = number_key(number);
	struct index_key e = envid_key(m->envid, number);
	struct event_bytes ev = { 0 };
	struct span bytes;

	for (uint64_t at = last_event(t, number).number; at != 0;
	     at = ev.previous) {
		struct number_key k = number_key(at);

		ev = (struct event_bytes){ 0 };
		if (txn_get(t, TABLE_EVENT, KEY(k), &bytes) &&
		    record_get_event(bytes, &ev) == MTRK_OK &&
		    ev.event.kind == EVENT_LINK)
			free_claim(t, m->instance, ev.event.queue_id, number);
		txn_delete(t, TABLE_EVENT, KEY(k));
	}
	txn_delete(t, TABLE_ENVID, index_span(&e));
	free_claim(t, m->instance, m->queue_id, number);
	remove_members(t, number);
	txn_delete(t, TABLE_STATE, KEY(key));
	txn_delete(t, TABLE_MESSAGE, KEY(key));
}

/* The expired ones among up to `steps` messages from *at on. */
static unsigned
find_expired(struct store *st, const struct retention *r, int64_t now,
    unsigned steps, uint64_t *at, uint64_t *expired)
{
	struct txn t = txn_read(st->db);
	struct span key, val;
	unsigned n = 0;

	while (steps-- > 0) {
		struct number_key from = number_key(*at);
		struct message m;

		if (!txn_at_least(&t, TABLE_MESSAGE, KEY(from), &key, &val)) {
			*at = 0;
			break;
		}
		*at = number_of(key);
		if (load_whole(&t, *at, &m) && message_expired(&m, r, now))
			expired[n++] = *at;
		else if (t.err == MTRK_CORRUPT || t.err == MTRK_FORMAT)
			t.err = MTRK_OK; /* it stays; the others are read */
		message_free(&m);
		++*at;
	}
	txn_end(&t);
	return n;
}

enum mtrk_err
store_purge(struct store *st, const struct retention *r, int64_t now,
    unsigned steps, uint64_t *at, unsigned *removed)
{
	uint64_t *expired = calloc(steps, sizeof *expired);
	unsigned n;
	struct txn t;

	*removed = 0;
	if (expired == NULL)
		return MTRK_NOMEM;
	n = find_expired(st, r, now, steps, at, expired);
	if (n == 0) {
		free(expired);
		return MTRK_OK;
	}
	t = txn_write(st->db);
	keep_numbers(&t);
	for (unsigned i = 0; i < n; i++) {
		struct message m;

		/* again: an event may have come in between */
		if (load_whole(&t, expired[i], &m) &&
		    message_expired(&m, r, now))
			remove_message(&t, expired[i], &m);
		message_free(&m);
	}
	free(expired);
	*removed = n;
	return txn_end(&t);
}
