/*
 * mtqp/posting.h -- one message on its way: its token, the secret on the disk
 * first, then the submission.  It prints what went wrong on standard error.
 */
#ifndef MTRK_MTQP_POSTING_H
#define MTRK_MTQP_POSTING_H

#include "mtqp/password.h"
#include "mtqp/submit.h"
#include "mtqp/token.h"
#include "mtqp/track_conf.h"

enum { MESSAGE_MAX = 64 << 20 /* octets of standard input; ours */ };

struct posting {
	struct track_conf conf; /* what the file says, then the options */
	struct submission
	    s; /* rcpts, n_rcpts and all_or_none are the caller's */
	struct buf message;
	char password[PASSWORD_MAX];
	struct token token;
	bool quiet; /* the URI is not printed */
};

/* The person's settings and what the system knows; false: said why.
 * posting_free() in any case. */
bool posting_start(struct posting *);
/* A server is named; else it is said what is missing, and nothing can be sent:
 * EX_USAGE. */
bool posting_has_server(const struct posting *);
bool posting_read(struct posting *); /* the message, from standard input */
/* The exit status, sysexits' or TRACK_FAILED: 0 only if the server took the
 * message for every recipient. */
int posting_send(struct posting *);
void posting_free(struct posting *);

#endif
