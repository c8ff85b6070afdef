#include "milter/gate_inbound.h"

#include <string.h>

#include "common/err.h"
#include "milter/gate_ehlo.h"

/* One command line, with its end. */
struct line {
	struct span all;
	struct span verb, rest; /* `rest` without blanks and the end */
	bool clean; /* as the RFCs want it: nobody reads it differently */
};

struct verb {
	const char *word;
	/* True: taken; false: must wait for the replies that are due. */
	bool (*run)(
	    struct inbound *, const struct line *, struct inbound_turn *);
};

void
inbound_start(struct inbound *i, const struct inbound_rules *rules)
{
	*i = (struct inbound){ .rules = rules,
		.pending = 1, /* the greeting */
		.ehlo = BUF(INBOUND_LINE_MAX) };
}

void
inbound_end(struct inbound *i)
{
	buf_free(&i->ehlo);
}

static void
wish(struct inbound_turn *t, enum inbound_wish what, const char *why)
{
	t->wish = what;
	t->why = why;
}

/* ---- from the client ---- */

/* On to the MTA; `awaits` AWAITS_NOTHING lets the next one follow at once. */
static void
forward(struct inbound *i, struct span line, enum inbound_awaits awaits,
    struct inbound_turn *t)
{
	buf_span(t->to_server, line);
	i->pending++;
	i->awaits = awaits;
}

/* A reply of the gate's own, in its place among the MTA's. */
static bool
answer(const struct inbound *i, struct inbound_turn *t, const char *a,
    const char *b)
{
	if (i->pending > 0)
		return false;
	buf_str(t->to_client, a);
	buf_str(t->to_client, b);
	buf_str(t->to_client, "\r\n");
	return true;
}

static bool
run_other(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	forward(i, l->all, AWAITS_ANY, t);
	return true;
}

static bool
run_ahead(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	forward(i, l->all, l->clean ? AWAITS_NOTHING : AWAITS_ANY, t);
	return true;
}

/* Sendmail keeps AUTH= of a MAIL that it refuses until RSET, and finds a second
 * one in the next.  Where one of the two is ours, the client must not see it.
 */
static bool
is_forgotten(
    struct inbound *i, const struct mail_says *now, struct inbound_turn *t)
{
	const struct mail_says *was = &i->mail_said;
	bool clash = was->mark != was->auth && now->mark != now->auth &&
	    was->mark == now->auth;

	if (!clash)
		return true;
	if (i->mail_due > 0)
		return false;
	if (!i->stale)
		return true;
	i->stale = false;
	forward(i, SPAN("RSET\r\n"), AWAITS_FORGOTTEN, t);
	return false;
}

static bool
mail_sent(struct inbound *i, const struct mail_says *says)
{
	struct mail_says was = i->mail_said;

	i->in_mail = true;
	i->mail_said = *says;
	if (i->stale) { /* that is kept, too */
		i->mail_said.mark |= was.mark;
		i->mail_said.auth |= was.auth;
	}
	i->mail_due = i->pending;
	return true;
}

static bool
run_mail(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	struct mail_says says = { 0 };
	enum mail_verdict verdict = MAIL_PLAIN;
	const char *why;

	if (i->marks && l->clean) {
		says = gate_mail_says(l->all);
		if (!is_forgotten(i, &says, t))
			return false;
		verdict = gate_mail(l->all, t->to_server, &why);
	}
	if (verdict == MAIL_REFUSED) {
		if (!answer(i, t, "501 5.5.4 ", why))
			return false;
		i->refused++;
		return true;
	}
	if (verdict == MAIL_MARKED) {
		i->marked++;
		i->pending++;
	} else
		run_ahead(i, l, t);
	return mail_sent(i, &says);
}

static bool
run_rset(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	i->in_mail = i->stale = false;
	return run_ahead(i, l, t);
}

/* BDAT size [LAST]: RFC 3030 2.  A line that is oddly written never reaches the
 * MTA, which may wait for a chunk; one with an odd size does, and its reply is
 * waited for. */
static bool
run_bdat(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	struct span size, last;

	if (!i->chunks)
		return answer(i, t, "502 5.5.1 ", "CHUNKING is not offered");
	if (!l->clean)
		return answer(i, t, "501 5.5.4 ", "BDAT needs CRLF");
	span_split(l->rest, ' ', &size, &last);
	if ((last.n > 0 && !span_iis(last, "LAST")) ||
	    !span_number(size, INT32_MAX, &i->chunk))
		return run_other(i, l, t);
	forward(i, l->all, AWAITS_NOTHING, t);
	if (i->chunk > 0)
		i->phase = INBOUND_CHUNK;
	i->in_mail = i->in_mail && last.n == 0;
	return true;
}

