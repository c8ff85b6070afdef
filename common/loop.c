#include "common/loop.h"

#include <stdlib.h>

#include <event2/event.h>

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
	return loop_source_listen(l, net_listen_local(path), p, on_accept, arg);
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
loop_new(unsigned conns_max, struct loop **out)
{
	struct loop *l = calloc(1, sizeof *l);

	*out = NULL;
	if (l == NULL || (l->base = fair_base()) == NULL) {
		free(l);
		return MTRK_NOMEM;
	}
	LIST_INIT(&l->conns);
	LIST_INIT(&l->sources);
	l->conns_max = conns_max;
	l->held_max = SIZE_MAX;
	l->spare = BUF(SIZE_MAX);
	net_allow_descriptors(conns_max + SPARE_FDS);
	*out = l;
	return MTRK_OK;
}

void
loop_free(struct loop **loop)
{
	struct loop *l = *loop;

	*loop = NULL;
	if (l == NULL)
		return;
	conns_free(l);
	loop_sources_free(l);
	event_base_free(l->base);
	buf_free(&l->spare);
	free(l);
}

void
loop_limit_memory(struct loop *l, size_t octets)
{
	l->held_max = octets;
}

unsigned
loop_connections(const struct loop *l)
{
	return l->conns_n;
}

void
loop_after_turn(struct loop *l, void (*call)(void *), void *arg)
{
	l->after_turn = call;
	l->after_arg = arg;
}

/* A turn is one waiting, and all that became ready. */
enum mtrk_err
loop_run(struct loop *l)
{
	int rc = 0;

	while (rc == 0) {
		rc = event_base_loop(l->base, EVLOOP_ONCE);
		if (l->after_turn != NULL)
			l->after_turn(l->after_arg);
		if (event_base_got_break(l->base))
			break;
	}
	return rc == -1 ? MTRK_IO : MTRK_OK;
}

void
loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

void
loop_drain(struct loop *l)
{
	l->draining = true;
	loop_deaf(l);
	conns_drain(l);
	if (l->conns_n == 0)
		loop_stop(l);
}

const char *
loop_version(void)
{
	return event_get_version();
}
