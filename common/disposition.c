#include "common/disposition.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	bool end;
	bool attempt; /* there is no such end without an attempt (T18) */
} actions[ACTION_COUNT] = {
	[ACTION_DELIVERED] = { true, true },
	[ACTION_EXPANDED] = { true, true },
	[ACTION_RELAYED] = { true, true },
	[ACTION_TRANSFERRED] = { true, true },
	[ACTION_DELAYED] = { false, false },
	[ACTION_FAILED] = { true, false },
	[ACTION_OPAQUE] = { true, false },
};

bool
action_is_end(enum action a)
{
	return (unsigned)a < ACTION_COUNT && actions[a].end;
}

static bool
is_attempt(enum action a)
{
	return (unsigned)a < ACTION_COUNT && actions[a].attempt;
}

/* A walk along the events of one recipient. */
struct walk {
	const struct message *m;
	uint32_t recipient;
	struct span own;
	bool by_gate; /* the last word was mtrk-gate's */
	bool list; /* the MTA said that it was expanded */
	bool several; /* or it went to more than one address */
	bool anywhere; /* it went to `final` */
	struct span queue_id; /* where he is; empty: the message's own */
};

/* Does it name him -- or `plainly`, by his own address? */
static bool
names(const struct event *e, uint32_t recipient, bool plainly)
{
	return e->recipient == recipient && e->kind != EVENT_NOTE &&
	    (!plainly || (e->address.n == 0 && e->action != ACTION_EXPANDED));
}

/* Which recipients does no event name?  How many. */
static size_t
unnamed(const struct message *m, bool plainly, bool *none)
{
	size_t n = m->n_recipients;

	memset(none, true, m->n_recipients);
	for (size_t i = 0; i < m->n_events; i++) {
		uint32_t r = m->events[i].recipient;

		if (r < m->n_recipients && none[r] &&
		    names(&m->events[i], r, plainly)) {
			none[r] = false;
			n--;
		}
	}
	return n;
}

/*
 * Whom can that have befallen which befell somebody?  Whom no event names.  If
 * all are named, it is one more member of an alias: of the only recipient who
 * was told of by members alone.  The caller's to free; NULL: no memory.
 */
static bool *
may_be_someone(const struct message *m, size_t *n)
{
	bool *may = malloc(m->n_recipients + 1);

	*n = 0;
	if (may == NULL || (*n = unnamed(m, false, may)) > 0)
		return may;
	*n = unnamed(m, true, may);
	if (*n > 1) {
		*n = 0;
		memset(may, false, m->n_recipients);
	}
	return may;
}

enum someone { SOMEONE_ELSE, SOMEONE_HE, SOMEONE_PERHAPS };

/* Did what befell somebody befall him? */
static enum someone
is_someone(const struct message *m, uint32_t recipient)
{
	size_t n;
	bool *may = may_be_someone(m, &n);
	enum someone is = SOMEONE_ELSE;

	if (may != NULL && may[recipient])
		is = n == 1 ? SOMEONE_HE : SOMEONE_PERHAPS;
	free(may);
	return is;
}

bool
event_is_of(const struct message *m, const struct event *e, uint32_t recipient)
{
	if (e->kind == EVENT_MESSAGE_ID)
		return false;
	if (e->recipient != EVENT_SOMEONE)
		return e->recipient == recipient || e->recipient == EVENT_ALL;
	return is_someone(m, recipient) != SOMEONE_ELSE;
}

static bool
tells_of_someone(const struct message *m)
{
	for (size_t i = 0; i < m->n_events; i++)
		if (m->events[i].recipient == EVENT_SOMEONE &&
		    m->events[i].kind == EVENT_ACTION)
			return true;
	return false;
}

/* Has something that befell somebody ended his way: the last of it, or any? */
static bool
someone_ended(const struct message *m, bool any)
{
	for (size_t i = m->n_events; i > 0; i--) {
		const struct event *e = &m->events[i - 1];

		if (e->recipient != EVENT_SOMEONE || e->kind != EVENT_ACTION)
			continue;
		if (action_is_end(e->action))
			return true;
		if (!any)
			return false;
	}
	return false;
}

