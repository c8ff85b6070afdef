#include "mtqp/command.h"

#include <limits.h>
#include <string.h>

#include "common/crypto.h"
#include "common/encode.h"

enum {
	ARGS_KEPT = 2, /* no command has more */
	ANSWER_MAX = 16 << 20, /* ours: about 50,000 recipients */
	LABEL_MAX = 63,
	JUNK_MAX = 100, /* Postfix's smtpd_junk_command_limit */
	ANY_STATE = SESSION_CLEAR | SESSION_TLS,
};

struct request {
	struct span word, args[ARGS_KEPT];
	unsigned nargs; /* all, also those not kept */
	bool blank_end; /* blanks behind the last word */
};

static bool
is_printable(struct span line)
{
	char odd = 0; /* char, and no way out: done 16 at a time */

	for (size_t i = 0; i < line.n; i++)
		odd |=
		    (line.p[i] < ' ' || line.p[i] > '~') && line.p[i] != '\t';
	return !odd;
}

/*
 * command = keyword *( 1*WSP argument )	; Q4
 * WSP = SP / HTAB, all else printable ASCII
 */
static const char *
request_parse(struct span line, struct request *rq)
{
	*rq = (struct request){ 0 };
	if (!is_printable(line))
		return "only printable ASCII, please";
	for (unsigned word = 0; line.n > 0; word++) {
		struct span piece = line;

		for (piece.n = 0; piece.n < line.n && piece.p[piece.n] != ' ' &&
		     piece.p[piece.n] != '\t';)
			piece.n++;
		if (word == 0)
			rq->word = piece;
		else if (rq->nargs++ < ARGS_KEPT)
			rq->args[word - 1] = piece;
		line = span_from(line, piece.n);
		rq->blank_end = line.n > 0;
		while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
			line = span_from(line, 1);
	}
	return rq->word.n > 0 ? NULL : "no command";
}

static void
put_status(struct buf *out, const char *status, const char *text)
{
	buf_str(out, status);
	buf_chr(out, ' ');
	buf_str(out, text);
	buf_str(out, "\r\n");
}

static void
say(struct reply *r, const char *status, const char *text)
{
	r->bad = strncmp(status, "-BAD", 4) == 0;
	put_status(r->text, status, text);
}

static bool
has_dot_first(struct span text)
{
	char has = text.n > 0 && text.p[0] == '.'; /* as is_printable() */

	for (size_t i = 1; i < text.n; i++)
		has |= (text.p[i - 1] == '\n') & (text.p[i] == '.');
	return has;
}

/*
 * Q8, for what stands in `text` from `at` on.  Our own writer never begins a
 * line with a dot, so nearly always nothing has to move.
 */
static void
stuff_dots(struct buf *text, size_t at)
{
	struct span body = span_from(buf_as_span(text), at), line;
	struct buf copy = BUF(body.n);

	if (has_dot_first(body)) {
		buf_span(&copy, body);
		buf_cut(text, at);
		for (body = buf_as_span(&copy); body.n > 0;) {
			if (body.p[0] == '.')
				buf_chr(text, '.');
			span_split(body, '\n', &line, &body);
			buf_span(text, line);
			buf_chr(text, '\n');
		}
		buf_free(&copy);
	}
	buf_str(text, ".\r\n");
}

/* The one place where what a lookup came to becomes protocol words. */
static const struct {
	const char *status, *text;
} outcomes[MTRK_ERR_COUNT] = {
	[MTRK_OK] = { "+OK+", "Tracking information follows" },
	/* A16: do not say which */
	[MTRK_NOTFOUND] = { "-ERR/noinfo", "no information" },
	[MTRK_DENIED] = { "-ERR/noinfo", "no information" },
	/* all others are our own trouble */
};

