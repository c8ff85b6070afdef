#include "mtqp/ask.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "common/stream.h"
#include "mtqp/discover.h"

enum { WAIT_S = 150, OPTIONS_MAX = 100 /* lines of a greeting; ours */ };

enum mtrk_err
reply_parse(struct span line, struct reply *r)
{
	/* the longer one first: "+OK" is the beginning of "+OK+" */
	static const char *const words[] = { "+OK+", "+OK", "-TEMP", "-ERR",
		"-BAD" };

	*r = (struct reply){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct span rest = span_from(line, strlen(words[i]));
		size_t n = 0;

		if (!span_istarts(line, words[i]) ||
		    (rest.n > 0 && strchr("/ \t", rest.p[0]) == NULL))
			continue;
		snprintf(r->status, sizeof r->status, "%s", words[i]);
		while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != '\t')
			n++;
		r->info = (struct span){ rest.p, n };
		r->text = span_trim(span_from(rest, n));
		return MTRK_OK;
	}
	return MTRK_SYNTAX;
}

bool
reply_has(const struct reply *r, const char *info)
{
	struct span item, rest = span_from(r->info, 1);

	while (rest.n > 0) {
		span_split(rest, '/', &item, &rest);
		if (span_iis(item, info))
			return true;
	}
	return false;
}

struct asking {
	struct stream *stream;
	bool offers_tls;
	char *why;
};

static enum mtrk_err
fail(struct asking *a, enum mtrk_err err, const char *what, struct span said)
{
	char q[200];

	snprintf(a->why, ASK_WHY_MAX, said.n > 0 ? "%s: \"%s\"" : "%s", what,
	    log_quote(said, q, sizeof q));
	return err;
}

static enum mtrk_err
next_line(struct asking *a, struct span *line)
{
	enum mtrk_err err = stream_line(a->stream, line);

	if (err == MTRK_OK)
		return err;
	if (err == MTRK_BUSY)
		return fail(a, err, "the server is too slow", SPAN(""));
	if (err == MTRK_TOOBIG)
		return fail(
		    a, MTRK_SYNTAX, "the server's line is too long", SPAN(""));
	return fail(a, MTRK_IO, "the server closed the connection", SPAN(""));
}

/* What a negative reply means for us (Q16, Q22, A22). */
static enum mtrk_err
negative(struct asking *a, const struct reply *r)
{
	struct span said = r->text.n > 0 ? r->text : r->info;

	if (reply_has(r, "tls-required") || reply_has(r, "insecure"))
		return fail(a, MTRK_DENIED, "the server wants TLS", said);
	if (reply_has(r, "noinfo"))
		return fail(
		    a, MTRK_NOTFOUND, "the server has no information", said);
	if (strcmp(r->status, "-TEMP") == 0 || reply_has(r, "unavailable") ||
	    reply_has(r, "admin"))
		return fail(a, MTRK_BUSY, "the server can't answer now", said);
	return fail(a, MTRK_SYNTAX, "the server refused", said);
}

/* Q17, Q18: a line that begins with a blank continues the one before. */
static void
take_option(struct asking *a, struct span line)
{
	struct span word = { line.p, 0 };

	while (
	    word.n < line.n && line.p[word.n] != ' ' && line.p[word.n] != '\t')
		word.n++;
	if (span_iis(word, "STARTTLS"))
		a->offers_tls = true;
}

/* Q15, Q17: "/MTQP" must be there; then options to the dot. */
static enum mtrk_err
greeting(struct asking *a)
{
	struct span line;
	struct reply r;
	enum mtrk_err err = next_line(a, &line);

	a->offers_tls = false;
	if (err != MTRK_OK)
		return err;
	if (reply_parse(line, &r) != MTRK_OK || !reply_has(&r, "MTQP"))
		return fail(a, MTRK_SYNTAX, "this is not an MTQP server", line);
	if (r.status[0] != '+')
		return negative(a, &r);
	if (strcmp(r.status, "+OK+") != 0)
		return MTRK_OK;
	for (unsigned i = 0; i < OPTIONS_MAX; i++) {
		if ((err = next_line(a, &line)) != MTRK_OK)
			return err;
		if (span_is(line, "."))
			return MTRK_OK;
		take_option(a, line);
	}
	return fail(a, MTRK_SYNTAX, "too many options", SPAN(""));
}

static void
note_tls(const struct stream *s, struct ask_tls *tls)
{
	const char *why_not;
	const struct tls *t = stream_tls(s);

	tls->active = true;
	tls->verified = tls_verified(t, &why_not);
	snprintf(tls->protocol, sizeof tls->protocol, "%s", tls_protocol(t));
	snprintf(tls->why_not, sizeof tls->why_not, "%s",
	    why_not != NULL ? why_not : "");
	tls->has_key = tls_peer_key(t, tls->key);
}

