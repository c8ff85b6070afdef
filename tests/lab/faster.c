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

int
clock_gettime(clockid_t which, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	long long now;
	int rc;

	if (real == NULL)
		real = (int (*)(clockid_t, struct timespec *))dlsym(
		    RTLD_NEXT, "clock_gettime");
	rc = real(which, t);
	if (rc != 0 ||
	    (which != CLOCK_MONOTONIC && which != CLOCK_MONOTONIC_COARSE))
		return rc;
	pthread_mutex_lock(&lock);
	now = (long long)t->tv_sec * SECOND + t->tv_nsec;
	if (last == 0)
		shown = now;
	else if (now > last)
		shown += (now - last) * speed();
	if (now > last)
		last = now;
	t->tv_sec = (time_t)(shown / SECOND);
	t->tv_nsec = (long)(shown % SECOND);
	pthread_mutex_unlock(&lock);
	return 0;
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