static bool
run_ehlo(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	buf_cut(&i->ehlo, 0);
	buf_span(&i->ehlo, l->all);
	i->marks = i->chunks = i->in_mail = false;
	forward(i, l->all, AWAITS_EHLO, t);
	return true;
}

static bool
run_helo(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	i->marks = i->chunks = i->in_mail = false;
	return run_other(i, l, t);
}

static bool
run_auth(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	forward(i, l->all, AWAITS_AUTH, t);
	return true;
}

/* Meant for proxies that the MTA trusts.  The MTA gets the bare word, and says
 * what it says to strangers. */
static bool
run_xclient(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	buf_span(t->to_server, l->verb);
	forward(i, SPAN("\r\n"), AWAITS_ANY, t);
	return true;
}

static void
go_ahead_with_tls(struct inbound_turn *t)
{
	buf_str(t->to_client, "220 2.0.0 Ready to start TLS\r\n");
	wish(t, INBOUND_CLIENT_TLS, NULL);
}

/* RFC 3207 4.  It never reaches the MTA, which could not be understood any
 * more.  What was begun in clear is forgotten there (A44). */
static bool
run_starttls(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	if (!i->rules->tls)
		return answer(i, t, "502 5.5.1 ", "STARTTLS is not offered");
	if (i->client_tls)
		return answer(i, t, "503 5.5.1 ", "TLS is active");
	if (i->authenticated)
		return answer(i, t, "503 5.5.1 ", "STARTTLS goes before AUTH");
	if (l->rest.n > 0)
		return answer(i, t, "501 5.5.4 ", "STARTTLS has no parameter");
	if (i->pending > 0)
		return false;
	if (i->in_mail)
		forward(i, SPAN("RSET\r\n"), AWAITS_RSET, t);
	else
		go_ahead_with_tls(t);
	return true;
}

/* The last row catches the rest. */
static const struct verb verbs[] = {
	{ "MAIL", run_mail },
	{ "RCPT", run_ahead },
	{ "RSET", run_rset },
	{ "NOOP", run_ahead },
	{ "BDAT", run_bdat },
	{ "EHLO", run_ehlo },
	{ "HELO", run_helo },
	{ "AUTH", run_auth },
	{ "STARTTLS", run_starttls },
	{ "XCLIENT", run_xclient },
	{ "XFORWARD", run_xclient },
	{ NULL, run_other },
};

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t
letters(struct span s)
{
	size_t n = 0;

	while (n < s.n && ((s.p[n] | 0x20) >= 'a' && (s.p[n] | 0x20) <= 'z'))
		n++;
	return n;
}

/* As liberal as any MTA in finding the verb, and strict in calling it clean:
 * one verb at the very beginning, one CRLF at the end, no other control. */
static struct line
line_read(struct span all)
{
	struct line l = { .all = all };
	struct span s = all;
	bool crlf = s.n >= 2 && s.p[s.n - 2] == '\r';

	s.n -= crlf ? 2 : 1;
	l.clean = crlf && s.n > 0 && !is_blank(s.p[0]) &&
	    memchr(s.p, '\r', s.n) == NULL && memchr(s.p, '\0', s.n) == NULL;
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_from(s, 1);
	l.verb = (struct span){ s.p, letters(s) };
	l.rest = span_trim(span_from(s, l.verb.n));
	l.clean = l.clean && (l.verb.n == s.n || s.p[l.verb.n] == ' ');
	return l;
}

static bool
run(struct inbound *i, struct span all, struct inbound_turn *t)
{
	struct line l = line_read(all);
	const struct verb *v = verbs;

	while (v->word != NULL && !span_iis(l.verb, v->word))
		v++;
	return v->run(i, &l, t);
}

static size_t
take_line(struct inbound *i, struct span in, struct inbound_turn *t)
{
	const char *lf = memchr(in.p, '\n', in.n);
	size_t n = lf != NULL ? (size_t)(lf - in.p) + 1 : in.n;

	if (n > INBOUND_LINE_MAX) {
		i->phase = INBOUND_RAW_LINE;
		i->awaits_then = AWAITS_ANY;
		return 0;
	}
	if (lf == NULL)
		return i->client_ended ? in.n : 0;
	return run(i, (struct span){ in.p, n }, t) ? n : 0;
}