/* The body, no longer than ANSWER_MAX; on failure nothing is added. */
static enum mtrk_err
put_body(struct buf *text, const struct tstat *t)
{
	size_t start = text->n, max = text->max, body;
	enum mtrk_err err;

	put_status(text, outcomes[MTRK_OK].status, outcomes[MTRK_OK].text);
	body = text->n;
	text->max = body + ANSWER_MAX;
	err = tstat_write(t, text);
	text->max = max;
	if (err == MTRK_OK) {
		stuff_dots(text, body);
		return MTRK_OK;
	}
	if (text->err == MTRK_TOOBIG)
		text->err = MTRK_OK; /* it was too much, not all there is */
	buf_cut(text, start);
	return err;
}

void
command_answer(struct reply *r, enum mtrk_err err, const struct tstat *t)
{
	if (err == MTRK_OK)
		err = put_body(r->text, t);
	r->outcome = mtrk_err_text(err);
	r->err = err;
	if (err == MTRK_OK)
		return;
	if (outcomes[err].status == NULL)
		say(r, "-TEMP/unavailable", "try again later");
	else
		say(r, outcomes[err].status, outcomes[err].text);
}

/* What TRACK asks, decoded. */
struct question {
	char envid[2][ENVID_MAX + 1]; /* as it stands, and without brackets */
	size_t envids;
	unsigned char certifier[CERTIFIER_LEN];
	enum mtrk_err hashed; /* whether there is a certifier */
};

/* A11: the RFC's examples put brackets around the envid, its grammar not. */
static const char *
take_envid(struct span wire, struct question *q)
{
	const char *why = NULL, *ignored;
	struct span bare = span_bare(wire);

	q->envids = 0;
	if (envid_parse(wire, q->envid[0], &why) == MTRK_OK)
		q->envids++;
	if (bare.n < wire.n &&
	    envid_parse(bare, q->envid[q->envids], &ignored) == MTRK_OK)
		q->envids++;
	return q->envids > 0 ? NULL : why;
}

/* A2, A3: exactly the octets that the base64 stands for, however few. */
static const char *
take_secret(struct span base64, struct question *q)
{
	unsigned char secret[SECRET_MAX];
	const char *why = NULL;
	size_t n = 0;

	switch (base64_decode(base64, secret, sizeof secret, &n)) {
	case MTRK_OK:
		q->hashed = crypto_sha1(secret, n, q->certifier);
		break;
	case MTRK_TOOBIG:
		why = "the secret is too long";
		break;
	default:
		why = "the secret is not base64";
	}
	crypto_wipe(secret, sizeof secret);
	return why;
}

/*
 * A17: an answer for what we do not know, or must not tell.  It has no word
 * that depends on which of the two it is.
 */
static enum mtrk_err
make_opaque(const struct session *s, const struct question *q, struct tstat *t)
{
	struct tstat_part *p = tstat_add_part(t);
	struct tstat_recipient *r =
	    p != NULL ? tstat_add_recipient(t, p) : NULL;
	const char *us = s->conf->reporting_mta;

	if (r == NULL)
		return MTRK_NOMEM;
	p->envid = q->envid[q->envids - 1];
	/* T11 */
	p->reporting_type =
	    strchr(us, '.') != NULL ? "dns" : "x-local-hostname";
	p->reporting_mta = us;
	p->arrival = 0; /* REQUIRED, and unknown: no time at all */
	r->original_type = "unknown";
	r->original = "unknown";
	r->final_type = "unknown";
	r->final = "unknown";
	r->action = ACTION_OPAQUE;
	r->status = STATUS(2, 0, 0); /* A21 */
	return MTRK_OK;
}

static enum mtrk_err
look_up(const struct session *s, const struct question *q, struct tstat *t)
{
	enum mtrk_err err = q->hashed == MTRK_OK ? MTRK_NOTFOUND : q->hashed;

	for (size_t i = 0; i < q->envids && err == MTRK_NOTFOUND; i++)
		err = s->doors->track(
		    s->doors->arg, span_of(q->envid[i]), q->certifier, t);
	return err == MTRK_DENIED ? MTRK_NOTFOUND : err;
}

/* The envid's host is this domain, in it, or its hash (A14). */
static bool
is_host_of(struct span host, const char *domain)
{
	struct span d = span_of(domain);
	char hash[CERTIFIER_TEXT + 1];

	return peer_in_domain(host, d) ||
	    (fqhn_hash(d, hash) == MTRK_OK && span_is(host, hash));
}

