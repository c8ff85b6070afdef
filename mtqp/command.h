/*
 * mtqp/command.h -- an MTQP session's logic (RFC 3887 3-7): one request line
 * in, one reply out.  No sockets, no store, so that a test is one call.
 */
#ifndef MTRK_MTQP_COMMAND_H
#define MTRK_MTQP_COMMAND_H

#include "common/conf.h"
#include "common/lines.h"
#include "common/mtrk.h"
#include "common/tstat.h"

enum {
	MTQP_LINE_MAX = 998, /* RFC 3887 2.2: octets before CRLF */
	FQDN_MAX = 255, /* RFC 1035 2.3.4 */
};

enum session_state { SESSION_CLEAR = 1, SESSION_TLS = 2 };

/* What a session asks of the outside. */
struct session_doors {
	/* As answer_track(): MTRK_NOTFOUND for unknown and wrong alike. */
	enum mtrk_err (*track)(void *arg, struct span envid,
	    const unsigned char certifier[CERTIFIER_LEN], struct tstat *out);
	/* Does our certificate name this host?  NULL: there is none. */
	bool (*covers)(void *arg, const char *fqdn);
	void *arg;
	/* Shall other servers be asked to complete this?  NULL: never. */
	bool (*chains)(void *arg, const struct tstat *);
};

struct session {
	enum session_state state;
	unsigned junk; /* lines answered -BAD */
	const struct conf *conf;
	const struct session_doors *doors;
};

/* What the connection does once the reply is sent; AFTER_CHAIN: there is no
 * reply yet, see command_answer(). */
enum after { AFTER_NEXT, AFTER_CLOSE, AFTER_STARTTLS, AFTER_CHAIN };

struct reply {
	struct buf
	    *text; /* grew by whole lines, dot-stuffed, with their CRLF */
	enum after after;
	bool bad; /* it is -BAD */
	char fqdn[FQDN_MAX + 1]; /* of a STARTTLS */
	/* of a TRACK: */
	bool failed; /* there is nothing to tell */
	enum mtrk_err err;
	char envid[ENVID_MAX + 1]; /* decoded; "": it was none */
	const char *outcome; /* NULL: not a TRACK */
	/* of AFTER_CHAIN: what we know, which is the caller's to free, and what
	 * was asked */
	struct tstat known;
	char secret[SECRET_TEXT + 1];
	unsigned char certifier[CERTIFIER_LEN];
};

/* A session in clear. */
void session_start(
    struct session *, const struct conf *, const struct session_doors *);
/* TLS is up: all that was known is forgotten (Q33). */
void session_secured(struct session *);
/* The greeting, at the start and again after session_secured(). */
void session_greeting(const struct session *, struct buf *text);

/* The reply to one line is appended to `text`, whose err is not MTRK_OK if
 * there was no memory for it. */
void command_run(
    struct session *, struct span line, struct buf *text, struct reply *out);
/* The reply to what is no line (A52), and to one line too many. */
void command_fault(
    struct session *, enum line, struct buf *text, struct reply *out);
void command_refuse(struct buf *text, struct reply *out);
/* The reply to a TRACK, once it is known; r->text must be set. */
void command_answer(struct reply *r, enum mtrk_err, const struct tstat *);

#endif
