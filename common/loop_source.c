#include <stdlib.h>
#include <unistd.h>

#include "common/libevent.h"
#include "common/log.h"
#include "common/loop_private.h"
#include "common/net.h"

enum {
	ACCEPT_PAUSE_S = 1, /* without descriptors, accept() would spin */
};

static void
on_accept(struct evconnlistener *from, evutil_socket_t fd,
    struct sockaddr *peer, int peer_size, void *arg)
{
	struct source *s = arg;

	(void)from;
	s->accepted(
	    s->protocol != NULL ? s : s->arg, (int)fd, peer, (size_t)peer_size);
}

static void
on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct source *s = arg;

	(void)fd;
	(void)what;
	if (s->listener != NULL)
		evconnlistener_enable(s->listener);
}

static void
on_accept_error(struct evconnlistener *from, void *arg)
{
	static const struct timeval pause = { .tv_sec = ACCEPT_PAUSE_S };
	static struct log_limit often;
	struct source *s = arg;
	unsigned long missed;

	if (log_allow(&often, 60, &missed))
		log_warn("event=accept text=\"%m\" missed=%lu", missed);
	evconnlistener_disable(from);
	if (event_base_once(
		s->loop->base, -1, EV_TIMEOUT, on_accept_again, s, &pause) != 0)
		evconnlistener_enable(from); /* deaf for ever is worse */
}

static struct source *
source_new(struct loop *l, void (*call)(void *), void *arg)
{
	struct source *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->loop = l;
	s->call = call;
	s->arg = arg;
	LIST_INSERT_HEAD(&l->sources, s, others);
	return s;
}

static void
source_free(struct source *s)
{
	LIST_REMOVE(s, others);
	if (s->listener != NULL)
		evconnlistener_free(s->listener);
	if (s->event != NULL)
		event_free(s->event);
	free(s);
}

void
loop_sources_free(struct loop *l)
{
	struct source *s, *after;

	for (s = LIST_FIRST(&l->sources); s != NULL; s = after) {
		after = LIST_NEXT(s, others);
		source_free(s);
	}
}

enum mtrk_err
loop_source_listen(struct loop *l, int fd, const struct protocol *p,
    loop_accepted *accepted, void *arg)
{
	struct source *s;

	if (fd == -1)
		return MTRK_IO;
	if ((s = source_new(l, NULL, arg)) == NULL) {
		close(fd);
		return MTRK_NOMEM;
	}
	s->protocol = p;
	s->accepted = accepted;
	s->listener = evconnlistener_new(l->base, on_accept, s,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (s->listener == NULL) {
		close(fd);
		source_free(s);
		return MTRK_NOMEM;
	}
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	return MTRK_OK;
}

enum mtrk_err
loop_accept(struct loop *l, const char *host, uint16_t port,
    loop_accepted *accepted, void *arg)
{
	return loop_source_listen(
	    l, net_listen(host, port), NULL, accepted, arg);
}

void
loop_deaf(struct loop *l)
{
	struct source *s;

	LIST_FOREACH(s, &l->sources, others)
		if (s->listener != NULL) {
			evconnlistener_free(s->listener);
			s->listener = NULL;
		}
}

static void
on_source(evutil_socket_t fd, short what, void *arg)
{
	struct source *s = arg;

	(void)fd;
	(void)what;
	s->call(s->arg);
}

static enum mtrk_err
add_event(struct loop *l, int fd, short what, event_callback_fn call,
    const struct timeval *after, struct source *s)
{
	if (s == NULL)
		return MTRK_NOMEM;
	s->event = event_new(l->base, fd, what, call, s);
	if (s->event != NULL && event_add(s->event, after) == 0)
		return MTRK_OK;
	source_free(s);
	return MTRK_NOMEM;
}

enum mtrk_err
loop_watch(struct loop *l, int fd, void (*ready)(void *), void *arg)
{
	return add_event(l, fd, EV_READ | EV_PERSIST, on_source, NULL,
	    source_new(l, ready, arg));
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct source *s = arg;
	void (*call)(void *) = s->call;

	(void)fd;
	(void)what;
	arg = s->arg;
	source_free(s);
	call(arg);
}

enum mtrk_err
loop_later(struct loop *l, unsigned after_s, void (*due)(void *), void *arg)
{
	const struct timeval after = { .tv_sec = after_s };

	return add_event(l, -1, 0, on_later, &after, source_new(l, due, arg));
}

enum mtrk_err
loop_timer(struct loop *l, unsigned every_s, void (*due)(void *), void *arg)
{
	const struct timeval every = { .tv_sec = every_s };

	return add_event(
	    l, -1, EV_PERSIST, on_source, &every, source_new(l, due, arg));
}
