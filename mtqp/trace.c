#include "mtqp/trace.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/crypto.h"

enum {
	PARALLEL = 8, /* servers asked at the same time; ours */
	TRY_S = 150, /* then no further endpoint is tried (A29) */
};

/* One server, asked in a thread of its own. */
struct job {
	struct hop *hop;
	size_t number; /* of the hop */
	struct mtqp_uri uri;
	const struct ask_options *options;
	struct endpoint where[ENDPOINTS_MAX];
	size_t n, used; /* used: the endpoint that answered */
	struct buf mime;
	pthread_t thread;
	bool started;
};

struct tracing {
	const struct mtqp_uri *uri;
	const struct trace_options *options;
	struct hops *hops;
	struct dns *dns;
	struct endpoint asked[HOPS_MAX]; /* by hop */
};

static bool
is_worth_another(enum mtrk_err err)
{
	return err == MTRK_IO || err == MTRK_BUSY;
}

static void *
run_job(void *arg)
{
	struct job *j = arg;
	struct hop *h = j->hop;
	const time_t end = time(NULL) + TRY_S;
	size_t i = 0;

	do {
		j->used = i;
		buf_cut(&j->mime, 0);
		h->err = ask_track(&j->uri, &j->where[i], j->options, &j->mime,
		    &h->tls, h->why);
	} while (is_worth_another(h->err) && ++i < j->n && time(NULL) < end);
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
		for (size_t k = 0; k < j->n && i != j->number; k++)
			if (t->asked[i].port == j->where[k].port &&
			    strcasecmp(
				t->asked[i].address, j->where[k].address) == 0)
				return i;
	return HOPS_NONE;
}

/* False: there is nobody to ask; the hop says why. */
static bool
prepare(struct tracing *t, size_t i, struct job *j)
{
	struct hop *h = &t->hops->list[i];
	enum mtrk_err err;
	size_t same;

	*j = (struct job){ .hop = h,
		.number = i,
		.uri = *t->uri,
		.options = &t->options->ask,
		.mime = BUF(ASK_ANSWER_MAX) };
	span_copy(j->uri.host, sizeof j->uri.host, span_of(h->host));
	err = locate(t->dns, h->host, h->port,
	    i == 0 || t->options->allow_private, j->where, &j->n, h->why);
	if (err != MTRK_OK) {
		/* no such host is not: no such message */
		fail(h, err == MTRK_NOTFOUND ? MTRK_IO : err);
		if (err == MTRK_DENIED && i > 0)
			h->state = HOP_NOT_ASKED;
		return false;
	}
	same = asked_before(t, j);
	if (same != HOPS_NONE) {
		hops_same(t->hops, i, same);
		return false;
	}
	t->asked[i] = j->where[0];
	return true;
}

static enum mtrk_err
take_answer(struct tracing *t, struct job *j)
{
	struct tstat answer = { 0 };
	struct hop *h = j->hop;
	enum mtrk_err err;

	if (h->err != MTRK_OK)
		return fail(h, h->err);
	t->asked[j->number] = j->where[j->used];
	err = tstat_read(buf_as_span(&j->mime), &answer);
	if (err == MTRK_OK)
		err = hops_answered(t->hops, j->number, &answer);
	else
		snprintf(h->why, sizeof h->why,
		    "the answer is not a tracking status");
	tstat_free(&answer);
	return err == MTRK_OK ? err : fail(h, err);
}

static void
finish(struct tracing *t, struct job *j)
{
	if (j->started)
		pthread_join(j->thread, NULL);
	take_answer(t, j);
	if (j->number == 0 && t->options->raw != NULL)
		buf_span(t->options->raw, buf_as_span(&j->mime));
	buf_free(&j->mime);
	crypto_wipe(&j->uri, sizeof j->uri);
}

static void
start(struct tracing *t, struct job *j)
{
	if (t->options->asking != NULL)
		t->options->asking(j->hop);
	j->started = pthread_create(&j->thread, NULL, run_job, j) == 0;
	if (!j->started)
		run_job(j);
}

/* Up to PARALLEL of the hops that wait; false: none did. */
static bool
ask_some(struct tracing *t)
{
	static struct job jobs[PARALLEL]; /* too large for a stack */
	size_t n = 0;
	bool any = false;

	for (size_t i = 0; i < t->hops->n && n < PARALLEL; i++) {
		if (t->hops->list[i].state != HOP_WAITING)
			continue;
		any = true;
		if (prepare(t, i, &jobs[n]))
			start(t, &jobs[n++]);
	}
	for (size_t i = 0; i < n; i++)
		finish(t, &jobs[i]);
	return any;
}

enum mtrk_err
trace(const struct mtqp_uri *uri, const struct trace_options *o,
    struct hops *hops)
{
	struct tracing t = { .uri = uri, .options = o, .hops = hops };
	struct hop *first = &hops->list[0];
	enum mtrk_err err = dns_open(o->resolver, &t.dns);

	hops_start(hops, uri->host, uri->port, o->depth);
	if (err != MTRK_OK) {
		if (err == MTRK_SYNTAX)
			snprintf(first->why, sizeof first->why,
			    "not a DNS server's address (Resolver, "
			    "--resolver): \"%s\"",
			    o->resolver);
		else
			snprintf(first->why, sizeof first->why,
			    "the DNS cannot be asked");
		return fail(first, err);
	}
	while (ask_some(&t))
		;
	dns_close(&t.dns);
	return first->state == HOP_ANSWERED ? MTRK_OK : first->err;
}