/*
 * Q18, A53: by what is asked, so that the answer doesn't tell whether there
 * is such a message.
 */
static bool
needs_tls(const struct conf *conf, const struct question *q)
{
	const char *host = strrchr(q->envid[q->envids - 1], '@');

	if (conf->require_tls)
		return true;
	for (size_t i = 0; host != NULL && i < conf->require_tls_for.n; i++)
		if (is_host_of(
			span_of(host + 1), conf->require_tls_for.text[i]))
			return true;
	return false;
}

/* A question whose answer other servers add to: kept for them (Q13). */
static void
leave_to_chain(const struct question *q, struct span secret, struct reply *r,
    struct tstat *t)
{
	span_copy(r->secret, sizeof r->secret, secret);
	memcpy(r->certifier, q->certifier, sizeof r->certifier);
	r->known = *t;
	*t = (struct tstat){ 0 };
	r->after = AFTER_CHAIN;
	r->outcome = NULL; /* not yet */
}

/* track-command = "TRACK" 1*WSP unique-envid 1*WSP mtrk-secret	; Q19 */
static void
cmd_track(struct session *s, const struct request *rq, struct reply *r)
{
	struct question q;
	struct tstat t = { 0 };
	enum mtrk_err err;
	const char *why = take_envid(rq->args[0], &q);

	r->outcome = "bad syntax";
	if (why == NULL) {
		memcpy(r->envid, q.envid[q.envids - 1], sizeof r->envid);
		why = take_secret(rq->args[1], &q);
	}
	if (why != NULL) {
		say(r, "-BAD", why);
		return;
	}
	if (s->state == SESSION_CLEAR && needs_tls(s->conf, &q)) {
		r->outcome = "TLS required";
		r->err = MTRK_DENIED;
		say(r, "-ERR/tls-required", "STARTTLS first"); /* Q22 */
		return;
	}
	err = look_up(s, &q, &t);
	r->failed = err == MTRK_NOTFOUND;
	if (r->failed && s->conf->unknown == UNKNOWN_OPAQUE)
		err = make_opaque(s, &q, &t);
	if (err == MTRK_OK && !r->failed && s->doors->chains != NULL &&
	    s->doors->chains(s->doors->arg, &t))
		leave_to_chain(&q, rq->args[1], r, &t);
	else
		command_answer(r, err, &t);
	tstat_free(&t);
}

/* sub-domain = Let-dig [Ldh-str]	; RFC 5321 4.1.2 */
static bool
is_label(struct span label)
{
	if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' ||
	    label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = label.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c != '-')
			return false;
	}
	return true;
}

/* domain = sub-domain 1*("." sub-domain)	; Q25 */
static bool
is_fqdn(struct span domain)
{
	struct span label;
	unsigned labels = 0;
	bool more = true;

	if (domain.n > FQDN_MAX)
		return false;
	while (more) {
		more = span_split(domain, '.', &label, &domain);
		if (!is_label(label))
			return false;
		labels++;
	}
	return labels >= 2;
}

/* starttls-command = "STARTTLS" 1*WSP domain *WSP	; Q25 */
static void
cmd_starttls(struct session *s, const struct request *rq, struct reply *r)
{
	if (s->doors->covers == NULL) {
		say(r, "-BAD/unsupported", "no certificate here"); /* A22 */
		return;
	}
	if (!is_fqdn(rq->args[0]) ||
	    !span_copy(r->fqdn, sizeof r->fqdn, rq->args[0])) {
		say(r, "-BAD", "a fully qualified domain name is wanted");
		return;
	}
	if (!s->doors->covers(s->doors->arg, r->fqdn)) {
		say(r, "-BAD/bad-fqdn", "this is another host"); /* Q27 */
		return;
	}
	say(r, "+OK", "begin TLS now");
	r->after = AFTER_STARTTLS;
}

/* comment-command = "COMMENT" opt-text	; Q24 */
static void
cmd_comment(struct session *s, const struct request *rq, struct reply *r)
{
	(void)s;
	(void)rq;
	say(r, "+OK", "thank you");
}

