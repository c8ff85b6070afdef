#include "mtqp/submit.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/encode.h"
#include "common/log.h"
#include "common/stream.h"

enum {
	WAIT_S = 300, /* RFC 5321 4.5.3.2 */
	REPLY_LINES_MAX = 100, /* ours */
	MESSAGE_MAX = 256 << 20, /* octets, ours */
	CREDENTIAL_MAX = 512, /* ours: user and password together */
};

enum extension {
	EXT_MTRK = 1,
	EXT_DSN = 2,
	EXT_STARTTLS = 4,
	EXT_AUTH_PLAIN = 8,
	EXT_AUTH_LOGIN = 16,
	EXT_8BITMIME = 32,
};

struct dialogue {
	struct stream *stream;
	unsigned extensions;
	char last[512]; /* the last line of the last reply */
	char server[256];
	char *why;
};

static enum mtrk_err
fail(struct dialogue *d, enum mtrk_err err, const char *what)
{
	char q[300];

	snprintf(d->why, SUBMIT_WHY_MAX,
	    d->last[0] != '\0' ? "%s: \"%s\"" : "%s", what,
	    log_quote(span_of(d->last), q, sizeof q));
	return err;
}

static void
take_extension(struct dialogue *d, struct span line)
{
	static const struct {
		const char *word;
		enum extension bit;
	} words[] = {
		{ "MTRK", EXT_MTRK },
		{ "DSN", EXT_DSN },
		{ "STARTTLS", EXT_STARTTLS },
		{ "8BITMIME", EXT_8BITMIME },
	};
	struct span word, rest;

	span_split(line, ' ', &word, &rest);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (span_iis(word, words[i].word))
			d->extensions |= words[i].bit;
	if (!span_iis(word, "AUTH"))
		return;
	while (rest.n > 0) {
		span_split(rest, ' ', &word, &rest);
		if (span_iis(word, "PLAIN"))
			d->extensions |= EXT_AUTH_PLAIN;
		if (span_iis(word, "LOGIN"))
			d->extensions |= EXT_AUTH_LOGIN;
	}
}

/* A reply, all its lines; its class (2 to 5), 0 if there is none. */
static unsigned
reply(struct dialogue *d, bool is_ehlo)
{
	struct span line;

	d->last[0] = '\0';
	for (unsigned i = 0; i < REPLY_LINES_MAX; i++) {
		if (stream_line(d->stream, &line) != MTRK_OK || line.n < 3 ||
		    line.p[0] < '2' || line.p[0] > '5')
			return 0;
		if (is_ehlo && i == 0) {
			struct span name, rest;

			span_split(span_from(line, 4), ' ', &name, &rest);
			span_copy(d->server, sizeof d->server, name);
		} else if (is_ehlo) {
			take_extension(d, span_from(line, 4));
		}
		if (line.n == 3 || line.p[3] != '-') {
			span_copy(d->last, sizeof d->last,
			    (struct span){ line.p,
				line.n < sizeof d->last ? line.n
							: sizeof d->last - 1 });
			return (unsigned)(line.p[0] - '0');
		}
	}
	return 0;
}

static enum mtrk_err
outcome(struct dialogue *d, unsigned klass, unsigned wanted, const char *what)
{
	static const enum mtrk_err by_class[] = { MTRK_IO, MTRK_IO, MTRK_IO,
		MTRK_IO, MTRK_BUSY, MTRK_DENIED };

	if (klass == wanted)
		return MTRK_OK;
	return klass == 0 ? fail(d, MTRK_IO, "the server gave no answer")
			  : fail(d, by_class[klass], what);
}

static enum mtrk_err
ehlo(struct dialogue *d, const struct submission *s)
{
	d->extensions = 0;
	stream_fmt(d->stream, "EHLO %s\r\n", s->helo);
	return outcome(d, reply(d, true), 2, "EHLO was refused");
}

