#include "mtqp/smtp.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/encode.h"
#include "common/log.h"

enum {
	REPLY_LINES_MAX = 100, /* ours */
	CREDENTIAL_MAX = 1024, /* more than a user and a password, see
				  track_conf.h and password.h */
};

enum mtrk_err
smtp_fail(struct smtp *d, enum mtrk_err err, const char *what)
{
	char q[400];

	snprintf(d->why, SMTP_WHY_MAX, d->last[0] != '\0' ? "%s: \"%s\"" : "%s",
	    what, log_quote(span_of(d->last), q, sizeof q));
	return err;
}

static void
take_extension(struct smtp *d, struct span line)
{
	static const struct {
		const char *word;
		enum smtp_extension bit;
	} words[] = {
		{ "MTRK", EXT_MTRK },
		{ "DSN", EXT_DSN },
		{ "STARTTLS", EXT_STARTTLS },
		{ "8BITMIME", EXT_8BITMIME },
		{ "SMTPUTF8", EXT_SMTPUTF8 },
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

/* The code once, then what all lines say; what is too long is cut. */
static void
keep_line(struct smtp *d, struct span line)
{
	const size_t had = strlen(d->last), room = sizeof d->last - had;
	const struct span text = span_from(line, had > 0 ? 4 : 0);

	snprintf(d->last + had, room, "%s%.*s", had > 0 ? " " : "", (int)text.n,
	    text.p);
	if (had == 0 && span_starts(span_from(text, 3), "-"))
		d->last[3] = ' ';
}

/* All its lines; those behind the first go to `each`, which may be NULL. */
static unsigned
read_reply(struct smtp *d, unsigned within_s,
    void (*each)(struct smtp *, struct span line))
{
	struct span line;

	d->last[0] = '\0';
	stream_within(d->stream, within_s);
	for (unsigned i = 0; i < REPLY_LINES_MAX; i++) {
		if (stream_line(d->stream, &line) != MTRK_OK)
			return 0;
		if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5') {
			d->last[0] = '\0';
			keep_line(d, line);
			return 0;
		}
		keep_line(d, line);
		if (each != NULL && i > 0)
			each(d, span_from(line, 4));
		if (line.n == 3 || line.p[3] != '-')
			return (unsigned)(line.p[0] - '0');
	}
	return 0;
}

unsigned
smtp_reply(struct smtp *d, unsigned within_s)
{
	return read_reply(d, within_s, NULL);
}

enum mtrk_err
smtp_outcome(struct smtp *d, unsigned klass, unsigned wanted, const char *what)
{
	static const enum mtrk_err by_class[] = { MTRK_IO, MTRK_IO, MTRK_IO,
		MTRK_IO, MTRK_BUSY, MTRK_DENIED };

	if (klass == wanted)
		return MTRK_OK;
	if (klass == 0)
		what = d->last[0] == '\0' ? "the server gave no answer"
					  : "this is no answer of SMTP";
	return smtp_fail(d, by_class[klass], what);
}

static enum mtrk_err
ehlo(struct smtp *d, const struct smtp_options *o)
{
	d->extensions = 0;
	stream_fmt(d->stream, "EHLO %s\r\n", o->helo);
	return smtp_outcome(d, read_reply(d, SMTP_REPLY_S, take_extension), 2,
	    "EHLO was refused");
}

static enum mtrk_err
handshake(struct smtp *d, const struct smtp_options *o)
{
	struct tls_ctx *ctx = NULL;
	const char *why_not;
	enum mtrk_err err =
	    tls_client_new(o->ca_file, &ctx, d->why, SMTP_WHY_MAX);

	stream_within(d->stream, SMTP_REPLY_S);
	if (err == MTRK_OK)
		err = stream_starttls(
		    d->stream, ctx, o->host, d->why, SMTP_WHY_MAX);
	tls_ctx_free(&ctx);
	if (err != MTRK_OK || !o->require_tls ||
	    tls_verified(stream_tls(d->stream), &why_not))
		return err;
	snprintf(d->why, SMTP_WHY_MAX, "its certificate: %s", why_not);
	return MTRK_DENIED;
}

/* What was said before TLS does not count. */
static enum mtrk_err
start_tls(struct smtp *d, const struct smtp_options *o)
{
	enum mtrk_err err;

	if (stream_tls(d->stream) != NULL)
		return MTRK_OK;
	d->last[0] = '\0';
	if (!(d->extensions & EXT_STARTTLS))
		return o->require_tls
		    ? smtp_fail(d, MTRK_DENIED, "it offers no STARTTLS")
		    : MTRK_OK;
	stream_fmt(d->stream, "STARTTLS\r\n");
	err = smtp_outcome(
	    d, smtp_reply(d, SMTP_REPLY_S), 2, "STARTTLS was refused");
	if (err == MTRK_OK)
		err = handshake(d, o);
	return err == MTRK_OK ? ehlo(d, o) : err;
}

/* base64 of `text` with NULs inside, as AUTH sends it; the reply to it. */
static unsigned
say_base64(struct smtp *d, const char *before, struct span text)
{
	char b64[CREDENTIAL_MAX * 4 / 3 + 8];

	if (base64_encode((const unsigned char *)text.p, text.n, BASE64_PADDED,
		b64, sizeof b64) == MTRK_OK)
		stream_fmt(d->stream, "%s%s\r\n", before, b64);
	crypto_wipe(b64, sizeof b64);
	return smtp_reply(d, SMTP_REPLY_S);
}

static unsigned
auth_plain(struct smtp *d, const struct smtp_options *o)
{
	char text[CREDENTIAL_MAX];
	int n =
	    snprintf(text, sizeof text, "%c%s%c%s", 0, o->user, 0, o->password);
	unsigned klass =
	    say_base64(d, "AUTH PLAIN ", (struct span){ text, (size_t)n });

	crypto_wipe(text, sizeof text);
	return klass;
}

static unsigned
auth_login(struct smtp *d, const struct smtp_options *o)
{
	const char *const words[] = { o->user, o->password };
	unsigned klass;

	stream_fmt(d->stream, "AUTH LOGIN\r\n");
	klass = smtp_reply(d, SMTP_REPLY_S);
	for (size_t i = 0; i < ARRAY_LEN(words) && klass == 3; i++)
		klass = say_base64(d, "", span_of(words[i]));
	return klass;
}

/* A password goes to this very host, or over TLS to whom an authority vouches
 * for: whoever stands in between has a certificate, too. */
static enum mtrk_err
may_tell_password(struct smtp *d, const struct smtp_options *o)
{
	const char *why_not = "it offers no STARTTLS";
	const struct tls *tls = stream_tls(d->stream);

	if (strcmp(o->host, "127.0.0.1") == 0 || strcmp(o->host, "::1") == 0 ||
	    (tls != NULL && tls_verified(tls, &why_not)))
		return MTRK_OK;
	snprintf(d->why, SMTP_WHY_MAX,
	    "no password is sent without verified TLS: %s", why_not);
	return MTRK_DENIED;
}

static enum mtrk_err
authenticate(struct smtp *d, const struct smtp_options *o)
{
	enum mtrk_err err;

	d->last[0] = '\0';
	if (o->user == NULL)
		return MTRK_OK;
	if ((err = may_tell_password(d, o)) != MTRK_OK)
		return err;
	if (d->extensions & EXT_AUTH_PLAIN)
		return smtp_outcome(d, auth_plain(d, o), 2, "login failed");
	if (d->extensions & EXT_AUTH_LOGIN)
		return smtp_outcome(d, auth_login(d, o), 2, "login failed");
	return smtp_fail(
	    d, MTRK_DENIED, "it offers neither AUTH PLAIN nor LOGIN");
}

static void
say(const struct smtp_options *o, const char *what)
{
	char text[SMTP_WHY_MAX];

	if (o->waiting == NULL)
		return;
	snprintf(text, sizeof text, "%s %s port %u ...", what, o->host,
	    (unsigned)o->port);
	o->waiting(text);
}

enum mtrk_err
smtp_open(struct smtp *d, const struct smtp_options *o, char *why)
{
	enum mtrk_err err;

	*d = (struct smtp){ .why = why };
	say(o, "Connecting to");
	if (stream_connect(o->host, o->port, STREAM_CONNECT_S, SMTP_END_S,
		&d->stream, why, SMTP_WHY_MAX) != MTRK_OK)
		return MTRK_IO;
	say(o, "Waiting for");
	err = o->port == SUBMISSIONS_PORT ? handshake(d, o) : MTRK_OK;
	if (err == MTRK_OK)
		err = smtp_outcome(d, smtp_reply(d, SMTP_REPLY_S), 2,
		    "the server is not ready");
	if (err == MTRK_OK)
		err = ehlo(d, o);
	if (err == MTRK_OK)
		err = start_tls(d, o);
	if (err == MTRK_OK)
		err = authenticate(d, o);
	return err == MTRK_OK || err == MTRK_BUSY ? err : MTRK_IO;
}

void
smtp_close(struct smtp *d)
{
	if (d->stream == NULL)
		return;
	stream_within(d->stream, 1);
	(void)stream_fmt(d->stream, "QUIT\r\n");
	stream_close(&d->stream);
}