/* EVENT_ALL means whoever still waits at that point, under that queue id. */
static bool
concerns(const struct walk *w, const struct event *e, bool someone, bool ended)
{
	switch (e->kind) {
	case EVENT_ACTION:
	case EVENT_HANDED:
		if (e->recipient == EVENT_ALL)
			return !ended && span_eq(e->queue_id, w->queue_id);
		break;
	case EVENT_LINK:
		if (e->recipient == EVENT_ALL)
			return !ended;
		return e->recipient == w->recipient;
	default:
		return false;
	}
	return e->recipient == w->recipient ||
	    (e->recipient == EVENT_SOMEONE && someone);
}

/*
 * Has the gate told of this attempt already?  To the MTA the gate is just a
 * next hop, so its log says "relayed", or over LMTP "delivered" (T23), and to
 * whom: to the gate.
 */
static bool
gate_knows(
    const struct walk *w, const struct disposition *d, const struct event *e)
{
	if (!w->by_gate || e->kind == EVENT_HANDED || e->recipient == EVENT_ALL)
		return false;
	return e->action == d->action ||
	    (d->action == ACTION_TRANSFERRED &&
		(e->action == ACTION_RELAYED || e->action == ACTION_DELIVERED));
}

/*
 * It goes on under another queue id: that is an attempt, and no end.  What
 * befell him there may have been told first: one line a recipient leads there,
 * and the first is enough to find what the others wait for.
 */
static void
take_link(struct walk *w, struct disposition *d, const struct event *e)
{
	if (span_eq(e->queue_id, w->queue_id))
		return;
	if (!action_is_end(d->action))
		w->anywhere = false;
	d->action = ACTION_DELAYED;
	d->status = STATUS(4, 0, 0);
	d->remote_mta = SPAN("");
	if (e->recipient != EVENT_ALL)
		d->last_attempt = e->time;
	w->queue_id = e->queue_id;
	w->by_gate = false;
}

/* Where it went.  A delay at the alias itself is not yet anywhere. */
static void
take_place(struct walk *w, struct disposition *d, const struct event *e)
{
	struct span to = e->address.n > 0 ? e->address : w->own;

	if (e->action == ACTION_DELAYED && e->address.n == 0 && !w->anywhere)
		return;
	w->several |= w->anywhere && !span_eq(d->final, to);
	w->anywhere = true;
	d->final = to;
}

static void
take_event(struct walk *w, struct disposition *d, const struct event *e)
{
	w->list |= e->action == ACTION_EXPANDED;
	if (e->recipient != EVENT_ALL) {
		take_place(w, d, e);
		d->last_attempt = e->time;
		if (e->kind != EVENT_HANDED) /* the gate doesn't know */
			w->queue_id = e->queue_id;
	}
	if (gate_knows(w, d, e))
		return;
	w->by_gate = e->kind == EVENT_HANDED;
	d->action = e->action;
	d->status = e->status;
	/* EVENT_ALL is a verdict, such as "expired", and not an attempt ... */
	if (e->recipient != EVENT_ALL)
		d->remote_mta = e->remote_mta;
	else if (is_attempt(e->action))
		d->last_attempt = e->time; /* ... unless it can't be else */
}

/* It was expanded, whatever became of the members (T25). */
static void
expand(struct disposition *d, struct span own)
{
	d->action = ACTION_EXPANDED;
	d->status = STATUS(2, 0, 0);
	d->remote_mta = SPAN("");
	d->final = own;
}

/* T22: 2.1.9 is for relayed alone, whatever another host says of itself. */
static struct status
status_for(enum action a, struct status s)
{
	static const struct status foreign = { 2, 1, 9 };

	if (a != ACTION_RELAYED && memcmp(&s, &foreign, sizeof s) == 0)
		return STATUS(2, 0, 0);
	return s;
}

