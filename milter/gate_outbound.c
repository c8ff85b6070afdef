#include "milter/gate_outbound.h"

#include <stdlib.h>
#include <string.h>

#include "milter/gate_outbound_private.h"

enum { OUTPUT_MAX = 1 << 24 /* ours: more than a pump lets wait */ };

struct outbound *
outbound_new(const struct outbound_doors *doors, enum outbound_tls tls)
{
	struct outbound *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	o->doors = *doors;
	o->tls = tls;
	o->in_mta = o->in_hop = BUF(OUTPUT_MAX);
	o->to_mta = o->to_hop = BUF(OUTPUT_MAX);
	o->helo = o->mail = BUF(OUTBOUND_LINE_MAX);
	o->ehlo = o->reply = BUF(OUTBOUND_REPLY_MAX);
	o->held = BUF(OUTBOUND_HELD_MAX);
	outbound_await(o, FOR_GREETING, NO_RCPT);
	return o;
}

void
outbound_free(struct outbound **op)
{
	struct outbound *o = *op;

	*op = NULL;
	if (o == NULL)
		return;
	buf_free(&o->in_mta);
	buf_free(&o->in_hop);
	buf_free(&o->to_mta);
	buf_free(&o->to_hop);
	buf_free(&o->helo);
	buf_free(&o->mail);
	buf_free(&o->ehlo);
	buf_free(&o->reply);
	buf_free(&o->held);
	free(o->rcpts);
	free(o);
}

void
outbound_await(struct outbound *o, enum awaited_for what, uint32_t rcpt)
{
	size_t at = (o->awaited_at + o->awaited_n) % AWAITED_MAX;

	o->awaited[at] = (struct awaited){ what, rcpt };
	o->awaited_n++;
}

void
outbound_give_up(struct outbound *o, const char *words, const char *why)
{
	buf_fmt(&o->to_mta, "421 %s%s%s\r\n", words, why != NULL ? ": " : "",
	    why != NULL ? why : "");
	o->gave_up = words;
	o->gave_up_why = why;
	o->wish = OUTBOUND_CLOSE;
}

bool
outbound_gave_up(const struct outbound *o, const char **words, const char **why)
{
	*words = o->gave_up;
	*why = o->gave_up_why != NULL ? o->gave_up_why : "";
	return o->gave_up != NULL;
}

bool
outbound_owes(const struct outbound *o)
{
	return o->again || o->shaking || o->wish == OUTBOUND_HANDSHAKE ||
	    o->wish == OUTBOUND_AGAIN ||
	    (o->awaited_n > 0 &&
		o->awaited[o->awaited_at].what >= OWN_STARTTLS);
}

static bool
may_be_clear(const struct outbound *o)
{
	return o->tls != OUTBOUND_TLS_VERIFY || o->secure;
}

void
outbound_tube(struct outbound *o)
{
	if (!may_be_clear(o)) {
		outbound_give_up(o, "4.7.0 TLS is required here", NULL);
		return;
	}
	if (outbound_owes(o)) {
		outbound_give_up(
		    o, "4.3.0 what the next hop says is not understood", NULL);
		return;
	}
	o->tube = true;
	buf_span(&o->to_hop, buf_as_span(&o->in_mta));
	buf_span(&o->to_mta, buf_as_span(&o->in_hop));
	buf_cut(&o->in_mta, 0);
	buf_cut(&o->in_hop, 0);
}

void
outbound_pass(
    struct outbound *o, struct span raw, enum awaited_for what, uint32_t rcpt)
{
	buf_span(&o->to_hop, raw);
	outbound_await(o, what, rcpt);
}

/* Each takes one command line, `raw` with its end.  False: not now. */
typedef bool take_fn(struct outbound *, struct span raw, struct span line);

static bool
take_ehlo(struct outbound *o, struct span raw, struct span line)
{
	outbound_forget_transaction(o);
	o->lmtp = gate_is_lhlo(line);
	buf_cut(&o->helo, 0);
	buf_span(&o->helo, raw);
	outbound_pass(o, raw, FOR_EHLO, NO_RCPT);
	return true;
}

