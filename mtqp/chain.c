#include "mtqp/chain.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/crypto.h"
#include "common/encode.h"
#include "common/log.h"
#include "mtqp/ask.h"
#include "mtqp/combine.h"
#include "mtqp/locate.h"

enum state {
	FREE,
	RUNNING,
	DONE, /* the thread has ended; nobody was told yet */
	ABANDONED, /* the thread runs on, and nobody waits */
};

struct job {
	enum state state; /* guarded by the chain's lock */
	struct chain *chain;
	int64_t end_s; /* monotonic */
	/* the thread's own while it runs: */
	struct mtqp_uri uri; /* but for the host */
	bool tls;
	size_t room; /* octets that the others may still say */
	char hosts[COMBINE_HOSTS_MAX][HOST_MAX + 1];
	size_t n;
	struct tstat answers[COMBINE_HOSTS_MAX];
	bool answered[COMBINE_HOSTS_MAX];
	/* the loop's: */
	unsigned char certifier[CERTIFIER_LEN];
	struct tstat known;
	chain_done *done;
	void *arg;
};

struct chain {
	const struct conf *conf;
	pthread_mutex_t lock;
	int wake;
	struct job jobs[CHAIN_MAX];
};

static void
note(const struct job *j, const char *host, const char *what)
{
	char q[2 * ASK_WHY_MAX], h[2 * HOST_MAX];

	(void)j;
	log_info("event=chain host=\"%s\" outcome=\"%s\"",
	    log_quote(span_of(host), h, sizeof h),
	    log_quote(span_of(what), q, sizeof q));
}

/* The time that the first of `n` may take, so that each has its share. */
static int64_t
share_s(int64_t end_s, size_t n)
{
	return (end_s - clock_s()) / (int64_t)n;
}

/* Endpoints in turn, until one answers or the time is up. */
static enum mtrk_err
ask_host(struct job *j, const struct location *at, const char *host,
    int64_t end_s, struct tstat *out, char *why)
{
	struct buf mime =
	    BUF(j->room < ASK_ANSWER_MAX ? j->room : ASK_ANSWER_MAX);
	struct mtqp_uri uri = j->uri;
	enum mtrk_err err = MTRK_DENIED;

	span_copy(uri.host, sizeof uri.host, span_of(host));
	snprintf(why, ASK_WHY_MAX, "no address that Chain allows");
	for (size_t i = 0; i < at->n && err != MTRK_OK; i++) {
		const struct endpoint *where = &at->list[i];
		int64_t left_s = share_s(end_s, at->n - i);
		struct ask_options o = { .require_tls = j->tls,
			.connect_s = i + 1 < at->n ? ASK_NEXT_S : 0,
			.timeout_s = (unsigned)left_s,
			.within_s = (unsigned)left_s };
		struct ask_tls tls;

		if (left_s <= 0)
			break;
		if (!combine_may_ask(
			&j->chain->conf->chain, host, where->address))
			continue;
		buf_cut(&mime, 0);
		err = ask_track(&uri, where, &o, &mime, &tls, why);
		if (err == MTRK_OK)
			err = tstat_read(buf_as_span(&mime), out);
		if (err != MTRK_OK)
			tstat_free(out); /* before the next one's */
	}
	if (err == MTRK_OK)
		j->room -= mime.n;
	crypto_wipe(&uri, sizeof uri);
	buf_free(&mime);
	return err;
}

static void
run_host(struct job *j, struct dns *dns, size_t i)
{
	const int64_t end_s = clock_s() + share_s(j->end_s, j->n - i);
	struct location at;
	char why[ASK_WHY_MAX];
	enum mtrk_err err = locate(dns, j->hosts[i], 0, true, &at);

	snprintf(why, sizeof why, "%s", at.why);
	if (err == MTRK_OK)
		err = ask_host(j, &at, j->hosts[i], end_s, &j->answers[i], why);
	j->answered[i] = err == MTRK_OK;
	note(j, j->hosts[i], err == MTRK_OK ? "ok" : why);
}

static void
run_end(struct job *j)
{
	struct chain *c = j->chain;
	const uint64_t one = 1;

	crypto_wipe(&j->uri, sizeof j->uri);
	pthread_mutex_lock(&c->lock);
	if (j->state == ABANDONED) {
		for (size_t i = 0; i < j->n; i++)
			tstat_free(&j->answers[i]);
		j->state = FREE;
	} else {
		j->state = DONE;
	}
	pthread_mutex_unlock(&c->lock);
	(void)!write(c->wake, &one, sizeof one);
}

static void *
run(void *arg)
{
	struct job *j = arg;
	struct dns *dns;

	if (dns_open(NULL, &dns) == MTRK_OK) {
		for (size_t i = 0; i < j->n && clock_s() < j->end_s; i++)
			run_host(j, dns, i);
		dns_close(&dns);
	}
	run_end(j);
	return NULL;
}

static bool
start(struct job *j)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	if (pthread_attr_init(&attr) != 0)
		return false;
	ok = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
	    pthread_create(&thread, &attr, run, j) == 0;
	pthread_attr_destroy(&attr);
	return ok;
}

