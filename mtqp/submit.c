#include "mtqp/submit.h"

#include <stdio.h>

#include "common/address_utf8.h"
#include "common/encode.h"
#include "mtqp/letter.h"

enum {
	MESSAGE_MAX = 256 << 20, /* octets, ours */
	DATA_S = 600, /* for a message, and */
	DATA_RATE = 1024, /* a second more for so many octets; ours */
};

static bool
is_ascii(const char *s)
{
	return address_is_ascii(span_of(s));
}

/*
 * RFC 6531: an address beyond ASCII goes to a server that takes it, or nothing
 * is sent at all.  *utf8: MAIL says so.
 */
static enum mtrk_err
check_utf8(struct smtp *d, const struct submission *s, bool *utf8)
{
	const char *address = is_ascii(s->from) ? NULL : s->from;

	for (size_t i = 0; i < s->n_rcpts && address == NULL; i++)
		if (!is_ascii(s->rcpts[i]))
			address = s->rcpts[i];
	*utf8 = (d->extensions & EXT_SMTPUTF8) &&
	    (address != NULL || letter_has_utf8_address(s->message));
	if (*utf8 || address == NULL)
		return MTRK_OK;
	snprintf(d->why, SMTP_WHY_MAX,
	    "<%.300s>: the server takes addresses in ASCII only (it offers no "
	    "SMTPUTF8)",
	    address);
	return MTRK_IO;
}

/* A30: ENVID and ORCPT where DSN or MTRK is offered. */
static enum mtrk_err
mail(struct smtp *d, const struct submission *s, bool utf8,
    struct submitted *out)
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
	if ((d->extensions & EXT_8BITMIME) && !address_is_ascii(s->message))
		buf_str(&line, " BODY=8BITMIME");
	if (utf8)
		buf_str(&line, " SMTPUTF8");
	buf_str(&line, "\r\n");
	err = (enum mtrk_err)line.err;
	if (err == MTRK_OK)
		err = stream_write(d->stream, buf_as_span(&line));
	buf_free(&line);
	if (err != MTRK_OK)
		return smtp_fail(d, err, "cannot send MAIL");
	return smtp_outcome(
	    d, smtp_reply(d, SMTP_REPLY_S), 2, "MAIL was refused");
}

/* What is too long for the field is left out; of UTF-8 the form for 7 bits
 * (RFC 6533 3), which all hops behind can carry. */
static void
add_orcpt(struct buf *line, const char *address)
{
	char x[ORCPT_MAX];
	struct buf utf8 = BUF(ORCPT_MAX - 16);

	if (is_ascii(address)) {
		if (xtext_encode(span_of(address), x, sizeof x) == MTRK_OK)
			buf_fmt(line, " ORCPT=rfc822;%s", x);
	} else if (address_utf8_encode(span_of(address), false, &utf8)) {
		buf_fmt(line, " ORCPT=" ADDRESS_UTF8 ";%s", utf8.p);
	}
	buf_free(&utf8);
}

static void
rcpt(
    struct smtp *d, const struct submission *s, const char *address, bool orcpt)
{
	struct buf line = BUF(4096);

	buf_fmt(&line, "RCPT TO:<%s>", address);
	if (orcpt)
		add_orcpt(&line, address);
	if ((d->extensions & EXT_DSN) && s->notify != NULL)
		buf_fmt(&line, " NOTIFY=%s", s->notify);
	buf_str(&line, "\r\n");
	if (line.err == MTRK_OK)
		(void)stream_write(d->stream, buf_as_span(&line));
	buf_free(&line);
}

static enum mtrk_err
rcpts(struct smtp *d, const struct submission *s, struct submitted *out,
    void (*refused)(const char *rcpt, struct span reply))
{
	bool orcpt = out->tracked || (d->extensions & EXT_DSN);
	unsigned klass = 0, bad = 0;

	for (size_t i = 0; i < s->n_rcpts; i++) {
		rcpt(d, s, s->rcpts[i], orcpt);
		klass = smtp_reply(d, SMTP_REPLY_S);
		if (klass == 0)
			return smtp_outcome(d, klass, 2, "");
		if (klass == 2)
			continue;
		bad = klass;
		out->refused++;
		if (s->smtp.waiting != NULL)
			s->smtp.waiting("");
		refused(s->rcpts[i], span_of(d->last));
	}
	if (out->refused == s->n_rcpts)
		return smtp_outcome(d, klass, 2, "no recipient was taken");
	if (out->refused > 0 && s->all_or_none)
		return smtp_outcome(d, bad, 2, "a recipient was refused");
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
send_text(struct smtp *d, struct span message)
{
	struct buf body = BUF(MESSAGE_MAX);
	enum mtrk_err err;

	submit_stuff(message, &body);
	stream_within(d->stream, DATA_S + (unsigned)(body.n / DATA_RATE));
	err = (enum mtrk_err)body.err;
	if (err == MTRK_OK)
		err = stream_write(d->stream, buf_as_span(&body));
	buf_free(&body);
	d->last[0] = '\0';
	return err == MTRK_OK
	    ? err
	    : smtp_fail(d, MTRK_IO, "the connection was lost");
}

static enum mtrk_err
data(struct smtp *d, const struct submission *s, struct submitted *out)
{
	unsigned klass;
	enum mtrk_err err;

	stream_fmt(d->stream, "DATA\r\n");
	err =
	    smtp_outcome(d, smtp_reply(d, SMTP_REPLY_S), 3, "DATA was refused");
	if (err != MTRK_OK)
		return err;
	s->leaves(s->arg);
	if ((err = send_text(d, s->message)) != MTRK_OK)
		return err;
	if (s->smtp.waiting != NULL)
		s->smtp.waiting("Waiting until the server has taken it ...");
	klass = smtp_reply(d, SMTP_END_S);
	out->unsure = klass == 0;
	return smtp_outcome(d, klass, 2, "the message was refused");
}

enum mtrk_err
submit(const struct submission *s, struct submitted *out,
    void (*refused)(const char *rcpt, struct span reply), char *why)
{
	struct smtp d;
	bool utf8 = false;
	enum mtrk_err err = smtp_open(&d, &s->smtp, why);

	*out = (struct submitted){ 0 };
	if (err == MTRK_OK)
		err = check_utf8(&d, s, &utf8);
	if (err == MTRK_OK && s->smtp.waiting != NULL)
		s->smtp.waiting("Sending ...");
	if (err == MTRK_OK)
		err = mail(&d, s, utf8, out);
	if (err == MTRK_OK)
		err = rcpts(&d, s, out, refused);
	if (err == MTRK_OK)
		err = data(&d, s, out);
	smtp_close(&d);
	return err;
}