static size_t
take_raw_line(struct inbound *i, struct span in, struct inbound_turn *t)
{
	const char *lf = memchr(in.p, '\n', in.n);
	size_t n = lf != NULL ? (size_t)(lf - in.p) + 1 : in.n;

	buf_add(t->to_server, in.p, n);
	if (lf != NULL) {
		i->phase = INBOUND_LINES;
		i->pending++;
		i->awaits = i->awaits_then;
	}
	return n;
}

static size_t
take_data(struct inbound *i, struct span in, struct inbound_turn *t)
{
	size_t n = smtp_data_pass(&i->data, in, t->to_server);

	if (i->data.over) {
		i->phase = INBOUND_LINES;
		i->in_mail = false;
		i->pending++;
	} else if (i->client_ended) {
		n = in.n; /* a part of the last dot's line */
	}
	return n;
}

static size_t
take_chunk(struct inbound *i, struct span in, struct inbound_turn *t)
{
	size_t n = in.n < i->chunk ? in.n : (size_t)i->chunk;

	buf_add(t->to_server, in.p, n);
	i->chunk -= n;
	if (i->chunk == 0)
		i->phase = INBOUND_LINES;
	return n;
}

size_t
inbound_from_client(struct inbound *i, struct span in, struct inbound_turn *t)
{
	static size_t (*const take[])(
	    struct inbound *, struct span, struct inbound_turn *) = {
		[INBOUND_LINES] = take_line,
		[INBOUND_RAW_LINE] = take_raw_line,
		[INBOUND_DATA] = take_data,
		[INBOUND_CHUNK] = take_chunk,
	};
	size_t used = 0, n;

	while (used < in.n && i->awaits == AWAITS_NOTHING &&
	    t->wish == INBOUND_GO) {
		enum inbound_phase phase = i->phase;

		n = take[phase](i, span_from(in, used), t);
		used += n;
		if (n == 0 && i->phase == phase)
			break;
	}
	if (t->wish == INBOUND_CLIENT_TLS && used < in.n)
		wish(t, INBOUND_DROP, "octets in clear behind STARTTLS");
	return used;
}

/* ---- from the server ---- */

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
	forward(i, buf_as_span(&i->ehlo), AWAITS_EHLO, t);
}

static void
ehlo_replied(struct inbound *i, struct span reply, struct inbound_turn *t)
{
	struct ehlo has;

	ehlo_read(reply, &has);
	if (i->rules->server_tls && has.starttls && i->client_tls &&
	    !i->server_tls && !i->server_tls_refused) {
		forward(i, SPAN("STARTTLS\r\n"), AWAITS_STARTTLS, t);
		return;
	}
	buf_free(&i->ehlo);
	/* S5: who offers MTRK must take ENVID */
	i->marks = has.dsn;
	i->chunks = has.chunking;
	ehlo_write(
	    reply, i->marks, i->rules->tls && !i->client_tls, t->to_client);
}

/* One more reply is here, maybe MAIL's. */
static void
count_reply(struct inbound *i, int code)
{
	i->pending--;
	if (i->mail_due > 0 && --i->mail_due == 0)
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
				wish(t, INBOUND_DROP, "endless EHLO reply");
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
		go_ahead_with_tls(t);
	} else if (awaited == AWAITS_STARTTLS && code == 220) {
		wish(t, INBOUND_SERVER_TLS, NULL);
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
			wish(t, INBOUND_DROP, "endless reply line");
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
	if (i->pending > 0)
		count_reply(i, l.code);
	if (l.code / 100 == 3) /* what would the MTA make of the rest? */
		wish(t, INBOUND_DROP, "a reply that nobody asked for");
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
		wish(t, INBOUND_DROP, "octets in clear behind STARTTLS");
	return used;
}

/* ---- what else happens ---- */

void
inbound_client_secured(struct inbound *i)
{
	i->client_tls = true;
	i->marks = i->chunks = false; /* EHLO comes first again */
}

void
inbound_server_secured(struct inbound *i, struct inbound_turn *t)
{
	i->server_tls = true;
	ehlo_again(i, t);
}

void
inbound_no_server(struct inbound *i, struct inbound_turn *t, const char *why)
{
	buf_str(t->to_client, "421 4.3.2 ");
	buf_str(t->to_client, i->rules->name);
	buf_str(t->to_client,
	    " Service not available, closing transmission channel\r\n");
	wish(t, INBOUND_CLOSE, why);
}

void
inbound_client_ended(struct inbound *i)
{
	i->client_ended = true;
}

bool
inbound_idle(const struct inbound *i)
{
	return i->pending == 0 && i->phase == INBOUND_LINES && !i->in_mail;
}
