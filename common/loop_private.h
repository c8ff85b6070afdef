/*
 * common/loop_private.h -- what the files that know libevent (loop*.c,
 * watch.c) share.
 */
#ifndef MTRK_COMMON_LOOP_PRIVATE_H
#define MTRK_COMMON_LOOP_PRIVATE_H

#include <sys/queue.h>

#include "common/loop.h"

struct event;
struct event_base;
struct evconnlistener;

/* Listeners, watched descriptors and timers: few, and they stay. */
struct source {
	LIST_ENTRY(source) others;
	struct loop *loop;
	struct evconnlistener *listener;
	struct event *event;
	const struct protocol *protocol;
	loop_accepted *accepted;
	void (*call)(void *);
	void *arg;
};

struct loop {
	struct event_base *base;
	LIST_HEAD(, conn) conns;
	LIST_HEAD(, source) sources;
	unsigned conns_n, conns_max;
	unsigned long last_id;
	bool draining;
};

/* `arg` of accepted() is the source itself if `protocol` is given. */
enum mtrk_err loop_source_listen(struct loop *, const char *host, uint16_t port,
    const struct protocol *, loop_accepted *, void *arg);
void loop_sources_free(struct loop *);

#endif
