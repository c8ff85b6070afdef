/*
 * mtqp/service.h -- MTQP on connections: what happens when one comes, says a
 * line, goes; with limits, counters, logs.  What the lines mean is in
 * command.c.  Connections may be served in several threads, unless there is a
 * chain, whose functions belong to one.
 */
#ifndef MTRK_MTQP_SERVICE_H
#define MTRK_MTQP_SERVICE_H

#include <pthread.h>

#include "common/loop.h"
#include "common/store.h"
#include "mtqp/chain.h"
#include "mtqp/command.h"
#include "mtqp/limits.h"

/* All of it borrowed, and there as long as connections are served. */
struct service {
	const struct conf *conf;
	struct store *store; /* NULL: none yet, so everybody is refused */
	struct tls_ctx *tls; /* NULL: no certificate */
	struct limits *limits;
	struct chain *chain; /* NULL: other servers are not asked */
	struct session_doors doors; /* service_start()'s */
	pthread_mutex_t lock; /* guards tls and limits once it has started */
};

/* Where a client comes in: the `arg` of loop_listen(). */
struct service_door {
	struct service *service;
	bool tls_first; /* without STARTTLS */
};

void service_start(struct service *); /* the members are set */
/* For handshakes to come, and the service's from now on. */
void service_replace_tls(struct service *, struct tls_ctx *);
extern const struct protocol service_mtqp, service_mtqps;

#endif
