/*
 * common/loop_private.h -- what the files that know libevent (loop*.c,
 * watch.c) and conn*.c share.
 */
#ifndef MTRK_COMMON_LOOP_PRIVATE_H
#define MTRK_COMMON_LOOP_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "common/loop.h"

struct event;
struct event_base;
struct evconnlistener;

enum {
	LOOP_READ = 16 * 1024, /* octets taken at once; ours */
	LOOP_SPARE_MAX = 1 << 20, /* a larger output buffer isn't kept; ours */
	LOOPS_MAX = 16, /* threads of a room; ours */
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

/* What the loops that serve side by side have in common.  The first is the one
 * that accepts. */
struct loop_room {
	atomic_uint conns[2]; /* of all protocols; of those aside */
	atomic_ulong last_id;
	atomic_size_t held; /* octets in the connections' own buffers */
	atomic_bool draining, stopping;
	/* set before there are threads: */
	unsigned conns_max[2]; /* the same */
	size_t held_max;
	const struct loop_hooks *hooks; /* or NULL */
	struct loop *loops[LOOPS_MAX];
	unsigned loops_n;
	/* the first loop's: */
	unsigned turn; /* whose it is to serve */
};

struct loop {
	struct event_base *base;
	LIST_HEAD(, conn) conns;
	LIST_HEAD(, source) sources;
	struct loop_room *room;
	size_t held; /* of the room's, in this loop's connections */
	pthread_t thread; /* if it runs in one of its own */
	bool runs, drained;
	atomic_bool alive; /* it had a turn since this was cleared */
	int calls[2]; /* a pipe of other threads' calls; -1: there are none */
	struct buf spare; /* lent to the connection that is being served */
	char input[2 * LOOP_READ]; /* of the connection that is being served */
};

/* `arg` of accepted() is the source itself if `protocol` is given. */
enum mtrk_err loop_source_listen(struct loop *, int fd, const struct protocol *,
    loop_accepted *, void *arg); /* takes fd */
void loop_sources_free(struct loop *);

enum mtrk_err loop_make(struct loop_room *, struct loop **out);
enum mtrk_err loop_turns(struct loop *); /* until it is broken off */
void loop_break(struct loop *); /* in its own thread, or before */
void loop_thread_ends(struct loop *);
/* Wait for the threads, which were stopped. */
void loop_join(struct loop *first);
void loop_run_calls(struct loop *); /* what other threads asked for */
/* A new socket, which is taken, for whichever loop's turn it is. */
void loop_deal(struct loop *from, const struct protocol *, void *arg, int fd,
    const struct sockaddr *peer, size_t peer_size);
/* A connection did. */
void loop_left(struct loop *, const struct protocol *);

/* A new socket, which is taken in any case. */
void conn_accepted(struct loop *, const struct protocol *, void *arg, int fd,
    const struct sockaddr *peer, size_t peer_size);
void conns_drain(struct loop *);
/* If the room holds too much: drop those here that hold the most, unless they
 * are in other loops (false). */
bool conns_account(struct loop *);
void loop_wake_others(struct loop *); /* to look at what they share */
void conns_free(struct loop *);

#endif