static enum mtrk_err
start_tls(struct dialogue *d, const struct submission *s)
{
	struct tls_ctx *ctx = NULL;
	const char *why_not = "it offers no STARTTLS";
	enum mtrk_err err;

	if (!(d->extensions & EXT_STARTTLS))
		return s->require_tls ? fail(d, MTRK_DENIED, why_not) : MTRK_OK;
	err = tls_client_new(s->ca_file, &ctx, d->why, SUBMIT_WHY_MAX);
	if (err != MTRK_OK)
		return err;
	stream_fmt(d->stream, "STARTTLS\r\n");
	err = outcome(d, reply(d, false), 2, "STARTTLS was refused");
	if (err == MTRK_OK)
		err = stream_starttls(
		    d->stream, ctx, s->host, d->why, SUBMIT_WHY_MAX);
	tls_ctx_free(&ctx);
	if (err != MTRK_OK)
		return err;
	if (s->require_tls && !tls_verified(stream_tls(d->stream), &why_not)) {
		snprintf(
		    d->why, SUBMIT_WHY_MAX, "its certificate: %s", why_not);
		return MTRK_DENIED;
	}
	return ehlo(d, s);
}

/* base64 of `text` with NULs inside, as AUTH sends it. */
static enum mtrk_err
send_base64(struct dialogue *d, const char *before, struct span text)
{
	char b64[CREDENTIAL_MAX * 4 / 3 + 8];
	enum mtrk_err err = base64_encode((const unsigned char *)text.p, text.n,
	    BASE64_PADDED, b64, sizeof b64);

	if (err == MTRK_OK)
		err = stream_fmt(d->stream, "%s%s\r\n", before, b64);
	crypto_wipe(b64, sizeof b64);
	return err;
}

static unsigned
auth_plain(struct dialogue *d, const struct submission *s)
{
	char text[CREDENTIAL_MAX];
	int n =
	    snprintf(text, sizeof text, "%c%s%c%s", 0, s->user, 0, s->password);

	if (n < 0 || n >= (int)sizeof text ||
	    send_base64(d, "AUTH PLAIN ", (struct span){ text, (size_t)n }) !=
		MTRK_OK)
		n = 0;
	crypto_wipe(text, sizeof text);
	return n > 0 ? reply(d, false) : 0;
}

static unsigned
auth_login(struct dialogue *d, const struct submission *s)
{
	stream_fmt(d->stream, "AUTH LOGIN\r\n");
	if (reply(d, false) != 3 ||
	    send_base64(d, "", span_of(s->user)) != MTRK_OK ||
	    reply(d, false) != 3 ||
	    send_base64(d, "", span_of(s->password)) != MTRK_OK)
		return 0;
	return reply(d, false);
}

/* A password goes over TLS or to this very host. */
static enum mtrk_err
authenticate(struct dialogue *d, const struct submission *s)
{
	if (s->user == NULL)
		return MTRK_OK;
	d->last[0] = '\0';
	if (stream_tls(d->stream) == NULL && strcmp(s->host, "127.0.0.1") != 0)
		return fail(d, MTRK_DENIED, "no password is sent without TLS");
	if (d->extensions & EXT_AUTH_PLAIN)
		return outcome(d, auth_plain(d, s), 2, "login failed");
	if (d->extensions & EXT_AUTH_LOGIN)
		return outcome(d, auth_login(d, s), 2, "login failed");
	return fail(d, MTRK_DENIED, "it offers neither AUTH PLAIN nor LOGIN");
}

static bool
has_8bit(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return true;
	return false;
}

/* A30: ENVID and ORCPT where DSN or MTRK is offered. */
static enum mtrk_err
mail(struct dialogue *d, const struct submission *s, struct submitted *out)
{
	struct buf line = BUF(4096);
	char mtrk[MTRK_TEXT];
	enum mtrk_err err;

	out->tracked = s->assume_mtrk || (d->extensions & EXT_MTRK);
	mtrk_format(&s->mtrk, mtrk);
	buf_fmt(&line, "MAIL FROM:<%s>", s->from);
	if (out->tracked || (d->extensions & EXT_DSN))
		buf_fmt(&line, " ENVID=%s", s->envid);
	if (out->tracked)
		buf_fmt(&line, " MTRK=%s", mtrk);
	if ((d->extensions & EXT_DSN) && s->ret != NULL)
		buf_fmt(&line, " RET=%s", s->ret);
	if ((d->extensions & EXT_8BITMIME) && has_8bit(s->message))
		buf_str(&line, " BODY=8BITMIME");
	buf_str(&line, "\r\n");
	err = (enum mtrk_err)line.err;
	if (err == MTRK_OK)
		err = stream_write(d->stream, buf_as_span(&line));
	buf_free(&line);
	if (err != MTRK_OK)
		return fail(d, err, "cannot send MAIL");
	return outcome(d, reply(d, false), 2, "MAIL was refused");
}