static bool
take_helo(struct outbound *o, struct span raw, struct span line)
{
	(void)line;
	outbound_forget_transaction(o);
	o->mtrk = false;
	outbound_pass(o, raw, FOR_OTHER, NO_RCPT);
	return true;
}

static bool
take_rset(struct outbound *o, struct span raw, struct span line)
{
	(void)line;
	outbound_forget_transaction(o);
	outbound_pass(o, raw, FOR_OTHER, NO_RCPT);
	return true;
}

/* It was not listed: TLS with the next hop is ours. */
static bool
take_starttls(struct outbound *o, struct span raw, struct span line)
{
	(void)raw, (void)line;
	buf_str(&o->to_mta, "502 5.5.1 not here: the gate does it\r\n");
	return true;
}

static void
await_content(struct outbound *o)
{
	o->lmtp_left = o->lmtp ? o->accepted : 1;
	o->lmtp_next = 0;
	if (o->lmtp_left > 0)
		outbound_await(o, FOR_CONTENT, NO_RCPT);
}

/* Its reply may come before the chunk has gone. */
static bool
take_bdat(struct outbound *o, struct span raw, struct span line)
{
	bool last;

	if (!gate_bdat(line, &o->chunk_left, &last)) {
		outbound_tube(o);
		return true;
	}
	buf_span(&o->to_hop, raw);
	o->phase = o->chunk_left > 0 ? PHASE_CHUNK : PHASE_COMMANDS;
	if (last)
		await_content(o);
	else
		outbound_await(o, FOR_OTHER, NO_RCPT);
	return true;
}

static const struct row {
	take_fn *take; /* NULL: passed on as it is */
	enum awaited_for what; /* of what is passed on */
	bool alone; /* only when no reply is awaited */
	bool hold; /* and nothing behind it before its own reply */
	bool guarded; /* never in clear where TLS is required */
} rows[] = {
	[VERB_OTHER] = { .what = FOR_OTHER },
	[VERB_EHLO] = { take_ehlo, .alone = true, .hold = true },
	[VERB_HELO] = { take_helo, .alone = true, .hold = true,
	    .guarded = true },
	[VERB_MAIL] = { outbound_take_mail, .alone = true, .guarded = true },
	[VERB_RCPT] = { outbound_take_rcpt, .guarded = true },
	[VERB_DATA] = { .what = FOR_DATA, .hold = true, .guarded = true },
	[VERB_BDAT] = { take_bdat, .alone = true, .guarded = true },
	[VERB_RSET] = { take_rset, .alone = true, .hold = true },
	[VERB_AUTH] = { .what = FOR_AUTH,
	    .alone = true,
	    .hold = true,
	    .guarded = true },
	[VERB_STARTTLS] = { take_starttls, .alone = true, .hold = true },
	[VERB_QUIT] = { .what = FOR_OTHER },
};