void
disposition_of(const struct message *m, uint32_t recipient,
    uint64_t queue_lifetime_s, struct disposition *out)
{
	struct walk w = { .m = m,
		.recipient = recipient,
		.own = m->recipients[recipient].address };
	enum someone someone =
	    tells_of_someone(m) ? is_someone(m, recipient) : SOMEONE_ELSE;

	*out = (struct disposition){
		.action = ACTION_DELAYED,
		.status = STATUS(4, 0, 0),
		.final = w.own,
		.last_attempt = WHEN_NONE,
		.will_retry_until = WHEN_NONE,
	};
	for (size_t i = 0; i < m->n_events; i++) {
		const struct event *e = &m->events[i];

		if (!concerns(&w, e, someone == SOMEONE_HE,
			action_is_end(out->action)))
			continue;
		if (e->kind == EVENT_LINK)
			take_link(&w, out, e);
		else
			take_event(&w, out, e);
	}
	/* what ended may have been his way, whatever EVENT_ALL says later */
	if (someone == SOMEONE_PERHAPS &&
	    someone_ended(m, action_is_end(out->action))) {
		out->action = ACTION_OPAQUE;
		out->status = STATUS(2, 0, 0);
	}
	if (w.several || w.list)
		expand(out, w.own);
	out->status = status_for(out->action, out->status);
	if (out->action == ACTION_OPAQUE) { /* T17, T18 */
		out->remote_mta = SPAN("");
		out->last_attempt = WHEN_NONE;
	}
	if (!action_is_end(out->action))
		out->will_retry_until = m->arrival + (int64_t)queue_lifetime_s;
}

void
disposition_hide_forwarding(
    const struct message *m, uint32_t recipient, struct disposition *d)
{
	struct span own = m->recipients[recipient].address;

	if (span_eq(d->final, own))
		return;
	d->final = own;
	if (d->action == ACTION_OPAQUE)
		return;
	d->action = ACTION_DELIVERED;
	d->status = STATUS(2, 0, 0);
	d->remote_mta = SPAN("");
	d->will_retry_until = WHEN_NONE;
}

enum place {
	PLACE_HERE,
	PLACE_ELSEWHERE,
	PLACE_OUT,
	PLACE_OUT_OF_HERE, /* no line leads him back here, however late */
};

/* Where one is, as seen from a queue id. */
static enum place
moved(enum place at, const struct event *e, struct span queue_id)
{
	bool here = span_eq(e->queue_id, queue_id);
	bool all = e->recipient == EVENT_ALL;

	if (e->kind == EVENT_LINK) {
		if ((here && at == PLACE_OUT_OF_HERE) ||
		    (all && (at == PLACE_OUT || at == PLACE_OUT_OF_HERE)))
			return at;
		return here ? PLACE_HERE : PLACE_ELSEWHERE;
	}
	if (action_is_end(e->action)) {
		if (all && !(here && at == PLACE_HERE))
			return at;
		return here ? PLACE_OUT_OF_HERE : PLACE_OUT;
	}
	if (all || e->kind == EVENT_HANDED)
		return at;
	return here ? PLACE_HERE : PLACE_ELSEWHERE;
}

bool
message_waits_under(const struct message *m, struct span queue_id)
{
	enum place *at = calloc(m->n_recipients + 1, sizeof *at);
	bool waits = false, known = at != NULL;

	for (size_t r = 0; known && r < m->n_recipients; r++)
		at[r] = queue_id.n == 0 ? PLACE_HERE : PLACE_ELSEWHERE;
	for (size_t i = 0; known && i < m->n_events; i++) {
		const struct event *e = &m->events[i];
		bool all = e->recipient == EVENT_ALL;
		size_t r = all ? 0 : e->recipient;

		if (e->kind == EVENT_NOTE || e->kind == EVENT_MESSAGE_ID)
			continue;
		known = e->kind != EVENT_LINK || e->recipient != EVENT_SOMEONE;
		for (; r < m->n_recipients; r++) {
			at[r] = moved(at[r], e, queue_id);
			if (!all)
				break;
		}
	}
	for (size_t r = 0; known && r < m->n_recipients; r++)
		waits |= at[r] == PLACE_HERE;
	free(at);
	return waits;
}

/* True while any recipient is in this MTA's queue, as far as the log tells. */
static bool
is_queued(const struct message *m)
{
	bool queued = false;
	struct disposition d;

	for (uint32_t i = 0; i < m->n_recipients && !queued; i++) {
		disposition_of(m, i, 0, &d);
		queued = !action_is_end(d.action);
	}
	return queued;
}

int64_t
message_expires(const struct message *m, const struct retention *r)
{
	uint64_t keep_s = m->has_timeout ? m->timeout_s : r->preset_s;

	return m->arrival +
	    (int64_t)(keep_s < r->limit_s ? keep_s : r->limit_s);
}

bool
message_expired(const struct message *m, const struct retention *r, int64_t now)
{
	return now > message_expires(m, r) && !is_queued(m);
}
