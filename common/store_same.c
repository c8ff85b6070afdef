/*
 * An event that is there already is not added again: the same log, or an
 * overlapping piece of it, may be read any number of times.
 */
#include <string.h>

#include "common/store_private.h"

enum { LATE_S = 1 /* processes that log side by side; ours */ };

/* As bytes, so that every field that an event ever gets counts. */
static bool
equal(const struct event *a, const struct event *b)
{
	struct buf x = BUF(RECORD_MAX), y = BUF(RECORD_MAX);
	bool same;

	record_put_event(&x, a, NULL, 0);
	record_put_event(&y, b, NULL, 0);
	same = x.err == MTRK_OK && y.err == MTRK_OK &&
	    span_eq(buf_as_span(&x), buf_as_span(&y));
	buf_free(&x);
	buf_free(&y);
	return same;
}

static bool
is_same(struct txn *t, const struct event_bytes *stored, const struct event *e)
{
	struct event full = stored->event, before = { 0 };

	if (full.time != e->time || full.kind != e->kind ||
	    full.recipient != e->recipient || full.action != e->action)
		return false;
	if (stored->same_remote || stored->same_text)
		load_before(t, stored->previous, &before);
	if (stored->same_remote)
		full.remote_mta = before.remote_mta;
	if (stored->same_text)
		full.text = before.text;
	return equal(&full, e);
}

/*
 * Newest first, and only as far as times say that it can be there; all of them,
 * if they are not in the order of time.  In order: none is earlier, by more
 * than LATE_S, than any before it.  So those before one that is earlier than
 * `e` by more than that are earlier than `e` themselves.
 */
bool
has_event(struct txn *t, struct last_event last, const struct event *e,
    bool *in_order)
{
	struct event_bytes stored;
	struct span bytes;

	*in_order = last.in_order;
	for (uint64_t at = last.number; at != 0; at = stored.previous) {
		struct number_key key = number_key(at);

		if (!txn_get(t, TABLE_EVENT, KEY(key), &bytes) ||
		    record_get_event(bytes, &stored) != MTRK_OK)
			return false;
		if (stored.event.time > e->time + LATE_S)
			*in_order = false;
		if (is_same(t, &stored, e))
			return true;
		if (last.in_order && stored.event.time < e->time - LATE_S)
			return false;
	}
	return false;
}
