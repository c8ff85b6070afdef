/*
 * mtqp/chain.h -- questions that mtqpd puts to other servers (RFC 3887 2.4),
 * each in a thread of its own so that nobody else waits; bounded in number
 * and time.  All functions run in the loop's thread.
 *
 * Only hosts that Chain lines allow are asked, each once, and with verified
 * TLS if the question came under TLS (Q42).  A question that is being chained
 * is not chained again when it comes back: a loop ends there (A45).
 * What others say about all questions together has no more octets than
 * MTQPMemory, so each may have a CHAIN_MAXth.
 */
#ifndef MTRK_MTQP_CHAIN_H
#define MTRK_MTQP_CHAIN_H

#include "common/conf.h"
#include "common/tstat.h"

enum {
	CHAIN_MAX = 32, /* questions at a time; ours */
	CHAIN_BUDGET_S = 100, /* for all hosts of one: Q13, A29 */
};

struct chain;

enum mtrk_err chain_new(const struct conf *, struct chain **out);
/* Threads that still wait for a server end with the process. */
void chain_free(struct chain **); /* NULL is fine */
/* Shall others be asked about this? */
bool chain_wants(const struct chain *, const struct tstat *known);

struct chain_question {
	const char *envid, *secret; /* decoded; base64 */
	const unsigned char *certifier;
	bool tls; /* it came under TLS */
	struct tstat *known; /* moved: it comes back, completed */
};
/* Called once, later; nothing of it but what `complete` tells is said: it is
 * false when a server couldn't be asked, or not in time. */
typedef void chain_done(void *arg, struct tstat *known, bool complete);
/* MTRK_BUSY: too many, or this is asked already; *known stays the caller's. */
enum mtrk_err chain_ask(
    struct chain *, const struct chain_question *, chain_done *, void *arg);
/* Nobody waits for it any more. */
void chain_forget(struct chain *, const void *arg);

int chain_fd(const struct chain *); /* readable: call chain_work() */
void chain_work(struct chain *); /* ... and once a second, for the time */

#endif
