#include "common/group.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"

enum {
	GROUP_MAX = 1000, /* jobs in one transaction; ours */
	GATHER_MAX_US = 3000, /* nobody waits longer for others; ours */
	HANGS_US = 5000000, /* a commit that takes longer; ours */
};

struct job {
	struct job *next;
	void (*run)(struct txn *, void *arg);
	void (*drop)(void *arg);
	void *arg;
	void (*told)(void *arg, enum mtrk_err); /* NULL: somebody waits */
	atomic_int err; /* enum mtrk_err */
	sem_t done; /* somebody waits: posted once err is the outcome */
	atomic_uint holders; /* who still looks at it: waiter, committer */
};

struct group {
	struct db *db;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work; /* signalled when `wanted` jobs are waiting */
	struct job *first, **last;
	unsigned waiting, wanted;
	bool running, stop;
	int64_t since_us; /* that a commit runs; 0: none does */
	pthread_t committer;

	unsigned recent, fading; /* the committer's own */
	int64_t commit_us;
};

/* The last of the two frees it. */
static void
job_release(struct job *j)
{
	if (atomic_fetch_sub(&j->holders, 1) > 1)
		return;
	if (j->told == NULL) {
		j->drop(j->arg);
		sem_destroy(&j->done);
	}
	free(j);
}

static enum mtrk_err
run_jobs(struct group *g, struct job *jobs)
{
	struct txn t = txn_write(g->db);

	for (struct job *j = jobs; j != NULL && t.err == MTRK_OK; j = j->next)
		j->run(&t, j->arg);
	return txn_end(&t);
}

/* One transaction for all; if that fails, one for each, so that nobody pays
 * for another's record. */
static unsigned
commit_group(struct group *g, struct job *jobs)
{
	enum mtrk_err err = run_jobs(g, jobs);
	unsigned n = 0;

	for (struct job *j = jobs, *next; j != NULL; j = next, n++) {
		next = j->next;
		j->next = NULL;
		j->err = (int)(err == MTRK_OK || (n == 0 && next == NULL)
			? err
			: run_jobs(g, j));
		j->next = next;
	}
	return n;
}

static struct job *
take_jobs(struct group *g)
{
	struct job *jobs = g->first, **end = &g->first;
	unsigned n = 0;

	while (*end != NULL && n < GROUP_MAX) {
		end = &(*end)->next;
		n++;
	}
	g->first = *end;
	*end = NULL;
	if (g->first == NULL)
		g->last = &g->first;
	g->waiting -= n;
	return jobs;
}

static void
deadline_in(struct timespec *t, int64_t us)
{
	us += clock_us();
	t->tv_sec = (time_t)(us / 1000000);
	t->tv_nsec = (long)(us % 1000000 * 1000);
}

/*
 * Those whom the last commits served come back in a moment; waiting as long
 * as a commit takes lets one fsync serve them all again, and leaves the disk
 * to the MTA meanwhile.  Who comes alone doesn't wait.  With the lock held.
 */
static void
gather(struct group *g)
{
	struct timespec until;

	g->wanted = g->recent;
	deadline_in(&until, g->commit_us);
	while (g->waiting < g->wanted && !g->stop)
		if (pthread_cond_timedwait(&g->work, &g->lock, &until) != 0)
			break;
	g->wanted = 1;
}

/* How many to expect: the most of late, fading. */
static void
learn(struct group *g, unsigned n, int64_t us)
{
	static const unsigned fade = 8; /* commits for one less; ours */

	if (n >= g->recent) {
		g->recent = n;
		g->fading = 0;
	} else if (++g->fading == fade) {
		g->recent--;
		g->fading = 0;
	}
	g->commit_us = us < GATHER_MAX_US ? us : GATHER_MAX_US;
}

static void
finish(struct job *jobs)
{
	for (struct job *j = jobs, *next; j != NULL; j = next) {
		next = j->next;
		if (j->told != NULL)
			j->told(j->arg, (enum mtrk_err)j->err);
		else
			sem_post(&j->done);
		job_release(j);
	}
}

