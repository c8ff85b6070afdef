/*
 * A monotonic clock that goes 60 times as fast from when the file $FASTER is
 * there, to be preloaded: what waits for minutes is over in seconds, once the
 * test wants it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 60, SECOND = 1000000000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long long last, shown; /* real, and what we say */

static int
speed(void)
{
	const char *file = getenv("FASTER");

	return file != NULL && access(file, F_OK) == 0 ? TIMES : 1;
}

static int
real_clock(clockid_t which, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);

	if (real == NULL)
		real = (int (*)(clockid_t, struct timespec *))dlsym(
		    RTLD_NEXT, "clock_gettime");
	return real(which, t);
}

static long long
in_ns(const struct timespec *t)
{
	return (long long)t->tv_sec * SECOND + t->tv_nsec;
}

static struct timespec
from_ns(long long ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / SECOND),
		.tv_nsec = (long)(ns % SECOND) };
}

int
clock_gettime(clockid_t which, struct timespec *t)
{
	long long now;
	int rc = real_clock(which, t);

	if (rc != 0 ||
	    (which != CLOCK_MONOTONIC && which != CLOCK_MONOTONIC_COARSE))
		return rc;
	pthread_mutex_lock(&lock);
	now = in_ns(t);
	if (last == 0)
		shown = now;
	else if (now > last)
		shown += (now - last) * speed();
	if (now > last)
		last = now;
	*t = from_ns(shown);
	pthread_mutex_unlock(&lock);
	return 0;
}

/* All of ours wait by the monotonic clock, until a time that we have told. */
int
pthread_cond_timedwait(
    pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	static int (*real)(
	    pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	struct timespec told, now;

	if (real == NULL)
		real = (int (*)(pthread_cond_t *, pthread_mutex_t *,
		    const struct timespec *))dlsym(RTLD_NEXT,
		    "pthread_cond_timedwait");
	clock_gettime(CLOCK_MONOTONIC, &told);
	real_clock(CLOCK_MONOTONIC, &now);
	now = from_ns(in_ns(&now) + (in_ns(until) - in_ns(&told)) / speed());
	return real(cond, mutex, &now);
}

int
epoll_wait(int fd, struct epoll_event *events, int n, int timeout_ms)
{
	static int (*real)(int, struct epoll_event *, int, int);

	if (real == NULL)
		real = (int (*)(int, struct epoll_event *, int, int))dlsym(
		    RTLD_NEXT, "epoll_wait");
	return real(
	    fd, events, n, timeout_ms > 0 ? timeout_ms / speed() : timeout_ms);
}
