/* The MTA's replies; see gate_inbound_private.h. */
#include <string.h>

#include "milter/gate_ehlo.h"
#include "milter/gate_inbound_private.h"

struct reply_line {
	size_t n; /* with its end */
	int code; /* 0: none */
	bool last;
};

static bool
reply_line_read(struct span in, struct reply_line *out)
{
	const char *lf = memchr(in.p, '\n', in.n);
	uint64_t code = 0;

	if (lf == NULL)
		return false;
	out->n = (size_t)(lf - in.p) + 1;
	if (out->n < 4 || !span_number((struct span){ in.p, 3 }, 999, &code))
		code = 0;
	out->code = (int)code;
	out->last = code != 0 && in.p[3] != '-';
	return true;
}

/* Says EHLO once more, and nothing of the first time. */
static void
ehlo_again(struct inbound *i, struct inbound_turn *t)
{
	inbound_forward(i, buf_as_span(&i->ehlo), AWAITS_EHLO, t);
}

static void
ehlo_replied(struct inbound *i, struct span reply, struct inbound_turn *t)
{
	struct ehlo has;

	ehlo_read(reply, &has);
	if (i->rules->server_tls && has.starttls && i->client_tls &&
	    !i->server_tls && !i->server_tls_refused) {
		inbound_forward(i, SPAN("STARTTLS\r\n"), AWAITS_STARTTLS, t);
		return;
	}
	buf_free(&i->ehlo);
	/* S5: who offers MTRK must take ENVID */
	i->marks = has.dsn;
	i->chunks = has.chunking;
	ehlo_write(
	    reply, i->marks, i->rules->tls && !i->client_tls, t->to_client);
}

enum { NOT_NOW = 503 /* to a MAIL behind another: its line wasn't read */ };

/* One more reply is here, maybe MAIL's. */
static void
count_reply(struct inbound *i, int code)
{
	i->pending--;
	if (i->mail_due > 0 && --i->mail_due == 0 && code != NOT_NOW)
		i->stale = code / 100 != 2;
}

static size_t
take_ehlo_reply(struct inbound *i, struct span in, struct inbound_turn *t)
{
	struct reply_line l = { 0 };
	size_t n = 0;

	while (!l.last) {
		if (!reply_line_read(span_from(in, n), &l)) {
			if (in.n > INBOUND_EHLO_MAX)
				inbound_want(
				    t, INBOUND_DROP, "endless EHLO reply");
			return 0;
		}
		n += l.n;
	}
	i->awaits = AWAITS_NOTHING;
	count_reply(i, l.code);
	if (l.code == 250)
		ehlo_replied(i, (struct span){ in.p, n }, t);
	else
		buf_add(t->to_client, in.p, n);
	return n;
}

/* The reply to a command that was waited for. */
static void
replied(struct inbound *i, int code, struct inbound_turn *t)
{
	enum inbound_awaits awaited = i->awaits;

	i->awaits = AWAITS_NOTHING;
	if (awaited == AWAITS_RSET) {
		i->in_mail = false;
		inbound_go_ahead_with_tls(t);
	} else if (awaited == AWAITS_STARTTLS && code == 220) {
		inbound_want(t, INBOUND_SERVER_TLS, NULL);
	} else if (awaited == AWAITS_STARTTLS) {
		i->server_tls_refused = true;
		ehlo_again(i, t);
	} else if (code == 354) {
		i->phase = INBOUND_DATA;
		smtp_data_start(&i->data);
	} else if (code == 334) {
		i->phase = INBOUND_RAW_LINE;
		i->awaits_then = awaited;
	} else if (awaited == AWAITS_AUTH && code == 235)
		i->authenticated = true;
}

static bool
is_ours(const struct inbound *i)
{
	return i->pending == 1 &&
	    (i->awaits == AWAITS_RSET || i->awaits == AWAITS_FORGOTTEN ||
		i->awaits == AWAITS_STARTTLS);
}

static size_t
take_reply_line(struct inbound *i, struct span in, struct inbound_turn *t)
{
	struct reply_line l;

	if (i->awaits == AWAITS_EHLO && i->pending == 1)
		return take_ehlo_reply(i, in, t);
	if (!reply_line_read(in, &l)) {
		if (in.n > INBOUND_REPLY_MAX)
			inbound_want(t, INBOUND_DROP, "endless reply line");
		return 0;
	}
	if (!is_ours(i))
		buf_add(t->to_client, in.p, l.n);
	if (!l.last)
		return l.n;
	if (i->pending == 1 && i->awaits != AWAITS_NOTHING) {
		count_reply(i, l.code);
		replied(i, l.code, t);
		return l.n;
	}
	if (i->pending == 1 && i->phase == INBOUND_CHUNK)
		inbound_want(
		    t, INBOUND_CLOSE, "a chunk's reply before its end");
	if (i->pending > 0)
		count_reply(i, l.code);
	if (l.code / 100 == 3) /* what would the MTA make of the rest? */
		inbound_want(t, INBOUND_DROP, "a reply that nobody asked for");
	return l.n;
}

size_t
inbound_from_server(struct inbound *i, struct span in, struct inbound_turn *t)
{
	size_t used = 0, n;

	while (used < in.n && t->wish == INBOUND_GO) {
		n = take_reply_line(i, span_from(in, used), t);
		if (n == 0)
			break;
		used += n;
	}
	if (t->wish == INBOUND_SERVER_TLS && used < in.n)
		inbound_want(
		    t, INBOUND_DROP, "octets in clear behind STARTTLS");
	return used;
}

void
inbound_server_secured(struct inbound *i, struct inbound_turn *t)
{
	i->server_tls = true;
	ehlo_again(i, t);
}
