#include "common/watch.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/libevent.h"
#include "common/loop_private.h"

struct watch {
	struct event *read, *write;
	void (*ready)(void *, unsigned);
	void *arg;
	unsigned wanted;
};

struct alarm {
	struct event *event;
	int64_t due_ms, armed_ms; /* when to call; when we look */
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

void
watch_wake(struct watch *w)
{
	event_active(w->read, EV_READ, 0);
}

static void
arm(struct alarm *a, int64_t after_ms)
{
	const struct timeval after = { .tv_sec = after_ms / 1000,
		.tv_usec = after_ms % 1000 * 1000 };

	a->armed_ms = clock_coarse_ms() + after_ms;
	evtimer_add(a->event, &after);
}

/* An alarm that was put off is found here, which costs less than moving the
 * timer with each request. */
static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	struct alarm *a = arg;
	int64_t left_ms = a->due_ms - clock_coarse_ms();

	(void)fd;
	(void)what;
	a->armed_ms = INT64_MAX;
	if (left_ms > 0)
		arm(a, left_ms);
	else
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
	a->armed_ms = INT64_MAX;
	if ((a->event = evtimer_new(l->base, on_due, a)) == NULL)
		alarm_free(&a);
	return a;
}

void
alarm_set(struct alarm *a, unsigned after_s)
{
	a->due_ms = clock_coarse_ms() + (int64_t)after_s * 1000;
	if (after_s == 0 || a->due_ms < a->armed_ms)
		arm(a, (int64_t)after_s * 1000);
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
