#include "mtqp/trace.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/crypto.h"

enum {
	PARALLEL = 16, /* servers looked up or asked at the same time; ours */
	TRY_S = 150, /* then no further endpoint is tried (A29) */
	WITHIN_S = 300, /* then one that drips is left; ours */
	ANSWERS_MAX = 4 * ASK_ANSWER_MAX, /* octets of all servers; ours */
};

/* One server: its name is looked up, then a thread of its own asks it. */
struct job {
	enum { JOB_FREE, JOB_LOOKED_UP, JOB_ASKED } state;
	struct tracing *of;
	size_t number; /* of the hop */
	struct hop *hop;
	struct mtqp_uri uri;
	struct location at;
	size_t used; /* the endpoint that answered */
	struct buf mime; /* its room is taken from what is left for all */
	pthread_t thread;
	bool started;
	atomic_bool ended; /* the thread's last word */
};

struct tracing {
	const struct mtqp_uri *uri;
	const struct trace_options *options;
	struct ask_options ask;
	struct hops *hops;
	struct dns *dns;
	int wake; /* eventfd: a thread has ended */
	struct endpoint asked[HOPS_MAX]; /* by hop */
	struct tstat answers[HOPS_MAX]; /* of this round, by hop */
	size_t room; /* left of ANSWERS_MAX */
	size_t next, end; /* hops of this round that are still to begin */
	struct job jobs[PARALLEL];
};

static bool
is_worth_another(enum mtrk_err err)
{
	return err == MTRK_IO || err == MTRK_BUSY;
}

static void *
run_job(void *arg)
{
	static const uint64_t one = 1;
	struct job *j = arg;
	struct hop *h = j->hop;
	const int64_t end_s = clock_s() + TRY_S;
	size_t i = 0;

	do {
		struct ask_options o = j->of->ask;

		o.connect_s = i + 1 < j->at.n ? ASK_NEXT_S : 0;
		j->used = i;
		buf_cut(&j->mime, 0);
		h->err = ask_track(
		    &j->uri, &j->at.list[i], &o, &j->mime, &h->tls, h->why);
	} while (
	    is_worth_another(h->err) && ++i < j->at.n && clock_s() < end_s);
	atomic_store(&j->ended, true);
	(void)!write(j->of->wake, &one, sizeof one);
	return NULL;
}

static enum mtrk_err
fail(struct hop *h, enum mtrk_err err)
{
	h->state = HOP_FAILED;
	h->err = err;
	return err;
}

/* A server under several names is asked once: by the endpoint that it was, or
 * will be, asked at. */
static size_t
asked_before(const struct tracing *t, const struct job *j)
{
	for (size_t i = 0; i < t->hops->n; i++)
		for (size_t k = 0; k < j->at.n && i != j->number; k++)
			if (t->asked[i].port == j->at.list[k].port &&
			    strcasecmp(t->asked[i].address,
				j->at.list[k].address) == 0)
				return i;
	return HOPS_NONE;
}

static void
start(struct job *j)
{
	j->state = JOB_ASKED;
	j->started = pthread_create(&j->thread, NULL, run_job, j) == 0;
	if (!j->started)
		run_job(j);
}

/* Its addresses are there, or there is nobody to ask and the hop says why. */
static void
located(void *arg)
{
	struct job *j = arg;
	struct tracing *t = j->of;
	struct hop *h = j->hop;
	size_t same;

	j->state = JOB_FREE;
	if (j->at.err != MTRK_OK) {
		t->room += j->mime.max;
		snprintf(h->why, sizeof h->why, "%s", j->at.why);
		/* no such host is not: no such message */
		fail(h, j->at.err == MTRK_NOTFOUND ? MTRK_IO : j->at.err);
		if (j->at.err == MTRK_DENIED && j->number > 0)
			h->state = HOP_NOT_ASKED;
		return;
	}
	same = asked_before(t, j);
	if (same != HOPS_NONE) {
		t->room += j->mime.max;
		hops_same(t->hops, j->number, same);
		return;
	}
	t->asked[j->number] = j->at.list[0];
	start(j);
}

static void
begin(struct tracing *t, struct job *j, size_t i)
{
	j->state = JOB_LOOKED_UP;
	j->of = t;
	j->number = i;
	j->hop = &t->hops->list[i];
	j->uri = *t->uri;
	j->mime =
	    BUF(t->room / 4 < ASK_ANSWER_MAX ? t->room / 4 : ASK_ANSWER_MAX);
	t->room -= j->mime.max;
	j->started = false;
	atomic_store(&j->ended, false);
	span_copy(j->uri.host, sizeof j->uri.host, span_of(j->hop->host));
	if (t->options->asking != NULL)
		t->options->asking(j->hop);
	locate_start(t->dns, j->hop->host, j->hop->port,
	    i == 0 || t->options->allow_private, &j->at, located, j);
}

