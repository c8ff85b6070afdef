/*
 * mtqp/metrics.h -- mtqpd's counters, and how they are told: as Prometheus
 * text over HTTP on a unix socket.
 */
#ifndef MTRK_MTQP_METRICS_H
#define MTRK_MTQP_METRICS_H

#include "common/loop.h"

enum metric {
	METRIC_CONNECTIONS,
	METRIC_REFUSED,
	METRIC_HANDSHAKES,
	METRIC_COMMANDS,
	METRIC_BAD,
	METRIC_LIMITED,
	METRIC_DELAYED,
	METRIC_ANSWERED,
	METRIC_NOINFO,
	METRIC_TLS_REQUIRED,
	METRIC_UNAVAILABLE,
	METRIC_CHAINED,
	METRIC_CHAIN_FAILED,
	METRIC_RELOADS,
	METRIC_OPEN, /* the one that goes down again */
	METRIC_COUNT
};

void metric_add(enum metric); /* from any thread */
void metric_set(enum metric, uint64_t);
/* GET of anything; `arg` is the source, whose refresh() is called before. */
struct metrics_source {
	void (*refresh)(void);
};
extern const struct protocol metrics_http;

/* What a running mtqpd says on its socket, name by name.  MTRK_IO: nobody
 * answers there. */
enum mtrk_err metrics_fetch(const char *path,
    void (*each)(struct span name, uint64_t value, void *arg), void *arg);

#endif
