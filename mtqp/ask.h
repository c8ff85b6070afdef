/*
 * mtqp/ask.h -- one TRACK to one MTQP server (RFC 3887), TLS when offered.
 */
#ifndef MTRK_MTQP_ASK_H
#define MTRK_MTQP_ASK_H

#include "common/tls.h"
#include "common/uri.h"
#include "mtqp/locate.h"

enum {
	ASK_WHY_MAX = 512,
	ASK_NOT_MAX = 2 * HOST_MAX + 64,
	ASK_ANSWER_MAX = 16 << 20, /* octets; ours */
	/* for a connection, if there is another endpoint: RFC 8305 8's most */
	ASK_NEXT_S = 2,
};

struct ask_options {
	const char *ca_file; /* NULL: the system's authorities */
	bool require_tls; /* verified, or nothing is asked */
	unsigned connect_s; /* 0: STREAM_CONNECT_S */
	unsigned timeout_s; /* for each step; 0: A29's 150 */
	unsigned within_s; /* for all of them; 0: no limit */
};

struct ask_tls {
	bool greeted, offered; /* it was there; it offered TLS */
	bool active, verified;
	char protocol[16];
	char why_not[ASK_NOT_MAX]; /* why it isn't verified */
	bool has_key;
	unsigned char key[TLS_KEY_LEN]; /* of the server's certificate */
};

/*
 * Ask the server of uri->host at this endpoint for uri->envid with
 * uri->secret.  TLS is asked for by the host's name, since the DNS that gave
 * another one is not to be trusted with it (Q25); a certificate for the SRV
 * target alone encrypts, but does not verify.  MTRK_OK: *mime is the answer,
 * with CRLF and without dot-stuffing.  Otherwise `why` (ASK_WHY_MAX) says what
 * happened: MTRK_NOTFOUND the server has no information; MTRK_BUSY it will
 * later, or is too slow (A29: 150 s); MTRK_DENIED TLS is not as demanded, by
 * us or by the server; MTRK_IO not reachable; MTRK_SYNTAX not MTQP.
 */
enum mtrk_err ask_track(const struct mtqp_uri *, const struct endpoint *,
    const struct ask_options *, struct buf *mime, struct ask_tls *, char *why);

/* A server's reply line: "+OK+/MTQP text" (RFC 3887 2.3, A51). */
struct reply {
	char status[8]; /* canonical: "+OK", "+OK+", "-TEMP", "-ERR", "-BAD" */
	struct span info; /* "/MTQP/admin", without what follows */
	struct span text;
};
enum mtrk_err reply_parse(struct span line, struct reply *);
bool reply_has(const struct reply *, const char *info);

#endif