static void
finish(struct tracing *t, struct job *j)
{
	struct hop *h = j->hop;

	if (j->started)
		pthread_join(j->thread, NULL);
	j->state = JOB_FREE;
	t->room += j->mime.max - j->mime.n;
	t->asked[j->number] = j->at.list[j->used];
	if (h->err == MTRK_OK &&
	    tstat_read(buf_as_span(&j->mime), &t->answers[j->number]) !=
		MTRK_OK) {
		tstat_free(&t->answers[j->number]);
		h->err = MTRK_SYNTAX;
		snprintf(h->why, sizeof h->why,
		    "the answer is not a tracking status");
	}
	if (h->err != MTRK_OK)
		fail(h, h->err);
	if (j->number == 0 && t->options->raw != NULL)
		buf_span(t->options->raw, buf_as_span(&j->mime));
	buf_free(&j->mime);
	crypto_wipe(&j->uri, sizeof j->uri);
}

/* Every free place gets a hop that waits; false: nothing is to be waited
 * for. */
static bool
begin_some(struct tracing *t)
{
	bool any = false;

	for (size_t i = 0; i < PARALLEL; i++) {
		struct job *j = &t->jobs[i];

		while (j->state == JOB_FREE && t->next < t->end) {
			size_t n = t->next++;

			if (t->hops->list[n].state == HOP_WAITING)
				begin(t, j, n);
		}
		any = any || j->state != JOB_FREE;
	}
	return any;
}

/* Until the DNS, or a thread, has something for us. */
static void
work(struct tracing *t)
{
	struct pollfd p[] = { { .fd = dns_fd(t->dns), .events = POLLIN },
		{ .fd = t->wake, .events = POLLIN } };
	uint64_t n;

	if (poll(p, 2, -1) <= 0)
		return;
	if (p[0].revents != 0)
		dns_work(t->dns);
	if (p[1].revents != 0)
		(void)!read(t->wake, &n, sizeof n);
	for (size_t i = 0; i < PARALLEL; i++)
		if (t->jobs[i].state == JOB_ASKED &&
		    atomic_load(&t->jobs[i].ended))
			finish(t, &t->jobs[i]);
}

/*
 * All hops that wait, side by side: a name that the DNS does not tell holds up
 * nobody else.  What they name is the next round's, in the order of the hops
 * and not of the answers, so that a server has the same depth every time.
 * False: none did.
 */
static bool
ask_round(struct tracing *t)
{
	const size_t first = t->end;

	t->next = first;
	t->end = t->hops->n;
	while (begin_some(t))
		work(t);
	for (size_t i = first; i < t->end; i++)
		if (t->answers[i].n > 0 &&
		    hops_answered(t->hops, i, &t->answers[i]) != MTRK_OK)
			fail(&t->hops->list[i], MTRK_NOMEM);
	return t->end > first;
}

static enum mtrk_err
follow(struct tracing *t)
{
	struct hop *first = &t->hops->list[0];
	enum mtrk_err err = dns_open(t->options->resolver, &t->dns);

	if (err == MTRK_SYNTAX)
		snprintf(first->why, sizeof first->why,
		    "not a DNS server's address (Resolver, --resolver): \"%s\"",
		    t->options->resolver);
	else if (err != MTRK_OK)
		snprintf(
		    first->why, sizeof first->why, "the DNS cannot be asked");
	if (err != MTRK_OK)
		return fail(first, err);
	while (ask_round(t))
		;
	dns_close(&t->dns);
	return first->state == HOP_ANSWERED ? MTRK_OK : first->err;
}

enum mtrk_err
trace(const struct mtqp_uri *uri, const struct trace_options *o,
    struct hops *hops)
{
	struct tracing *t = calloc(1, sizeof *t);
	enum mtrk_err err;

	hops_start(hops, uri->host, uri->port, o->depth);
	if (t == NULL)
		return fail(&hops->list[0], MTRK_NOMEM);
	t->uri = uri;
	t->options = o;
	t->hops = hops;
	t->ask = o->ask;
	t->room = ANSWERS_MAX;
	t->ask.within_s = WITHIN_S;
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = t->wake != -1 ? follow(t) : fail(&hops->list[0], MTRK_IO);
	if (t->wake != -1)
		close(t->wake);
	free(t);
	return err;
}