/* Q27: a server that has no certificate for the name says so. */
static enum mtrk_err
ask_for_tls(struct asking *a, const char *name, bool *bad_fqdn)
{
	struct span line;
	struct reply r;
	enum mtrk_err err = stream_fmt(a->stream, "STARTTLS %s\r\n", name);

	*bad_fqdn = false;
	if (err == MTRK_OK)
		err = next_line(a, &line);
	if (err != MTRK_OK)
		return err;
	if (reply_parse(line, &r) == MTRK_OK && r.status[0] == '+')
		return MTRK_OK;
	*bad_fqdn = reply_has(&r, "bad-fqdn");
	return fail(a, MTRK_DENIED, "STARTTLS was refused", line);
}

/* After the handshake nothing from before counts (Q33). */
static enum mtrk_err
start_tls(struct asking *a, const char *host, const char *target,
    const struct ask_options *o, struct ask_tls *tls)
{
	struct tls_ctx *ctx = NULL;
	const char *name = host;
	bool bad_fqdn = false;
	enum mtrk_err err =
	    tls_client_new(o->ca_file, &ctx, a->why, ASK_WHY_MAX);

	if (err == MTRK_OK)
		err = ask_for_tls(a, name, &bad_fqdn);
	if (bad_fqdn && strcasecmp(host, target) != 0 &&
	    discover_is_fqdn(target))
		err = ask_for_tls(a, name = target, &bad_fqdn);
	if (err == MTRK_OK)
		err =
		    stream_starttls(a->stream, ctx, name, a->why, ASK_WHY_MAX);
	tls_ctx_free(&ctx);
	if (err != MTRK_OK)
		return err;
	note_tls(a->stream, tls);
	if (name == target) {
		tls->verified = false;
		snprintf(tls->why_not, sizeof tls->why_not,
		    "it is for %s, not for %s", target, host);
	}
	return greeting(a);
}

static enum mtrk_err
secure(struct asking *a, const char *host, const char *target,
    const struct ask_options *o, struct ask_tls *tls)
{
	enum mtrk_err err = MTRK_OK;

	tls->offered = a->offers_tls;
	if (a->offers_tls && discover_is_fqdn(host)) /* Q25 */
		err = start_tls(a, host, target, o, tls);
	if (err != MTRK_OK || !o->require_tls || tls->verified)
		return err;
	return fail(a, MTRK_DENIED,
	    tls->active ? "the server's certificate is not verified"
		: tls->offered
		? "TLS is for a server's full name, and this is none"
		: "the server offers no TLS",
	    span_of(tls->why_not));
}

/* Q8: one leading dot is taken away. */
static enum mtrk_err
read_answer(struct asking *a, struct buf *mime)
{
	struct span line;
	enum mtrk_err err;

	while ((err = next_line(a, &line)) == MTRK_OK) {
		if (span_is(line, "."))
			return (enum mtrk_err)mime->err;
		buf_span(mime, span_from(line, span_starts(line, ".")));
		buf_str(mime, "\r\n");
		if (mime->err != MTRK_OK)
			return fail(
			    a, MTRK_SYNTAX, "the answer is too long", SPAN(""));
	}
	return err;
}

static enum mtrk_err
track(struct asking *a, const struct mtqp_uri *uri, struct buf *mime)
{
	struct span line;
	struct reply r;
	enum mtrk_err err =
	    stream_fmt(a->stream, "TRACK %s %s\r\n", uri->envid, uri->secret);

	if (err == MTRK_OK)
		err = next_line(a, &line);
	if (err != MTRK_OK)
		return err;
	if (reply_parse(line, &r) != MTRK_OK)
		return fail(a, MTRK_SYNTAX, "not an MTQP reply", line);
	if (r.status[0] != '+')
		return negative(a, &r);
	if (strcmp(r.status, "+OK+") != 0)
		return fail(a, MTRK_SYNTAX, "an answer without content", line);
	return read_answer(a, mime);
}

enum mtrk_err
ask_track(const struct mtqp_uri *uri, const struct endpoint *where,
    const struct ask_options *o, struct buf *mime, struct ask_tls *tls,
    char *why)
{
	struct asking a = { .why = why };
	unsigned timeout_s = o->timeout_s != 0 ? o->timeout_s : WAIT_S;
	enum mtrk_err err = stream_connect(where->address, where->port,
	    o->connect_s != 0 ? o->connect_s : STREAM_CONNECT_S, timeout_s,
	    &a.stream, why, ASK_WHY_MAX);

	*tls = (struct ask_tls){ 0 };
	if (err != MTRK_OK)
		return MTRK_IO;
	if (o->within_s != 0)
		stream_within(a.stream, o->within_s);
	err = greeting(&a);
	tls->greeted = err == MTRK_OK;
	if (err == MTRK_OK)
		err = secure(&a, uri->host, where->target, o, tls);
	if (err == MTRK_OK)
		err = track(&a, uri, mime);
	(void)stream_fmt(a.stream, "QUIT\r\n");
	stream_close(&a.stream);
	return err;
}
