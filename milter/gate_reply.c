/* The next hop's replies; see gate_outbound_private.h. */
#include <string.h>

#include "milter/gate_outbound_private.h"

static bool
is_positive(unsigned code)
{
	return code / 100 == 2;
}

static void
forward(struct outbound *o, struct span reply)
{
	buf_span(&o->to_mta, reply);
}

/* The next line of a reply, its end included. */
static bool
next_line(struct span *rest, struct span *line)
{
	const char *lf = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;

	if (lf == NULL)
		return false;
	*line = (struct span){ rest->p, (size_t)(lf - rest->p) + 1 };
	*rest = span_from(*rest, line->n);
	return true;
}

/* Without "250-" and the end of the line. */
static struct span
words_of(struct span line)
{
	line = span_from(line, 4);
	while (line.n > 0 &&
	    (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	return line;
}

static bool
is_keyword(struct span line, const char *keyword)
{
	struct span word, rest;

	span_split(words_of(line), ' ', &word, &rest);
	return span_iis(word, keyword);
}

/* A host name that a tracker could ask: letters, digits, "-", dots inside. */
static bool
is_host_name(struct span s)
{
	bool dot = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = (char)(s.p[i] | 0x20);

		if (s.p[i] == '.')
			dot = true;
		else if (!(c >= 'a' && c <= 'z') && s.p[i] != '-' &&
		    !(s.p[i] >= '0' && s.p[i] <= '9'))
			return false;
	}
	return dot && s.p[0] != '.' && s.p[s.n - 1] != '.';
}

static bool
lists(struct span reply, const char *keyword)
{
	struct span line;

	next_line(&reply, &line);
	while (next_line(&reply, &line))
		if (is_keyword(line, keyword))
			return true;
	return false;
}

static void
read_name(struct outbound *o, struct span reply)
{
	struct span line, name, rest;

	o->hop[0] = '\0';
	if (!next_line(&reply, &line))
		return;
	span_split(words_of(line), ' ', &name, &rest);
	if (is_host_name(name))
		span_copy(o->hop, sizeof o->hop, name);
}

/* The reply without its STARTTLS line; the line that is last then says so. */
static void
without_starttls(struct span reply, struct buf *out)
{
	struct span line;
	size_t last = out->n;
	bool first = true;

	while (next_line(&reply, &line)) {
		if (first || !is_keyword(line, "STARTTLS")) {
			last = out->n;
			buf_span(out, line);
		}
		first = false;
	}
	if (out->err == MTRK_OK && out->p[last + 3] == '-')
		out->p[last + 3] = ' ';
}

typedef void replied_fn(
    struct outbound *, const struct awaited *, unsigned code, struct span);

static void
other_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a, (void)code;
	forward(o, reply);
}

static void
ehlo_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	bool secure = o->secure;

	(void)a;
	o->mtrk = false;
	if (!is_positive(code)) {
		forward(o, reply);
		return;
	}
	o->mtrk = lists(reply, "MTRK");
	read_name(o, reply);
	if (!secure && !o->in_clear && lists(reply, "STARTTLS")) {
		buf_cut(&o->ehlo, 0);
		without_starttls(reply, &o->ehlo);
		buf_str(&o->to_hop, "STARTTLS\r\n");
		outbound_await(o, OWN_STARTTLS, NO_RCPT);
	} else if (!secure && o->tls == OUTBOUND_TLS_VERIFY) {
		outbound_give_up(o,
		    "4.7.0 TLS is required, and the next hop has none", NULL);
	} else {
		without_starttls(reply, &o->to_mta);
	}
}

/* Octets behind the reply would be in clear what claims to be TLS (A44). */
static void
starttls_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a;
	if (code == 220 && o->in_hop.n == reply.n)
		o->wish = OUTBOUND_HANDSHAKE;
	else if (code == 220)
		outbound_tls_failed(o, "octets in clear behind STARTTLS");
	else if (o->tls == OUTBOUND_TLS_VERIFY)
		outbound_give_up(
		    o, "4.7.0 TLS is required, and the next hop refuses", NULL);
	else
		forward(o, buf_as_span(&o->ehlo));
}

