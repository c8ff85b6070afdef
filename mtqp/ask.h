/*
 * mtqp/ask.h -- one TRACK to one MTQP server (RFC 3887), TLS when offered.
 */
#ifndef MTRK_MTQP_ASK_H
#define MTRK_MTQP_ASK_H

#include "common/uri.h"

enum { ASK_WHY_MAX = 512, ASK_ANSWER_MAX = 16 << 20 /* octets; ours */ };

struct ask_options {
	const char *ca_file; /* NULL: the system's authorities */
	bool require_tls; /* verified, or nothing is asked */
};

struct ask_tls {
	bool active, verified;
	char protocol[16];
	char why_not[128]; /* why it isn't verified */
};

/*
 * Ask for uri->envid with uri->secret.  MTRK_OK: *mime is the answer, with
 * CRLF and without dot-stuffing.  Otherwise `why` (ASK_WHY_MAX) says what
 * happened: MTRK_NOTFOUND the server has no information; MTRK_BUSY it will
 * later, or is too slow (A29: 150 s); MTRK_DENIED TLS is not as demanded, by
 * us or by the server; MTRK_IO not reachable; MTRK_SYNTAX not MTQP.
 */
enum mtrk_err ask_track(const struct mtqp_uri *, const struct ask_options *,
    struct buf *mime, struct ask_tls *, char *why);

/* A server's reply line: "+OK+/MTQP text" (RFC 3887 2.3, A51). */
struct reply {
	char status[8]; /* canonical: "+OK", "+OK+", "-TEMP", "-ERR", "-BAD" */
	struct span info; /* "/MTQP/admin", without what follows */
	struct span text;
};
enum mtrk_err reply_parse(struct span line, struct reply *);
bool reply_has(const struct reply *, const char *info);

#endif
