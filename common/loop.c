#include "common/loop.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/libevent.h"
#include "common/loop_private.h"
#include "common/net.h"

enum {
	SPARE_FDS = 64, /* ours: store, log, listeners, signals */
	CALLS_BEFORE_LOOK = 32, /* ours */
};

static void
on_accept(void *arg, int fd, const struct sockaddr *peer, size_t peer_size)
{
	struct source *s = arg;

	loop_deal(s->loop, s->protocol, s->arg, fd, peer, peer_size);
}

static void
on_accept_here(void *arg, int fd, const struct sockaddr *peer, size_t peer_size)
{
	struct source *s = arg;

	conn_accepted(s->loop, s->protocol, s->arg, fd, peer, peer_size);
}

enum mtrk_err
loop_listen(struct loop *l, const char *host, uint16_t port,
    const struct protocol *p, void *arg)
{
	return loop_source_listen(l, net_listen(host, port), p, on_accept, arg);
}

enum mtrk_err
loop_listen_local(
    struct loop *l, const char *path, const struct protocol *p, void *arg)
{
	return loop_source_listen(
	    l, net_listen_local(path), p, on_accept_here, arg);
}

/* libevent would call those that wake themselves as long as there is one, and
 * look only then who else is ready: looking in between, it calls all in
 * turn. */
static struct event_base *
fair_base(void)
{
	struct event_config *c = event_config_new();
	struct event_base *base = NULL;

	if (c != NULL &&
	    event_config_set_max_dispatch_interval(
		c, NULL, CALLS_BEFORE_LOOK, 0) == 0)
		base = event_base_new_with_config(c);
	if (c != NULL)
		event_config_free(c);
	return base;
}

enum mtrk_err
loop_make(struct loop_room *r, struct loop **out)
{
	struct loop *l = calloc(1, sizeof *l);

	*out = NULL;
	if (l == NULL || (l->base = fair_base()) == NULL) {
		free(l);
		return MTRK_NOMEM;
	}
	LIST_INIT(&l->conns);
	LIST_INIT(&l->sources);
	l->spare = BUF(SIZE_MAX);
	l->calls[0] = l->calls[1] = -1;
	l->room = r;
	*out = l;
	return MTRK_OK;
}

enum mtrk_err
loop_new(unsigned conns_max, struct loop **out)
{
	struct loop_room *r = calloc(1, sizeof *r);
	enum mtrk_err err = MTRK_NOMEM;

	*out = NULL;
	if (r == NULL || (err = loop_make(r, out)) != MTRK_OK) {
		free(r);
		return err;
	}
	r->conns_max[false] = conns_max;
	r->conns_max[true] = LOOP_ASIDE_MAX;
	r->held_max = SIZE_MAX;
	r->loops[r->loops_n++] = *out;
	net_allow_descriptors(conns_max + LOOP_ASIDE_MAX + SPARE_FDS);
	return MTRK_OK;
}

static void
free_one(struct loop *l)
{
	loop_run_calls(l);
	conns_free(l);
	loop_sources_free(l);
	event_base_free(l->base);
	for (size_t i = 0; i < ARRAY_LEN(l->calls); i++)
		if (l->calls[i] != -1)
			close(l->calls[i]);
	buf_free(&l->spare);
	free(l);
}

void
loop_free(struct loop **loop)
{
	struct loop_room *r;

	if (*loop == NULL)
		return;
	r = (*loop)->room;
	if (r->loops_n > 1) {
		loop_stop(*loop);
		loop_join(*loop);
	}
	while (r->loops_n > 0)
		free_one(r->loops[--r->loops_n]);
	free(r);
	*loop = NULL;
}

void
loop_limit_memory(struct loop *l, size_t octets)
{
	l->room->held_max = octets;
}

unsigned
loop_connections(const struct loop *l)
{
	return l->room->conns[false];
}

void
loop_set_hooks(struct loop *l, const struct loop_hooks *h)
{
	l->room->hooks = h;
}

void
loop_thread_ends(struct loop *l)
{
	const struct loop_hooks *h = l->room->hooks;

	if (h != NULL)
		h->thread_ends(h->arg);
}

/* A turn is one waiting, and all that became ready. */
enum mtrk_err
loop_turns(struct loop *l)
{
	const struct loop_hooks *h;
	int rc = 0;

	while (rc == 0 && !l->room->stopping) {
		rc = event_base_loop(l->base, EVLOOP_ONCE);
		h = l->room->hooks;
		if (h != NULL)
			h->after_turn(h->arg);
	}
	return rc == -1 ? MTRK_IO : MTRK_OK;
}

enum mtrk_err
loop_run(struct loop *l)
{
	enum mtrk_err err = loop_turns(l);

	loop_stop(l); /* the others too */
	loop_join(l);
	return err;
}

void
loop_break(struct loop *l)
{
	event_base_loopbreak(l->base);
}

const char *
loop_version(void)
{
	return event_get_version();
}