/* quit-command = "QUIT"	; Q35 */
static void
cmd_quit(struct session *s, const struct request *rq, struct reply *r)
{
	(void)s;
	(void)rq;
	say(r, "+OK", "goodbye");
	r->after = AFTER_CLOSE;
}

static void
cmd_unknown(struct session *s, const struct request *rq, struct reply *r)
{
	(void)s;
	(void)rq;
	say(r, "-BAD", "unknown command"); /* Q9 */
}

static const struct command {
	const char *word;
	const char *refusal; /* the status, where it is not allowed ... */
	unsigned states; /* ... that is, in all but these */
	unsigned min_args, max_args;
	bool blank_end; /* the grammar has *WSP at its end */
	void (*run)(struct session *, const struct request *, struct reply *);
} commands[] = {
	{ "TRACK", NULL, ANY_STATE, 2, 2, false, cmd_track },
	{ "STARTTLS", "-BAD/tls-in-progress", SESSION_CLEAR, 1, 1, true,
	    cmd_starttls }, /* A23 */
	{ "COMMENT", NULL, ANY_STATE, 0, UINT_MAX, true, cmd_comment },
	{ "QUIT", NULL, ANY_STATE, 0, 0, false, cmd_quit },
	{ NULL, NULL, ANY_STATE, 0, UINT_MAX, true, cmd_unknown },
}; /* the last row catches the rest */

static const struct command *
find(struct span word)
{
	const struct command *c = commands;

	while (c->word != NULL && !span_iis(word, c->word))
		c++;
	return c;
}

static void
run(struct session *s, struct span line, struct reply *r)
{
	const struct command *c;
	struct request rq;
	const char *why = request_parse(line, &rq);

	if (why != NULL) {
		say(r, "-BAD", why);
		return;
	}
	c = find(rq.word);
	if (!(c->states & (unsigned)s->state))
		say(r, c->refusal, "not now");
	else if (rq.nargs < c->min_args || rq.nargs > c->max_args)
		say(r, "-BAD", "wrong number of arguments");
	else if (rq.blank_end && !c->blank_end)
		say(r, "-BAD", "blanks at the end");
	else
		c->run(s, &rq, r);
}

/* Q11: whoever goes on and on with what is no command is cut off. */
static void
count_junk(struct session *s, struct reply *r)
{
	if (r->bad && ++s->junk >= JUNK_MAX)
		r->after = AFTER_CLOSE;
}

void
command_run(
    struct session *s, struct span line, struct buf *text, struct reply *r)
{
	*r = (struct reply){ .text = text };
	run(s, line, r);
	count_junk(s, r);
}

void
command_fault(
    struct session *s, enum line fault, struct buf *text, struct reply *r)
{
	*r = (struct reply){ .text = text };
	say(r, "-BAD",
	    fault == LINE_TOO_LONG ? "the line is too long"
				   : "lines end in CRLF");
	count_junk(s, r);
}

void
command_refuse(struct buf *text, struct reply *r)
{
	*r = (struct reply){ .text = text };
	say(r, "-TEMP/unavailable", "too many commands");
}

void
session_start(struct session *s, const struct conf *conf,
    const struct session_doors *doors)
{
	*s = (struct session){ SESSION_CLEAR, 0, conf, doors };
}

void
session_secured(struct session *s)
{
	session_start(s, s->conf, s->doors);
	s->state = SESSION_TLS;
}

/* Q15, Q18, Q33, Q34; without options an empty list (A50). */
void
session_greeting(const struct session *s, struct buf *text)
{
	bool required = s->conf->require_tls || s->conf->require_tls_for.n > 0;

	buf_fmt(
	    text, "+OK+/MTQP %s MTQP server ready\r\n", s->conf->reporting_mta);
	if (s->doors->covers != NULL && s->state == SESSION_CLEAR)
		buf_fmt(text, "STARTTLS%s\r\n", required ? " required" : "");
	buf_str(text, ".\r\n");
}
