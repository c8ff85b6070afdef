#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop_private.h"

/* What another thread asks of a loop: one write(2), so that they don't mix. */
struct call {
	void (*run)(void *arg);
	void *arg;
};

/* A connection on its way to the loop that serves it. */
struct dealt {
	struct loop *to;
	const struct protocol *protocol;
	void *arg;
	int fd;
	struct sockaddr_storage peer;
	size_t peer_size;
};

static bool
post(struct loop *l, struct call c)
{
	return write(l->calls[1], &c, sizeof c) == sizeof c;
}

static void
nothing(void *arg)
{
	(void)arg;
}

/* To look at what the room shares.  Where too many calls wait already, it will.
 */
static void
wake(struct loop *l)
{
	(void)post(l, (struct call){ nothing, NULL });
}

void
loop_run_calls(struct loop *l)
{
	struct call c;

	while (l->calls[0] != -1 && read(l->calls[0], &c, sizeof c) == sizeof c)
		c.run(c.arg);
}

static void
look_around(struct loop *l)
{
	l->alive = true;
	if (l->room->draining && !l->drained) {
		l->drained = true;
		conns_drain(l);
	}
	conns_account(l);
	if (l->room->stopping)
		loop_break(l);
}

static void
on_calls(void *arg)
{
	loop_run_calls(arg);
	look_around(arg);
}

static void
for_others(struct loop *l, void (*call)(struct loop *))
{
	struct loop_room *r = l->room;

	for (unsigned i = 0; i < r->loops_n; i++)
		if (r->loops[i] != l)
			call(r->loops[i]);
}

void
loop_wake_others(struct loop *l)
{
	for_others(l, wake);
}

void
loop_stop(struct loop *l)
{
	l->room->stopping = true;
	loop_break(l);
	loop_wake_others(l);
}

static bool
is_empty(const struct loop_room *r)
{
	return r->conns[false] == 0 && r->conns[true] == 0;
}

void
loop_left(struct loop *l, const struct protocol *p)
{
	l->room->conns[p->aside]--;
	if (l->room->draining && is_empty(l->room))
		loop_stop(l);
}

void
loop_drain(struct loop *l)
{
	l->room->draining = true;
	loop_deaf(l);
	look_around(l);
	if (is_empty(l->room))
		loop_stop(l);
	else
		for_others(l, wake);
}

bool
loop_alive(struct loop *l)
{
	struct loop_room *r = l->room;
	bool all = true;

	for (unsigned i = 0; i < r->loops_n; i++)
		if (r->loops[i] != l)
			all &= atomic_exchange(&r->loops[i]->alive, false);
	for_others(l, wake);
	return all;
}

static void
take_dealt(void *arg)
{
	struct dealt *d = arg;

	conn_accepted(d->to, d->protocol, d->arg, d->fd,
	    (const struct sockaddr *)&d->peer, d->peer_size);
	if (d->to->drained) /* it was under way meanwhile */
		conns_drain(d->to);
	free(d);
}

void
loop_deal(struct loop *from, const struct protocol *p, void *arg, int fd,
    const struct sockaddr *peer, size_t peer_size)
{
	struct loop_room *r = from->room;
	struct loop *to = r->loops[r->turn++ % r->loops_n];
	struct dealt *d = to != from ? malloc(sizeof *d) : NULL;

	if (d != NULL && peer_size <= sizeof d->peer) {
		*d = (struct dealt){ to, p, arg, fd, { 0 }, peer_size };
		memcpy(&d->peer, peer, peer_size);
		if (post(to, (struct call){ take_dealt, d }))
			return;
	}
	free(d);
	conn_accepted(from, p, arg, fd, peer, peer_size);
}

static void *
run(void *arg)
{
	struct loop *l = arg;

	if (loop_turns(l) != MTRK_OK)
		log_err("event=loop text=\"a thread ends: %m\"");
	loop_thread_ends(l);
	return NULL;
}

/* Signals are for the thread that started the others. */
static enum mtrk_err
start(struct loop *l)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	l->runs = pthread_create(&l->thread, NULL, run, l) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return l->runs ? MTRK_OK : MTRK_IO;
}

static enum mtrk_err
hear_calls(struct loop *l)
{
	if (pipe2(l->calls, O_NONBLOCK | O_CLOEXEC) == -1)
		return MTRK_IO;
	return loop_watch(l, l->calls[0], on_calls, l);
}

enum mtrk_err
loop_threads(struct loop *first, unsigned n)
{
	struct loop_room *r = first->room;
	enum mtrk_err err = n > 1 ? hear_calls(first) : MTRK_OK;
	struct loop *l;

	while (err == MTRK_OK && r->loops_n < n && r->loops_n < LOOPS_MAX)
		if ((err = loop_make(r, &l)) == MTRK_OK) {
			r->loops[r->loops_n++] = l;
			l->alive = true;
			err = hear_calls(l);
		}
	for (unsigned i = 1; err == MTRK_OK && i < r->loops_n; i++)
		err = start(r->loops[i]);
	return err;
}

void
loop_join(struct loop *first)
{
	for (unsigned i = 1; i < first->room->loops_n; i++) {
		struct loop *l = first->room->loops[i];

		if (l->runs)
			pthread_join(l->thread, NULL);
		l->runs = false;
	}
}