static void
rcpt(struct dialogue *d, const struct submission *s, const char *address,
    bool orcpt)
{
	struct buf line = BUF(4096);
	char x[ORCPT_MAX];

	buf_fmt(&line, "RCPT TO:<%s>", address);
	if (orcpt && xtext_encode(span_of(address), x, sizeof x) == MTRK_OK)
		buf_fmt(&line, " ORCPT=rfc822;%s", x);
	if ((d->extensions & EXT_DSN) && s->notify != NULL)
		buf_fmt(&line, " NOTIFY=%s", s->notify);
	buf_str(&line, "\r\n");
	if (line.err == MTRK_OK)
		(void)stream_write(d->stream, buf_as_span(&line));
	buf_free(&line);
}

static enum mtrk_err
rcpts(struct dialogue *d, const struct submission *s, struct submitted *out,
    void (*refused)(const char *rcpt, struct span reply))
{
	bool orcpt = out->tracked || (d->extensions & EXT_DSN);
	unsigned klass = 0, bad = 0;

	for (size_t i = 0; i < s->n_rcpts; i++) {
		rcpt(d, s, s->rcpts[i], orcpt);
		klass = reply(d, false);
		if (klass == 0)
			return outcome(d, klass, 2, "");
		if (klass == 2)
			continue;
		bad = klass;
		out->refused++;
		refused(s->rcpts[i], span_of(d->last));
	}
	if (out->refused == s->n_rcpts)
		return outcome(d, klass, 2, "no recipient was taken");
	if (out->refused > 0 && s->all_or_none)
		return outcome(d, bad, 2, "a recipient was refused");
	return MTRK_OK;
}

void
submit_stuff(struct span m, struct buf *out)
{
	struct span line;

	while (m.n > 0) {
		span_split(m, '\n', &line, &m);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		if (span_starts(line, "."))
			buf_chr(out, '.');
		/* a bare CR inside would be another's line end */
		for (size_t i = 0; i < line.n; i++)
			buf_chr(out, line.p[i] == '\r' ? ' ' : line.p[i]);
		buf_str(out, "\r\n");
	}
	buf_str(out, ".\r\n");
}

static enum mtrk_err
data(struct dialogue *d, const struct submission *s, struct submitted *out)
{
	struct buf body = BUF(MESSAGE_MAX);
	unsigned klass;
	enum mtrk_err err;

	stream_fmt(d->stream, "DATA\r\n");
	err = outcome(d, reply(d, false), 3, "DATA was refused");
	if (err != MTRK_OK)
		return err;
	submit_stuff(s->message, &body);
	err = (enum mtrk_err)body.err;
	if (err == MTRK_OK)
		err = stream_write(d->stream, buf_as_span(&body));
	buf_free(&body);
	if (err != MTRK_OK)
		return fail(d, MTRK_IO, "the connection was lost");
	klass = reply(d, false);
	out->unsure = klass == 0;
	return outcome(d, klass, 2, "the message was refused");
}

enum mtrk_err
submit(const struct submission *s, struct submitted *out,
    void (*refused)(const char *rcpt, struct span reply), char *why)
{
	struct dialogue d = { .why = why };
	enum mtrk_err err;

	*out = (struct submitted){ 0 };
	if (stream_connect(s->host, s->port, WAIT_S, &d.stream, why,
		SUBMIT_WHY_MAX) != MTRK_OK)
		return MTRK_IO;
	err = outcome(&d, reply(&d, false), 2, "the server is not ready");
	if (err == MTRK_OK)
		err = ehlo(&d, s);
	if (err == MTRK_OK)
		err = start_tls(&d, s);
	if (err == MTRK_OK)
		err = authenticate(&d, s);
	if (err == MTRK_OK)
		err = mail(&d, s, out);
	if (err == MTRK_OK)
		err = rcpts(&d, s, out, refused);
	if (err == MTRK_OK)
		err = data(&d, s, out);
	(void)stream_fmt(d.stream, "QUIT\r\n");
	stream_close(&d.stream);
	span_copy(out->server, sizeof out->server, span_of(d.server));
	return err;
}
