/*
 * The outbound gate between any two peers.  A line of the input is what one
 * of them does: "M text" and "H text" say a line (MTA, next hop), "m" and "h"
 * the same without its end, "t" and "f" end a handshake, "c" closes.
 *
 * Without TLS and without a mark, each side gets what the other said, and
 * nothing else; always, no more waits than a line, a reply and their bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/lib/gate_doors.h"

enum { ALL_MAX = 1 << 22 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What each side has said and got. */
struct heard {
	struct buf mta, hop, to_mta, to_hop;
};

static void
say(struct outbound *o, struct heard *h, char who, struct span text)
{
	bool mta = who == 'M' || who == 'm';
	bool line = who == 'M' || who == 'H';
	char with_end[1024];
	struct span all = { with_end, 0 };

	if (text.n > sizeof with_end - 2)
		text.n = sizeof with_end - 2;
	memcpy(with_end, text.p, text.n);
	memcpy(with_end + text.n, "\r\n", 2);
	all.n = text.n + (line ? 2 : 0);
	buf_span(mta ? &h->mta : &h->hop, all);
	if (!(mta ? outbound_from_mta : outbound_from_hop)(o, all))
		abort();
}

static void
fulfil(struct outbound *o)
{
	switch (outbound_wish(o)) {
	case OUTBOUND_HANDSHAKE:
		outbound_shaking(o);
		break;
	case OUTBOUND_AGAIN:
		outbound_reconnected(o);
		break;
	case OUTBOUND_NEXT:
		outbound_next(o, false);
		break;
	default:
		break;
	}
}

static void
act(struct outbound *o, struct heard *h, struct span line, bool *shaking)
{
	char who = line.p[0];

	line = span_from(line, line.n > 1 && line.p[1] == ' ' ? 2 : 1);
	if (who == 'M' || who == 'm' || who == 'H' || who == 'h')
		say(o, h, who, line);
	else if (who == 't' && *shaking)
		outbound_secured(o, line.n > 0 ? NULL : "why not");
	else if (who == 'f' && *shaking)
		outbound_tls_failed(o, "why");
	if (who == 't' || who == 'f')
		*shaking = false;
	*shaking = *shaking || outbound_wish(o) == OUTBOUND_HANDSHAKE;
	fulfil(o);
	buf_span(&h->to_mta, buf_as_span(outbound_to_mta(o)));
	buf_span(&h->to_hop, buf_as_span(outbound_to_hop(o)));
	buf_cut(outbound_to_mta(o), 0);
	buf_cut(outbound_to_hop(o), 0);
	if (who == 'c')
		outbound_hop_closed(o);
}

static bool
mentions_tls(const struct buf *b)
{
	for (size_t i = 0; i + 8 <= b->n; i++)
		if (span_iis((struct span){ b->p + i, 8 }, "STARTTLS"))
			return true;
	return false;
}

static void
is_beginning_of(const struct buf *got, const struct buf *said)
{
	if (got->n > said->n ||
	    (got->n > 0 && memcmp(got->p, said->p, got->n) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf told = BUF(ALL_MAX);
	struct outbound_doors doors = gate_doors_open(&told);
	struct heard h = { BUF(ALL_MAX), BUF(ALL_MAX), BUF(ALL_MAX),
		BUF(ALL_MAX) };
	struct span rest = { (const char *)data, n < 65536 ? n : 65536 }, line;
	struct outbound *o = outbound_new(&doors, OUTBOUND_TLS_MAY);
	bool shaking = false;

	while (rest.n > 0 && outbound_wish(o) != OUTBOUND_CLOSE) {
		span_split(rest, '\n', &line, &rest);
		if (line.n > 0)
			act(o, &h, line, &shaking);
	}
	if (outbound_numbers(o).marked == 0 && !mentions_tls(&h.mta) &&
	    !mentions_tls(&h.hop)) {
		is_beginning_of(&h.to_hop, &h.mta);
		is_beginning_of(&h.to_mta, &h.hop);
	}
	outbound_free(&o);
	gate_doors_close();
	buf_free(&told);
	buf_free(&h.mta);
	buf_free(&h.hop);
	buf_free(&h.to_mta);
	buf_free(&h.to_hop);
	return 0;
}