static void *
committer_main(void *arg)
{
	struct group *g = arg;

	pthread_mutex_lock(&g->lock);
	while (!g->stop || g->first != NULL) {
		struct job *jobs;
		int64_t start_us;
		unsigned n;

		if (g->first == NULL) {
			pthread_cond_wait(&g->work, &g->lock);
			continue;
		}
		gather(g);
		jobs = take_jobs(g);
		g->since_us = start_us = clock_us();
		pthread_mutex_unlock(&g->lock);
		n = commit_group(g, jobs);
		finish(jobs);
		learn(g, n, clock_us() - start_us);
		pthread_mutex_lock(&g->lock);
		g->since_us = 0;
	}
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

/* With g->lock held. */
static bool
committer_runs(struct group *g)
{
	if (!g->running && !g->stop)
		g->running =
		    pthread_create(&g->committer, NULL, committer_main, g) == 0;
	return g->running && !g->stop;
}

static enum mtrk_err
wait_for(struct job *j, unsigned wait_ms)
{
	struct timespec until;
	int rc;

	deadline_in(&until, (int64_t)wait_ms * 1000);
	do
		rc = sem_clockwait(&j->done, CLOCK_MONOTONIC, &until);
	while (rc == -1 && errno == EINTR);
	return rc == 0 ? (enum mtrk_err)j->err : MTRK_BUSY;
}

/* With g->lock held. */
static bool
hangs(const struct group *g)
{
	return g->since_us != 0 && clock_us() - g->since_us > HANGS_US;
}

/* MTRK_IO: there is no committer to do it, or it hangs and somebody would
 * wait. */
static enum mtrk_err
enqueue(struct group *g, struct job *j)
{
	enum mtrk_err err = MTRK_IO;

	pthread_mutex_lock(&g->lock);
	if (committer_runs(g) && (j->told != NULL || !hangs(g))) {
		err = MTRK_OK;
		j->holders++;
		*g->last = j;
		g->last = &j->next;
		if (++g->waiting >= g->wanted)
			pthread_cond_signal(&g->work);
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}

enum mtrk_err
group_commit(struct group *g, void (*run)(struct txn *, void *arg), void *arg,
    void (*drop)(void *arg), unsigned wait_ms)
{
	struct job *j = calloc(1, sizeof *j);
	enum mtrk_err err;

	if (j == NULL) {
		drop(arg);
		return MTRK_NOMEM;
	}
	*j = (struct job){ .run = run, .drop = drop, .arg = arg, .holders = 1 };
	sem_init(&j->done, 0, 0);
	if ((err = enqueue(g, j)) == MTRK_OK)
		err = wait_for(j, wait_ms);
	job_release(j);
	return err;
}

enum mtrk_err
group_post(struct group *g, void (*run)(struct txn *, void *arg), void *arg,
    void (*told)(void *arg, enum mtrk_err))
{
	struct job *j = calloc(1, sizeof *j);
	enum mtrk_err err;

	if (j == NULL)
		return MTRK_NOMEM;
	*j = (struct job){ .run = run, .arg = arg, .told = told, .holders = 1 };
	err = enqueue(g, j);
	job_release(j);
	return err;
}

struct group *
group_new(struct db *db)
{
	struct group *g = calloc(1, sizeof *g);
	pthread_condattr_t attr;

	if (g == NULL)
		return NULL;
	g->db = db;
	g->last = &g->first;
	g->wanted = 1;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->work, &attr);
	pthread_condattr_destroy(&attr);
	return g;
}

static void
committer_stop(struct group *g)
{
	bool join;

	pthread_mutex_lock(&g->lock);
	join = g->running;
	g->stop = true;
	pthread_cond_broadcast(&g->work);
	pthread_mutex_unlock(&g->lock);
	if (join)
		pthread_join(g->committer, NULL);
}

void
group_free(struct group **gp)
{
	struct group *g = *gp;

	*gp = NULL;
	if (g == NULL)
		return;
	committer_stop(g);
	pthread_cond_destroy(&g->work);
	pthread_mutex_destroy(&g->lock);
	free(g);
}
