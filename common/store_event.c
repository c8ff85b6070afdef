/*
 * Events: how they are added, and mtrk-gate's.
 */
#include <stdlib.h>
#include <string.h>

#include "common/store_private.h"

enum { SAME_STEPS = 32 /* events looked back for a text; ours */ };

/* The event before, with what it has in common with those before it, as far
 * as SAME_STEPS goes: farther back it is worth storing again. */
void
load_before(struct txn *t, uint64_t number, struct event *out)
{
	bool remote = true, text = true; /* still looked for */

	for (unsigned i = 0; i < SAME_STEPS && number != 0; i++) {
		struct number_key key = number_key(number);
		struct event_bytes e;
		struct span bytes;

		if (!txn_get(t, TABLE_EVENT, KEY(key), &bytes) ||
		    record_get_event(bytes, &e) != MTRK_OK)
			return;
		if (remote && !e.same_remote)
			out->remote_mta = e.event.remote_mta;
		if (text && !e.same_text)
			out->text = e.event.text;
		remote = remote && e.same_remote;
		text = text && e.same_text;
		if (!remote && !text)
			return;
		number = e.previous;
	}
}

void
add_event(struct txn *t, uint64_t message, const struct event *e)
{
	struct number_key of = number_key(message), key;
	struct last_event last = last_event(t, message);
	struct event before = { 0 };
	struct buf record = BUF(RECORD_MAX);
	char state[1 + NUMBER_LEN] = { STATE_MIXED };
	bool in_order;

	if (has_event(t, last, e, &in_order))
		return;
	txn_need_room(t);
	load_before(t, last.number, &before);
	record_put_event(&record, e, &before, last.number);
	if (t->err == MTRK_OK)
		t->err = (enum mtrk_err)record.err;
	key = number_key(next_number(t, TABLE_EVENT));
	memcpy(state + 1, key.b, NUMBER_LEN);
	txn_append(t, TABLE_EVENT, KEY(key), buf_as_span(&record));
	txn_put(t, TABLE_STATE, KEY(of),
	    span_from((struct span){ state, sizeof state }, in_order ? 1 : 0));
	buf_free(&record);
}

/* Own copies: who asked does not wait. */
struct handed {
	void (*told)(void *arg, enum mtrk_err);
	void *arg;
	uint64_t message;
	char envid[ENVID_MAX + 1];
	size_t n;
	struct handed_event {
		struct event event;
		char remote[REMOTE_MAX + 1], address[ADDRESS_MAX + 1];
		char text[EVENT_TEXT_MAX + 1];
	} events[];
};

static struct span
keep(char *to, size_t size, struct span s)
{
	size_t n = s.n < size - 1 ? s.n : size - 1;

	if (n > 0)
		memcpy(to, s.p, n);
	return (struct span){ to, n };
}

static void
add_handed(struct txn *t, void *arg)
{
	const struct handed *h = arg;
	struct message m;

	/* purged meanwhile; the number may be another's by now */
	if (!load_message(t, h->message, &m) || !span_is(m.envid, h->envid)) {
		if (t->err == MTRK_OK)
			t->err = MTRK_NOTFOUND;
	} else {
		for (size_t i = 0; i < h->n; i++)
			add_event(t, h->message, &h->events[i].event);
	}
	message_free(&m);
}

static void
handed(void *arg, enum mtrk_err err)
{
	struct handed *h = arg;

	h->told(h->arg, err);
	free(h);
}

enum mtrk_err
store_hand(struct store *st, const struct message *m,
    const struct event *events, size_t n,
    void (*told)(void *arg, enum mtrk_err), void *arg)
{
	struct handed *h = calloc(1, sizeof *h + n * sizeof h->events[0]);
	enum mtrk_err err;

	if (h == NULL)
		return MTRK_NOMEM;
	h->told = told;
	h->arg = arg;
	h->message = m->number;
	h->n = n;
	span_copy(h->envid, sizeof h->envid, m->envid);
	for (size_t i = 0; i < n; i++) {
		struct handed_event *e = &h->events[i];

		e->event = events[i];
		e->event.kind = EVENT_HANDED;
		e->event.remote_mta =
		    keep(e->remote, sizeof e->remote, events[i].remote_mta);
		e->event.address =
		    keep(e->address, sizeof e->address, events[i].address);
		e->event.text = keep(e->text, sizeof e->text, events[i].text);
	}
	if ((err = group_post(st->group, add_handed, h, handed)) != MTRK_OK)
		free(h);
	return err;
}
