/*
 * mtqp/smtp.h -- a client's SMTP session up to where mail may be sent:
 * greeting, EHLO, STARTTLS, AUTH (RFC 5321, 3207, 4954, 8314).
 */
#ifndef MTRK_MTQP_SMTP_H
#define MTRK_MTQP_SMTP_H

#include "common/stream.h"

enum { SMTP_WHY_MAX = 512, SUBMISSION_PORT = 587, SUBMISSIONS_PORT = 465 };

enum { /* s: RFC 5321 4.5.3.2 */
	SMTP_REPLY_S = 300,
	SMTP_END_S = 600, /* behind the last dot */
};

enum smtp_extension {
	EXT_MTRK = 1,
	EXT_DSN = 2,
	EXT_STARTTLS = 4,
	EXT_AUTH_PLAIN = 8,
	EXT_AUTH_LOGIN = 16,
	EXT_8BITMIME = 32,
	EXT_SMTPUTF8 = 64,
};

struct smtp_options {
	const char *host;
	uint16_t port; /* SUBMISSIONS_PORT: TLS from the first octet */
	const char *helo; /* our own name */
	const char *user, *password; /* NULL: no AUTH */
	const char *ca_file;
	bool require_tls;
	/* Called before something that may take long; may be NULL. */
	void (*waiting)(const char *what);
};

struct smtp {
	struct stream *stream;
	unsigned extensions;
	char last[512]; /* the last reply: its code, and all lines */
	char *why; /* the caller's, SMTP_WHY_MAX */
};

/*
 * `why` tells what went wrong: MTRK_IO there is no session as it is demanded:
 * not reachable, lost, refused, or without the TLS or login; MTRK_BUSY 4xx.
 * smtp_close() in any case.
 */
enum mtrk_err smtp_open(struct smtp *, const struct smtp_options *, char *why);
void smtp_close(struct smtp *); /* with QUIT */

/* The reply to what was sent: its class (2 to 5), 0 if none came in time. */
unsigned smtp_reply(struct smtp *, unsigned within_s);
/* MTRK_OK if it is the wanted one; else `what` is said, and what the server
 * said: MTRK_IO none, MTRK_BUSY 4xx, MTRK_DENIED 5xx. */
enum mtrk_err smtp_outcome(
    struct smtp *, unsigned reply, unsigned wanted, const char *what);
enum mtrk_err smtp_fail(struct smtp *, enum mtrk_err, const char *what);

#endif