/* The line at the start of `in`; false: none yet, or too long for one. */
static bool
first_line(struct outbound *o, struct span *raw, struct span *line)
{
	struct span in = buf_as_span(&o->in_mta);
	const char *lf = in.n > 0 ? memchr(in.p, '\n', in.n) : NULL;

	if (lf == NULL || lf - in.p >= OUTBOUND_LINE_MAX) {
		if (in.n >= OUTBOUND_LINE_MAX)
			outbound_tube(o);
		return false;
	}
	*raw = (struct span){ in.p, (size_t)(lf - in.p) + 1 };
	*line = (struct span){ in.p, raw->n - 1 };
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

static bool
take_command(struct outbound *o)
{
	struct span raw, line;
	const struct row *row;

	if ((o->hold && o->awaited_n > 0) || o->awaited_n >= AWAITED_MAX - 1)
		return false;
	o->hold = false;
	if (!first_line(o, &raw, &line))
		return false;
	row = o->auth ? &rows[VERB_AUTH] : &rows[gate_verb_of(line)];
	if (row->alone && o->awaited_n > 0)
		return false;
	if (row->guarded && !may_be_clear(o)) {
		outbound_give_up(o, "4.7.0 TLS is required here", NULL);
		return false;
	}
	o->auth = false;
	o->hold = row->hold;
	if (row->take == NULL) {
		outbound_pass(o, raw, row->what, NO_RCPT);
	} else if (!row->take(o, raw, line)) {
		o->hold = true;
		return false;
	}
	if (!o->tube)
		buf_drop(&o->in_mta, raw.n);
	return true;
}

/* How many octets belong to the content, its end included (RFC 5321
 * 4.1.1.4); o->content is CONTENT_END then. */
static size_t
content_octets(struct outbound *o, struct span in)
{
	static const char end[] = "\r\n.\r\n";
	size_t i;

	for (i = 0; i < in.n && o->content < CONTENT_END; i++) {
		char c = in.p[i];

		if (c == end[o->content])
			o->content++;
		else
			o->content = c == '\r' ? 1 : 0;
	}
	return i;
}

static bool
take_content(struct outbound *o)
{
	size_t n = content_octets(o, buf_as_span(&o->in_mta));

	buf_add(&o->to_hop, o->in_mta.p, n);
	buf_drop(&o->in_mta, n);
	if (o->content < CONTENT_END)
		return false;
	o->phase = PHASE_COMMANDS;
	await_content(o);
	return true;
}

static bool
take_chunk(struct outbound *o)
{
	size_t n =
	    o->in_mta.n < o->chunk_left ? o->in_mta.n : (size_t)o->chunk_left;

	buf_add(&o->to_hop, o->in_mta.p, n);
	buf_drop(&o->in_mta, n);
	o->chunk_left -= n;
	if (o->chunk_left > 0)
		return false;
	o->phase = PHASE_COMMANDS;
	return true;
}

static bool
take_some(struct outbound *o)
{
	if (o->in_mta.n == 0)
		return false;
	switch (o->phase) {
	case PHASE_CONTENT:
		return take_content(o);
	case PHASE_CHUNK:
		return take_chunk(o);
	default:
		return take_command(o);
	}
}

static bool
advance(struct outbound *o)
{
	for (;;) {
		if (o->tube || o->shaking || o->wish != OUTBOUND_GO)
			break;
		if (o->again && o->awaited_n > 0)
			break;
		if (o->again)
			outbound_again_step(o);
		else if (!take_some(o) && !(o->again && o->awaited_n == 0))
			break;
	}
	return o->to_mta.err == MTRK_OK && o->to_hop.err == MTRK_OK &&
	    o->in_mta.err == MTRK_OK && o->in_hop.err == MTRK_OK;
}

bool
outbound_from_mta(struct outbound *o, struct span in)
{
	buf_span(o->tube ? &o->to_hop : &o->in_mta, in);
	return advance(o);
}

bool
outbound_from_hop(struct outbound *o, struct span in)
{
	buf_span(o->tube ? &o->to_mta : &o->in_hop, in);
	if (!o->tube)
		outbound_take_replies(o);
	return advance(o);
}

struct buf *
outbound_to_mta(struct outbound *o)
{
	return &o->to_mta;
}

struct buf *
outbound_to_hop(struct outbound *o)
{
	return &o->to_hop;
}

bool
outbound_wants_mta(const struct outbound *o)
{
	return o->in_mta.n < OUTBOUND_INPUT_MAX;
}

bool
outbound_drained(const struct outbound *o)
{
	return o->in_mta.n == 0 ||
	    (o->awaited_n == 0 && !o->shaking && o->wish == OUTBOUND_GO);
}

bool
outbound_idle(const struct outbound *o)
{
	return o->awaited_n == 0 && !outbound_owes(o) && !o->tube &&
	    o->phase == PHASE_COMMANDS && o->in_mta.n == 0 && o->mail.n == 0;
}

bool
outbound_awaits_verdict(const struct outbound *o)
{
	for (size_t i = 0; o->phase != PHASE_CHUNK && i < o->awaited_n; i++)
		if (o->awaited[(o->awaited_at + i) % AWAITED_MAX].what ==
		    FOR_CONTENT)
			return true;
	return false;
}

void
outbound_end(struct outbound *o, const char *words)
{
	outbound_give_up(o, words, NULL);
}

enum outbound_wish
outbound_wish(const struct outbound *o)
{
	return o->wish;
}

struct outbound_numbers
outbound_numbers(const struct outbound *o)
{
	return o->numbers;
}
