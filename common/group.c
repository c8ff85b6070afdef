#include "common/group.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
	GROUP_MAX = 1000, /* jobs in one transaction; ours */
	GATHER_US = 200, /* longest wait for as many as last time */
};

struct job {
	struct job *next;
	void (*run)(struct txn *, void *arg);
	void (*drop)(void *arg);
	void *arg;
	enum mtrk_err err;
	bool done;
	unsigned holders; /* who still looks at it: waiter, committer */
};

struct group {
	struct db *db;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work, done;
	struct job *first, **last;
	unsigned waiting, last_group;
	bool running, stop;
	pthread_t committer;
};

/* Before the lock is given back the last of the two frees it. */
static void
job_release(struct job *j)
{
	if (--j->holders > 0)
		return;
	j->drop(j->arg);
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
		j->err = err == MTRK_OK || (n == 0 && next == NULL)
		    ? err
		    : run_jobs(g, j);
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
deadline_in(struct timespec *t, uint64_t us)
{
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, t);
	ns = (uint64_t)t->tv_nsec + us % 1000000 * 1000;
	t->tv_sec += (time_t)(us / 1000000 + ns / 1000000000);
	t->tv_nsec = (long)(ns % 1000000000);
}

/* Those whom the last commit served come back in a moment; waiting that
 * moment lets one fsync serve all of them again. */
static void
gather(struct group *g)
{
	struct timespec until;

	if (g->waiting >= g->last_group)
		return;
	deadline_in(&until, GATHER_US);
	while (g->waiting < g->last_group && !g->stop)
		if (pthread_cond_timedwait(&g->work, &g->lock, &until) != 0)
			return;
}

static void
finish(struct group *g, struct job *jobs)
{
	for (struct job *j = jobs, *next; j != NULL; j = next) {
		next = j->next;
		j->done = true;
		job_release(j);
	}
	pthread_cond_broadcast(&g->done);
}

static void *
committer_main(void *arg)
{
	struct group *g = arg;

	pthread_mutex_lock(&g->lock);
	while (!g->stop || g->first != NULL) {
		struct job *jobs;

		if (g->first == NULL) {
			pthread_cond_wait(&g->work, &g->lock);
			continue;
		}
		gather(g);
		jobs = take_jobs(g);
		pthread_mutex_unlock(&g->lock);
		g->last_group = commit_group(g, jobs);
		pthread_mutex_lock(&g->lock);
		finish(g, jobs);
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
wait_for(struct group *g, struct job *j, unsigned wait_ms)
{
	struct timespec until;
	int rc = 0;

	deadline_in(&until, wait_ms * 1000ull);
	while (!j->done && rc == 0)
		rc = pthread_cond_timedwait(&g->done, &g->lock, &until);
	return j->done ? j->err : MTRK_BUSY;
}

enum mtrk_err
group_commit(struct group *g, void (*run)(struct txn *, void *arg), void *arg,
    void (*drop)(void *arg), unsigned wait_ms)
{
	struct job *j = calloc(1, sizeof *j);
	enum mtrk_err err = j == NULL ? MTRK_NOMEM : MTRK_IO;

	if (j == NULL) {
		drop(arg);
		return err;
	}
	*j = (struct job){ .run = run, .drop = drop, .arg = arg, .holders = 1 };
	pthread_mutex_lock(&g->lock);
	if (committer_runs(g)) {
		j->holders = 2;
		*g->last = j;
		g->last = &j->next;
		g->waiting++;
		pthread_cond_signal(&g->work);
		err = wait_for(g, j, wait_ms);
	}
	job_release(j);
	pthread_mutex_unlock(&g->lock);
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
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->work, &attr);
	pthread_cond_init(&g->done, &attr);
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
	pthread_cond_destroy(&g->done);
	pthread_mutex_destroy(&g->lock);
	free(g);
}