static void
say_helo_again(struct outbound *o)
{
	outbound_pass(o, buf_as_span(&o->helo), FOR_EHLO, NO_RCPT);
}

/* A host that greets with a refusal is as good as one that is not there. */
static void
first_greeting(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a;
	if (is_positive(code) || !o->more)
		forward(o, reply);
	else
		o->wish = OUTBOUND_NEXT;
}

static void
greeting_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a;
	if (is_positive(code))
		say_helo_again(o);
	else
		forward(o, reply);
}

/* A next hop that lists MTRK and then won't have it gets the MAIL without:
 * mail comes first.  Behind RSET, for Sendmail keeps ENVID= of one that it
 * refuses, and would find it twice. */
static void
mail_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a;
	if (!o->marked || is_positive(code) || code == 421) {
		forward(o, reply);
		return;
	}
	o->marked = false;
	o->numbers.refused++;
	outbound_pass(o, SPAN("RSET\r\n"), OWN_RSET, NO_RCPT);
}

static void
rset_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a;
	if (code == 421)
		forward(o, reply);
	else
		outbound_pass(o, buf_as_span(&o->mail), FOR_MAIL, NO_RCPT);
}

static void
rcpt_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	if (is_positive(code)) {
		o->accepted++;
		if (a->rcpt != NO_RCPT)
			o->rcpts[a->rcpt].accepted = true;
	}
	forward(o, reply);
}

static void
data_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a;
	if (code / 100 == 3) {
		o->phase = PHASE_CONTENT;
		o->content = CONTENT_START;
		o->hold = false;
	}
	forward(o, reply);
}

static void
auth_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a;
	o->auth = code / 100 == 3;
	forward(o, reply);
}

/* An LDA that doesn't track has delivered, and the MTA's log says so; only a
 * tracking one is a hop of its own (T23). */
static void
tell(struct outbound *o, const struct outbound_rcpt *r, struct span reply)
{
	struct span raw = { o->held.p + r->line, r->line_n }, path, parameters;

	if (r->index == OUTBOUND_NOBODY || (o->lmtp && !o->marked) ||
	    !gate_path(raw, &path, &parameters))
		return;
	o->doors.taken(o->doors.arg, r->index, path, o->marked, span_of(o->hop),
	    words_of(reply));
}

static void
tell_next(struct outbound *o, bool taken, struct span reply)
{
	while (o->lmtp_next < o->rcpts_n && !o->rcpts[o->lmtp_next].accepted)
		o->lmtp_next++;
	if (o->lmtp_next < o->rcpts_n && taken)
		tell(o, &o->rcpts[o->lmtp_next], reply);
	o->lmtp_next++;
}

/* SMTP: one reply for all.  LMTP: one for each accepted recipient. */
static void
content_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	bool taken = is_positive(code);

	(void)a;
	if (o->lmtp)
		tell_next(o, taken, reply);
	else
		for (size_t i = 0; taken && i < o->rcpts_n; i++)
			if (o->rcpts[i].accepted)
				tell(o, &o->rcpts[i], reply);
	forward(o, reply);
	if (--o->lmtp_left == 0)
		outbound_forget_transaction(o);
}

static void
again_replied(struct outbound *o, const struct awaited *a, unsigned code,
    struct span reply)
{
	(void)a, (void)reply;
	if (!is_positive(code))
		outbound_give_up(
		    o, "4.3.0 the next hop took back what it accepted", NULL);
}

static replied_fn *const replied[] = {
	[FOR_OTHER] = other_replied,
	[FOR_GREETING] = first_greeting,
	[FOR_EHLO] = ehlo_replied,
	[FOR_MAIL] = mail_replied,
	[FOR_RCPT] = rcpt_replied,
	[FOR_DATA] = data_replied,
	[FOR_CONTENT] = content_replied,
	[FOR_AUTH] = auth_replied,
	[OWN_STARTTLS] = starttls_replied,
	[OWN_GREETING] = greeting_replied,
	[OWN_RSET] = rset_replied,
	[OWN_AGAIN] = again_replied,
};

