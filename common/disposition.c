#include "common/disposition.h"

static const struct {
	bool end;
	bool attempt; /* it tells that delivery was tried (T18) */
} actions[ACTION_COUNT] = {
	[ACTION_DELIVERED] = { true, true },
	[ACTION_EXPANDED] = { true, true },
	[ACTION_RELAYED] = { true, true },
	[ACTION_TRANSFERRED] = { true, true },
	[ACTION_DELAYED] = { false, true },
	[ACTION_FAILED] = { true, true },
};

bool
action_is_end(enum action a)
{
	return (unsigned)a < ACTION_COUNT && actions[a].end;
}

/* EVENT_ALL means whoever still waits at that point. */
static bool
concerns(const struct event *e, uint32_t recipient, bool ended)
{
	if (e->kind != EVENT_ACTION && e->kind != EVENT_HANDED)
		return false;
	return e->recipient == recipient ||
	    (e->recipient == EVENT_ALL && !ended);
}

/*
 * Has the gate told of this attempt already?  To the MTA the gate is just a
 * next hop, so its log says "relayed", and to whom: to the gate.
 */
static bool
gate_knows(const struct disposition *d, const struct event *e, bool by_gate)
{
	if (!by_gate || e->kind == EVENT_HANDED || e->recipient == EVENT_ALL)
		return false;
	return e->action == d->action ||
	    (e->action == ACTION_RELAYED && d->action == ACTION_TRANSFERRED);
}

static void
take_event(struct disposition *d, const struct event *e)
{
	d->action = e->action;
	d->status = e->status;
	/* EVENT_ALL is a verdict, such as "expired", and not an attempt */
	if (e->recipient != EVENT_ALL) {
		d->remote_mta = e->remote_mta;
		d->last_attempt = e->time;
	}
}

/* Several new addresses: it was expanded, whatever became of them (T25). */
static void
expand(struct disposition *d, struct span own)
{
	d->action = ACTION_EXPANDED;
	d->status = STATUS(2, 0, 0);
	d->remote_mta = SPAN("");
	d->final = own;
}

void
disposition_of(const struct message *m, uint32_t recipient,
    uint64_t queue_lifetime_s, struct disposition *out)
{
	struct span own = m->recipients[recipient].address;
	bool several = false, by_gate = false;

	*out = (struct disposition){
		.action = ACTION_DELAYED,
		.status = STATUS(4, 0, 0),
		.final = own,
		.last_attempt = WHEN_NONE,
		.will_retry_until = WHEN_NONE,
	};
	for (size_t i = 0, seen = 0; i < m->n_events; i++) {
		const struct event *e = &m->events[i];
		struct span to = e->address.n > 0 ? e->address : own;

		if (!concerns(e, recipient, action_is_end(out->action)))
			continue;
		if (e->recipient != EVENT_ALL) {
			several |= seen++ > 0 && !span_eq(out->final, to);
			out->final = to;
		}
		if (gate_knows(out, e, by_gate)) {
			out->last_attempt = e->time;
			continue;
		}
		by_gate = e->kind == EVENT_HANDED;
		take_event(out, e);
	}
	if (several)
		expand(out, own);
	if (!action_is_end(out->action))
		out->will_retry_until = m->arrival + (int64_t)queue_lifetime_s;
}

bool
message_queued(const struct message *m)
{
	struct disposition d;

	for (uint32_t i = 0; i < m->n_recipients; i++) {
		disposition_of(m, i, 0, &d);
		if (!action_is_end(d.action))
			return true;
	}
	return false;
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
	return now > message_expires(m, r) && !message_queued(m);
}