/* A free place, unless the same is asked already. */
static struct job *
place(struct chain *c, const struct chain_question *q, const char *envid)
{
	struct job *found = NULL;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < CHAIN_MAX; i++) {
		struct job *j = &c->jobs[i];

		if (j->state == FREE) {
			found = j;
		} else if (memcmp(j->certifier, q->certifier, CERTIFIER_LEN) ==
			0 &&
		    strcmp(j->known.n > 0 ? j->known.parts[0].envid : "",
			envid) == 0) {
			found = NULL;
			break;
		}
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

bool
chain_wants(const struct chain *c, const struct tstat *known)
{
	const char *hosts[COMBINE_HOSTS_MAX];

	return combine_hosts(
		   known, &c->conf->chain, c->conf->reporting_mta, hosts) > 0;
}

enum mtrk_err
chain_ask(struct chain *c, const struct chain_question *q, chain_done *done,
    void *arg)
{
	const char *hosts[COMBINE_HOSTS_MAX];
	struct job *j = place(c, q, q->known->parts[0].envid);

	if (j == NULL)
		return MTRK_BUSY;
	*j = (struct job){ .state = RUNNING,
		.chain = c,
		.end_s = clock_s() + CHAIN_BUDGET_S,
		.tls = q->tls,
		.room = (size_t)c->conf->mtqp_memory / CHAIN_MAX,
		.known = *q->known,
		.done = done,
		.arg = arg };
	memcpy(j->certifier, q->certifier, CERTIFIER_LEN);
	j->n = combine_hosts(
	    &j->known, &c->conf->chain, c->conf->reporting_mta, hosts);
	for (size_t i = 0; i < j->n; i++)
		span_copy(j->hosts[i], sizeof j->hosts[i], span_of(hosts[i]));
	span_copy(j->uri.secret, sizeof j->uri.secret, span_of(q->secret));
	if (xtext_encode(span_of(q->envid), j->uri.envid,
		sizeof j->uri.envid) != MTRK_OK ||
	    !start(j)) {
		*j = (struct job){ .state = FREE };
		return MTRK_BUSY;
	}
	*q->known = (struct tstat){ 0 };
	return MTRK_OK;
}

/* What came is added; true: it is all that could come. */
static bool
complete(struct job *j)
{
	const struct conf *conf = j->chain->conf;
	bool all = true;

	for (size_t i = 0; i < j->n; i++) {
		enum mtrk_err err = MTRK_BUSY;

		if (j->answered[i])
			err = conf->disguise
			    ? combine_fold(
				  &j->known, j->hosts[i], &j->answers[i])
			    : combine_parts(&j->known, &j->answers[i]);
		all &= err == MTRK_OK;
		tstat_free(&j->answers[i]);
	}
	return all;
}

/* The job's `known` goes to whoever waits, or nowhere. */
static void
tell(struct job *j, bool all)
{
	if (j->done != NULL)
		j->done(j->arg, &j->known, all);
	tstat_free(&j->known);
	j->done = NULL;
}

static enum state
state_of(struct job *j)
{
	enum state s;

	pthread_mutex_lock(&j->chain->lock);
	s = j->state;
	if (s == DONE)
		j->state = FREE;
	else if (s == RUNNING && clock_s() >= j->end_s)
		s = j->state = ABANDONED;
	else if (s == ABANDONED)
		s = FREE; /* told already */
	pthread_mutex_unlock(&j->chain->lock);
	return s;
}

void
chain_work(struct chain *c)
{
	uint64_t n;

	while (read(c->wake, &n, sizeof n) == sizeof n)
		;
	for (size_t i = 0; i < CHAIN_MAX; i++) {
		struct job *j = &c->jobs[i];
		enum state s = j->chain != NULL ? state_of(j) : FREE;

		if (s == DONE)
			tell(j, complete(j));
		else if (s == ABANDONED)
			tell(j, false);
	}
}

void
chain_forget(struct chain *c, const void *arg)
{
	for (size_t i = 0; i < CHAIN_MAX; i++)
		if (c->jobs[i].done != NULL && c->jobs[i].arg == arg)
			c->jobs[i].done = NULL;
}

int
chain_fd(const struct chain *c)
{
	return c->wake;
}

enum mtrk_err
chain_new(const struct conf *conf, struct chain **out)
{
	struct chain *c = calloc(1, sizeof *c);

	*out = c;
	if (c == NULL)
		return MTRK_NOMEM;
	c->conf = conf;
	pthread_mutex_init(&c->lock, NULL);
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake != -1)
		return MTRK_OK;
	*out = NULL;
	free(c);
	return MTRK_IO;
}

/* Not freed while a thread looks at it. */
void
chain_free(struct chain **cp)
{
	struct chain *c = *cp;
	bool runs = false;

	*cp = NULL;
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < CHAIN_MAX; i++) {
		struct job *j = &c->jobs[i];

		tstat_free(&j->known);
		runs |= j->state == RUNNING || j->state == ABANDONED;
		if (j->state == RUNNING)
			j->state = ABANDONED;
		for (size_t k = 0; j->state == DONE && k < j->n; k++)
			tstat_free(&j->answers[k]);
	}
	pthread_mutex_unlock(&c->lock);
	if (runs)
		return;
	close(c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
