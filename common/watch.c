#include "common/watch.h"

#include <stdlib.h>

#include <event2/event.h>

#include "common/loop_private.h"

struct watch {
	struct event *read, *write;
	void (*ready)(void *, unsigned);
	void *arg;
	unsigned wanted;
};

struct alarm {
	struct event *event;
	void (*due)(void *);
	void *arg;
};

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	w->ready(w->arg, what & EV_READ ? WATCH_READ : WATCH_WRITE);
}

struct watch *
watch_new(struct loop *l, int fd, void (*ready)(void *, unsigned), void *arg)
{
	struct watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->ready = ready;
	w->arg = arg;
	w->read = event_new(l->base, fd, EV_READ | EV_PERSIST, on_ready, w);
	w->write = event_new(l->base, fd, EV_WRITE | EV_PERSIST, on_ready, w);
	if (w->read == NULL || w->write == NULL)
		watch_free(&w);
	return w;
}

static bool
want_one(struct event *e, bool was, bool is)
{
	if (was == is)
		return true;
	return (is ? event_add(e, NULL) : event_del(e)) == 0;
}

bool
watch_want(struct watch *w, unsigned what)
{
	unsigned was = w->wanted;

	w->wanted = what;
	return want_one(w->read, was & WATCH_READ, what & WATCH_READ) &&
	    want_one(w->write, was & WATCH_WRITE, what & WATCH_WRITE);
}

void
watch_free(struct watch **wp)
{
	struct watch *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	if (w->read != NULL)
		event_free(w->read);
	if (w->write != NULL)
		event_free(w->write);
	free(w);
}

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	struct alarm *a = arg;

	(void)fd;
	(void)what;
	a->due(a->arg);
}

struct alarm *
alarm_new(struct loop *l, void (*due)(void *), void *arg)
{
	struct alarm *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->due = due;
	a->arg = arg;
	if ((a->event = evtimer_new(l->base, on_due, a)) == NULL)
		alarm_free(&a);
	return a;
}

void
alarm_set(struct alarm *a, unsigned after_s)
{
	const struct timeval after = { .tv_sec = after_s };

	evtimer_add(a->event, &after);
}

void
alarm_free(struct alarm **ap)
{
	struct alarm *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	if (a->event != NULL)
		event_free(a->event);
	free(a);
}
