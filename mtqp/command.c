#include "mtqp/command.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/encode.h"

enum {
	ARGS_KEPT = 2, /* no command has more */
	ANSWER_MAX = 16 << 20, /* ours: about 50,000 recipients */
	LABEL_MAX = 63,
	ANY_STATE = SESSION_CLEAR | SESSION_TLS,
};

struct request {
	struct span word, args[ARGS_KEPT];
	unsigned nargs; /* all, also those not kept */
	bool blank_end; /* blanks behind the last word */
};

/*
 * command = keyword *( 1*WSP argument )	; Q4
 * WSP = SP / HTAB, all else printable ASCII
 */
static const char *
request_parse(struct span line, struct request *rq)
{
	*rq = (struct request){ 0 };
	for (size_t i = 0; i < line.n; i++)
		if ((line.p[i] < ' ' || line.p[i] > '~') && line.p[i] != '\t')
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
say(struct reply *r, const char *status, const char *text)
{
	buf_fmt(&r->text, "%s %s\r\n", status, text);
}

/* Q8 */
static void
put_stuffed(struct buf *out, struct span text)
{
	struct span line;

	while (text.n > 0) {
		if (text.p[0] == '.')
			buf_chr(out, '.');
		span_split(text, '\n', &line, &text);
		buf_span(out, line);
		buf_chr(out, '\n');
	}
	buf_str(out, ".\r\n");
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

static void
answer(struct reply *r, enum mtrk_err err, const struct tstat *t)
{
	struct buf body = BUF(ANSWER_MAX);

	if (err == MTRK_OK)
		err = tstat_write(t, &body);
	r->outcome = mtrk_err_text(err);
	if (outcomes[err].status == NULL)
		say(r, "-TEMP/unavailable", "try again later");
	else
		say(r, outcomes[err].status, outcomes[err].text);
	if (err == MTRK_OK)
		put_stuffed(&r->text, buf_as_span(&body));
	buf_free(&body);
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

	q->envids = 0;
	if (envid_parse(wire, q->envid[0], &why) == MTRK_OK)
		q->envids++;
	if (wire.n > 2 && wire.p[0] == '<' && wire.p[wire.n - 1] == '>') {
		wire = (struct span){ wire.p + 1, wire.n - 2 };
		if (envid_parse(wire, q->envid[q->envids], &ignored) == MTRK_OK)
			q->envids++;
	}
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
	struct tstat_recipient *r = p != NULL ? tstat_add_recipient(p) : NULL;
	const char *us = s->conf->reporting_mta;

	if (r == NULL)
		return MTRK_NOMEM;
	p->envid = strdup(q->envid[q->envids - 1]);
	/* T11 */
	p->reporting_type =
	    strdup(strchr(us, '.') != NULL ? "dns" : "x-local-hostname");
	p->reporting_mta = strdup(us);
	p->arrival = 0; /* REQUIRED, and unknown: no time at all */
	r->original_type = strdup("unknown");
	r->original = strdup("unknown");
	r->final_type = strdup("unknown");
	r->final = strdup("unknown");
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
	if (err == MTRK_DENIED)
		err = MTRK_NOTFOUND;
	if (err == MTRK_NOTFOUND && s->conf->unknown == UNKNOWN_OPAQUE)
		err = make_opaque(s, q, t);
	return err;
}

/* track-command = "TRACK" 1*WSP unique-envid 1*WSP mtrk-secret	; Q19 */
static void
cmd_track(struct session *s, const struct request *rq, struct reply *r)
{
	struct question q;
	struct tstat t = { 0 };
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
	if (s->conf->require_tls && s->state == SESSION_CLEAR) {
		r->outcome = "TLS required";
		say(r, "-ERR/tls-required", "STARTTLS first"); /* Q22 */
		return;
	}
	answer(r, look_up(s, &q, &t), &t);
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

static void
reply_start(struct reply *r)
{
	*r = (struct reply){ .text = BUF(2 * (size_t)ANSWER_MAX) };
}

void
reply_free(struct reply *r)
{
	buf_free(&r->text);
}

void
command_run(struct session *s, struct span line, struct reply *r)
{
	const struct command *c = commands;
	struct request rq;
	const char *why;

	reply_start(r);
	if ((why = request_parse(line, &rq)) != NULL) {
		say(r, "-BAD", why);
		return;
	}
	while (c->word != NULL && !span_iis(rq.word, c->word))
		c++;
	if (!(c->states & (unsigned)s->state))
		say(r, c->refusal, "not now");
	else if (rq.nargs < c->min_args || rq.nargs > c->max_args)
		say(r, "-BAD", "wrong number of arguments");
	else if (rq.blank_end && !c->blank_end)
		say(r, "-BAD", "blanks at the end");
	else
		c->run(s, &rq, r);
}

void
command_fault(enum line fault, struct reply *r)
{
	reply_start(r);
	say(r, "-BAD",
	    fault == LINE_TOO_LONG ? "the line is too long"
				   : "lines end in CRLF");
}

void
session_start(struct session *s, const struct conf *conf,
    const struct session_doors *doors)
{
	*s = (struct session){ SESSION_CLEAR, conf, doors };
}

void
session_secured(struct session *s)
{
	session_start(s, s->conf, s->doors);
	s->state = SESSION_TLS;
}

/* Q15, Q18, Q33, Q34; without options an empty list (A50). */
void
session_greeting(const struct session *s, struct reply *r)
{
	reply_start(r);
	buf_fmt(&r->text, "+OK+/MTQP %s MTQP server ready\r\n",
	    s->conf->reporting_mta);
	if (s->doors->covers != NULL && s->state == SESSION_CLEAR)
		buf_fmt(&r->text, "STARTTLS%s\r\n",
		    s->conf->require_tls ? " required" : "");
	buf_str(&r->text, ".\r\n");
}
