#include "milter/gate_inbound_private.h"

#include <string.h>

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
	bool read; /* never passed on without being read, so never too long */
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

void
inbound_want(struct inbound_turn *t, enum inbound_wish what, const char *why)
{
	t->wish = what;
	t->why = why;
}

/* ---- from the client ---- */

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* On to the MTA; `awaits` AWAITS_NOTHING lets the next one follow at once. */
void
inbound_forward(struct inbound *i, struct span line, enum inbound_awaits awaits,
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
	inbound_forward(i, l->all, AWAITS_ANY, t);
	return true;
}

static bool
run_ahead(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	inbound_forward(i, l->all, l->clean ? AWAITS_NOTHING : AWAITS_ANY, t);
	return true;
}

/* Would Sendmail find AUTH= twice where the client hasn't said it twice?  And
 * nothing else, for that it should be told. */
static bool
clashes(enum mail_says was, enum mail_says now)
{
	const enum mail_says auths = MAIL_SAYS_MARK | MAIL_SAYS_AUTH;

	return ((was ^ now) & auths) == auths && (was & auths) != 0 &&
	    (now & auths) != 0 && (was & now & ~auths) == 0;
}

/* Sendmail keeps the parameters of a MAIL that it refuses until RSET, and finds
 * them again in the next. */
static bool
is_forgotten(struct inbound *i, enum mail_says now, struct inbound_turn *t)
{
	if (!clashes(i->mail_said, now))
		return true;
	if (i->mail_due > 0)
		return false;
	if (!i->stale)
		return true;
	i->stale = false;
	inbound_forward(i, SPAN("RSET\r\n"), AWAITS_FORGOTTEN, t);
	return false;
}

static bool
mail_sent(struct inbound *i, enum mail_says says)
{
	i->in_mail = true;
	i->mail_said = says | (i->stale ? i->mail_said : 0);
	i->mail_due = i->pending;
	return true;
}

static bool
run_mail(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	enum mail_says says = 0;
	enum mail_verdict verdict = MAIL_PLAIN;
	const char *why;

	if (i->marks && l->clean) {
		says = gate_mail_says(l->all);
		if (!is_forgotten(i, says, t))
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
	return mail_sent(i, says);
}

static bool
run_rset(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	i->in_mail = i->stale = false;
	return run_ahead(i, l, t);
}

/* The next word, as MTAs part them. */
static struct span
next_word(struct span *s)
{
	struct span word = span_trim(*s);
	size_t n = 0;

	while (n < word.n && !is_blank(word.p[n]))
		n++;
	*s = span_from(word, n);
	return (struct span){ word.p, n };
}

/* BDAT size [LAST]: RFC 3030 2.  A line that is oddly written never reaches the
 * MTA, which may wait for a chunk; one with an odd size does, and its reply is
 * waited for. */
static bool
run_bdat(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	struct span rest = l->rest, size = next_word(&rest),
		    last = next_word(&rest);

	if (!i->chunks)
		return answer(i, t, "502 5.5.1 ", "CHUNKING is not offered");
	if (!l->clean)
		return answer(i, t, "501 5.5.4 ", "BDAT needs CRLF");
	if (rest.n > 0 || (last.n > 0 && !span_iis(last, "LAST")) ||
	    !span_number(size, INBOUND_CHUNK_MAX, &i->chunk))
		return run_other(i, l, t);
	inbound_forward(i, l->all, AWAITS_NOTHING, t);
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
	inbound_forward(i, l->all, AWAITS_EHLO, t);
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
	inbound_forward(i, l->all, AWAITS_AUTH, t);
	return true;
}

/* Meant for proxies that the MTA trusts.  The MTA gets the bare word, and says
 * what it says to strangers. */
static bool
run_xclient(struct inbound *i, const struct line *l, struct inbound_turn *t)
{
	buf_span(t->to_server, l->verb);
	inbound_forward(i, SPAN("\r\n"), AWAITS_ANY, t);
	return true;
}

void
inbound_go_ahead_with_tls(struct inbound_turn *t)
{
	buf_str(t->to_client, "220 2.0.0 Ready to start TLS\r\n");
	inbound_want(t, INBOUND_CLIENT_TLS, NULL);
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
		inbound_forward(i, SPAN("RSET\r\n"), AWAITS_RSET, t);
	else
		inbound_go_ahead_with_tls(t);
	return true;
}

/* The last row catches the rest. */
static const struct verb verbs[] = {
	{ "MAIL", run_mail, false },
	{ "RCPT", run_ahead, false },
	{ "RSET", run_rset, false },
	{ "NOOP", run_ahead, false },
	{ "BDAT", run_bdat, true },
	{ "EHLO", run_ehlo, true },
	{ "HELO", run_helo, false },
	{ "AUTH", run_auth, false },
	{ "STARTTLS", run_starttls, true },
	{ "XCLIENT", run_xclient, true },
	{ "XFORWARD", run_xclient, true },
	{ NULL, run_other, false },
};

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

static const struct verb *
verb_of(const struct line *l)
{
	const struct verb *v = verbs;

	while (v->word != NULL && !span_iis(l->verb, v->word))
		v++;
	return v;
}

/* An MTA may read the beginning and throw away the rest.  What may not pass
 * unread does not pass at all. */
static void
begin_long_line(struct inbound *i, struct span in, struct inbound_turn *t)
{
	struct line l = line_read((struct span){ in.p, INBOUND_LINE_MAX });

	if (!verb_of(&l)->read) {
		i->phase = INBOUND_RAW_LINE;
		i->awaits_then = AWAITS_ANY;
	} else if (answer(i, t, "500 5.5.2 ", "The line is too long"))
		i->phase = INBOUND_LOST_LINE;
}

static size_t
line_size(struct span in, bool *whole)
{
	const char *lf = memchr(in.p, '\n', in.n);

	*whole = lf != NULL;
	return lf != NULL ? (size_t)(lf - in.p) + 1 : in.n;
}

static size_t
take_line(struct inbound *i, struct span in, struct inbound_turn *t)
{
	struct line l;
	bool whole;
	size_t n = line_size(in, &whole);

	if (n > INBOUND_LINE_MAX) {
		begin_long_line(i, in, t);
		return 0;
	}
	if (!whole)
		return i->client_ended ? n : 0;
	l = line_read((struct span){ in.p, n });
	return verb_of(&l)->run(i, &l, t) ? n : 0;
}

static size_t
take_lost_line(struct inbound *i, struct span in, struct inbound_turn *t)
{
	bool whole;
	size_t n = line_size(in, &whole);

	(void)t;
	if (whole)
		i->phase = INBOUND_LINES;
	return n;
}

static size_t
take_raw_line(struct inbound *i, struct span in, struct inbound_turn *t)
{
	bool whole;
	size_t n = line_size(in, &whole);

	buf_add(t->to_server, in.p, n);
	if (whole) {
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
		[INBOUND_LOST_LINE] = take_lost_line,
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
		inbound_want(
		    t, INBOUND_DROP, "octets in clear behind STARTTLS");
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
inbound_no_server(struct inbound *i, struct inbound_turn *t, const char *why)
{
	buf_str(t->to_client, "421 4.3.2 ");
	buf_str(t->to_client, i->rules->name);
	buf_str(t->to_client,
	    " Service not available, closing transmission channel\r\n");
	inbound_want(t, INBOUND_CLOSE, why);
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
