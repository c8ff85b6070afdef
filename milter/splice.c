#include "milter/splice.h"

#include "milter/sendmail.h"

static bool
is_piece(const struct logline *l, struct span queue_id, struct span name,
    unsigned *part)
{
	struct span id;

	return span_eq(l->name, name) && sendmail_queue_id(l, &id, part) &&
	    *part > 0 && span_eq(id, queue_id);
}

/* Pieces 1 to `last`, or if that is 0 to the newest, and how many; 0: one is
 * missing.  Nothing of another line stands between them. */
static unsigned
find_pieces(const struct waiting *w, struct span queue_id, struct span name,
    unsigned last, uint64_t handles[SPLICE_PIECES])
{
	uint64_t found[SPLICE_PIECES];
	size_t n = waiting_find(w, queue_id, found, SPLICE_PIECES);
	unsigned next = last, part;
	struct logline l;

	while (n > 0 && (next > 0 || last == 0)) {
		if (!waiting_get(w, found[--n], &l) ||
		    !is_piece(&l, queue_id, name, &part))
			continue;
		if (last == 0)
			last = next = part;
		if (part != next || part > SPLICE_PIECES)
			return 0;
		handles[--next] = found[n];
	}
	return next == 0 ? last : 0;
}

/* They leave the room. */
static void
join(struct waiting *w, struct span queue_id, const uint64_t *handles,
    unsigned n, struct logline *last, struct buf *whole)
{
	bool more;

	buf_free(whole);
	*whole = BUF(SPLICE_MAX);
	buf_span(whole, queue_id);
	buf_str(whole, ": ");
	for (unsigned i = 0; i < n; i++) {
		if (waiting_get(w, handles[i], last))
			buf_span(whole, sendmail_piece(last, &more));
		waiting_take(w, handles[i]);
	}
}

enum splice
splice_add(struct waiting *w, struct span queue_id, unsigned part,
    struct logline *l, struct buf *whole)
{
	uint64_t handles[SPLICE_PIECES] = { 0 };
	struct logline before;
	struct span text;
	bool more;

	text = sendmail_piece(l, &more);
	if (more) {
		waiting_put(w, queue_id, l);
		return SPLICE_WAITS;
	}
	if (part > 1 &&
	    find_pieces(w, queue_id, l->name, part - 1, handles) == 0)
		return SPLICE_LOST;
	join(w, queue_id, handles, part - 1, &before, whole);
	buf_span(whole, text);
	l->text = buf_as_span(whole);
	return whole->err == MTRK_OK ? SPLICE_WHOLE : SPLICE_LOST;
}

bool
splice_left(struct waiting *w, struct span queue_id, struct span name,
    struct logline *l, struct buf *whole)
{
	uint64_t handles[SPLICE_PIECES] = { 0 };
	unsigned n = find_pieces(w, queue_id, name, 0, handles);

	if (n == 0)
		return false;
	join(w, queue_id, handles, n, l, whole);
	buf_str(whole, " ...");
	l->text = buf_as_span(whole);
	return whole->err == MTRK_OK;
}