/* One reply, whole.  LMTP's last command stays until all have their reply. */
static void
take_reply(struct outbound *o, unsigned code, struct span reply)
{
	struct awaited a = { FOR_OTHER, NO_RCPT };

	if (o->awaited_n > 0) {
		a = o->awaited[o->awaited_at];
		if (a.what != FOR_CONTENT || o->lmtp_left == 1) {
			o->awaited_at = (o->awaited_at + 1) % AWAITED_MAX;
			o->awaited_n--;
		}
	}
	replied[a.what](o, &a, code, reply);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "250-text" or "250 text" or "250"; 0: no reply line. */
static unsigned
code_of(struct span line, bool *last)
{
	if (line.n < 4 || !is_digit(line.p[0]) || !is_digit(line.p[1]) ||
	    !is_digit(line.p[2]))
		return 0;
	*last = line.p[3] != '-';
	return (unsigned)(line.p[0] - '0') * 100 +
	    (unsigned)(line.p[1] - '0') * 10 + (unsigned)(line.p[2] - '0');
}

/* The octets of a whole reply at the start of in_hop; 0: not all is here.
 * What is no reply goes through, and so does all behind it. */
static size_t
whole_reply(struct outbound *o, unsigned *code)
{
	struct span all = buf_as_span(&o->in_hop), rest = all, line;
	bool last = false;

	while (next_line(&rest, &line)) {
		if ((*code = code_of(line, &last)) == 0) {
			outbound_tube(o);
			return 0;
		}
		if (last)
			return all.n - rest.n;
	}
	if (all.n > OUTBOUND_REPLY_MAX)
		outbound_tube(o);
	return 0;
}

void
outbound_take_replies(struct outbound *o)
{
	unsigned code;
	size_t n;

	while (o->wish == OUTBOUND_GO && (n = whole_reply(o, &code)) > 0) {
		take_reply(o, code, (struct span){ o->in_hop.p, n });
		buf_drop(&o->in_hop, n < o->in_hop.n ? n : o->in_hop.n);
	}
}

void
outbound_secured(struct outbound *o, const char *why_not)
{
	o->wish = OUTBOUND_GO;
	o->shaking = false;
	o->secure = true;
	if (o->tls == OUTBOUND_TLS_VERIFY && why_not != NULL)
		outbound_give_up(
		    o, "4.7.5 the next hop's certificate", why_not);
	else
		say_helo_again(o);
}

void
outbound_tls_failed(struct outbound *o, const char *why)
{
	o->shaking = false;
	buf_cut(&o->in_hop, 0);
	buf_cut(&o->to_hop, 0);
	if (o->tls == OUTBOUND_TLS_VERIFY) {
		outbound_give_up(o, "4.7.5 TLS is required, and failed", why);
		return;
	}
	o->in_clear = true;
	o->wish = OUTBOUND_AGAIN;
}

void
outbound_shaking(struct outbound *o)
{
	o->wish = OUTBOUND_GO;
	o->shaking = true;
}

void
outbound_next(struct outbound *o, bool more)
{
	if (o->wish == OUTBOUND_NEXT) {
		o->wish = OUTBOUND_GO;
		buf_cut(&o->in_hop, 0);
		outbound_await(o, FOR_GREETING, NO_RCPT);
	}
	o->more = more;
}

void
outbound_reconnected(struct outbound *o)
{
	o->wish = OUTBOUND_GO;
	outbound_await(o, OWN_GREETING, NO_RCPT);
}

void
outbound_hop_closed(struct outbound *o)
{
	if (outbound_owes(o))
		outbound_give_up(
		    o, "4.4.2 the next hop closed the connection", NULL);
	o->wish = OUTBOUND_CLOSE;
}
