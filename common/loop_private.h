/*
 * common/loop_private.h -- what the files that know libevent (loop*.c,
 * watch.c) and conn*.c share.
 */
#ifndef MTRK_COMMON_LOOP_PRIVATE_H
#define MTRK_COMMON_LOOP_PRIVATE_H

#include <sys/queue.h>

#include "common/loop.h"

struct event;
struct event_base;
struct evconnlistener;

enum {
	LOOP_READ = 16 * 1024, /* octets taken at once; ours */
	LOOP_SPARE_MAX = 1 << 20, /* a larger output buffer isn't kept; ours */
};

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
	size_t held, held_max; /* octets in the connections' own buffers */
	bool draining;
	void (*after_turn)(void *);
	void *after_arg;
	struct buf spare; /* lent to the connection that is being served */
	char input[2 * LOOP_READ]; /* of the connection that is being served */
};

/* `arg` of accepted() is the source itself if `protocol` is given. */
enum mtrk_err loop_source_listen(struct loop *, int fd, const struct protocol *,
    loop_accepted *, void *arg); /* takes fd */
void loop_sources_free(struct loop *);

/* A new socket, which is taken in any case. */
void conn_accepted(struct loop *, const struct protocol *, void *arg, int fd,
    const struct sockaddr *peer, size_t peer_size);
void conns_drain(struct loop *);
void conns_free(struct loop *);

#endif
