/* Several threads that serve one listener: connections are dealt in turn, the
 * limit is one for all, a thread that hangs is seen, and all end together; and
 * where neither descriptors nor memory are left, it listens on. */
#include "tests/lib/cm.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/loop.h"

enum { THREADS = 3, CONNS = 6, TURNS = 2000 /* of 5 ms */ };

static struct loop *loop;
static int gate[2]; /* a line "hang" waits here for an octet */
static atomic_uint open_now, ended;
static pthread_t served_by[CONNS];
static atomic_uint served;
static atomic_bool no_memory, no_events;
static atomic_uint missed_n;

static void
missed(void *arg, const struct net_ip *ip)
{
	(void)arg;
	assert_true(net_ip_is_v4(ip));
	missed_n++;
}

static void *
opened(struct conn *c, void *arg)
{
	unsigned i;

	if (no_memory)
		return NULL;
	i = served++;
	served_by[i] = pthread_self();
	open_now++;
	conn_write(c, SPAN("hello\r\n"));
	return arg;
}

static void
on_line(struct conn *c, void *user, enum line what, struct span line)
{
	char octet;

	(void)user;
	assert_int_equal(what, LINE_OK);
	if (span_is(line, "hang"))
		assert_int_equal(read(gate[0], &octet, 1), 1);
	if (span_is(line, "stop"))
		loop_stop(loop);
	else
		conn_write(c, SPAN("done\r\n"));
}

static void
closed(struct conn *c, void *user, const char *why)
{
	(void)c;
	(void)user;
	(void)why;
	open_now--;
}

static const struct protocol protocol = { .name = "test",
	.line_max = 100,
	.idle_s = 60,
	.line_s = 60,
	.flush_s = 60,
	.missed = missed,
	.opened = opened,
	.line = on_line,
	.closed = closed };

static int
dial(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* The next line's first octet; NUL: the end. */
static char
heard(int fd)
{
	char line[7];
	ssize_t n = read(fd, line, sizeof line);

	return n > 0 ? line[0] : '\0';
}

static void
say(int fd, struct span line)
{
	assert_int_equal(write(fd, line.p, line.n), line.n);
}

/* Stands before libevent's: each connection needs it. */
struct event_base;
typedef void callback(int fd, short what, void *arg);
struct event *event_new(
    struct event_base *, int fd, short what, callback *, void *arg);

struct event *
event_new(
    struct event_base *base, int fd, short what, callback *call, void *arg)
{
	static struct event *(*next)(
	    struct event_base *, int, short, callback *, void *);

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "event_new");
	return no_events ? NULL : next(base, fd, what, call, arg);
}

/* Before libc's and libevent's: no descriptor, and no memory to wait with. */
static atomic_bool no_descriptor;

int
accept4(int fd, struct sockaddr *peer, socklen_t *size, int flags)
{
	static int (*next)(int, struct sockaddr *, socklen_t *, int);

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "accept4");
	if (!no_descriptor)
		return next(fd, peer, size, flags);
	errno = EMFILE;
	return -1;
}

struct timeval;
int event_base_once(struct event_base *, int fd, short what, callback *,
    void *arg, const struct timeval *after);

int
event_base_once(struct event_base *base, int fd, short what, callback *call,
    void *arg, const struct timeval *after)
{
	(void)base, (void)fd, (void)what, (void)call, (void)arg, (void)after;
	no_descriptor = false;
	return -1;
}

/* It is let go, and whoever admitted it hears of that. */
static void
there_is_no_memory(uint16_t port, atomic_bool *for_what)
{
	unsigned before = missed_n;
	int fd;

	*for_what = true;
	fd = dial(port);
	assert_int_equal(heard(fd), '\0');
	for (int i = 0; i < TURNS && missed_n == before; i++)
		usleep(5000);
	assert_int_equal(missed_n, before + 1);
	*for_what = false;
	close(fd);
}

static void *
serve(void *arg)
{
	(void)arg;
	assert_int_equal(loop_run(loop), MTRK_OK);
	return NULL;
}

static void
thread_ends(void *arg)
{
	(void)arg;
	ended++;
}

static void
after_turn(void *arg)
{
	(void)arg;
}

static const struct loop_hooks hooks = { after_turn, thread_ends, NULL };

/* Asked again and again: is it so at last? */
static bool
comes_to_be_alive(bool wanted)
{
	for (int i = 0; i < TURNS; i++) {
		if (loop_alive(loop) == wanted)
			return true;
		usleep(5000);
	}
	return false;
}

static void
side_by_side(void **state)
{
	uint16_t port = scratch_port();
	pthread_t first;
	int fd[CONNS + 1];

	(void)state;
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(loop_new(CONNS, &loop), MTRK_OK);
	assert_int_equal(
	    loop_listen(loop, "127.0.0.1", port, &protocol, &port), MTRK_OK);
	loop_set_hooks(loop, &hooks);
	assert_int_equal(loop_threads(loop, THREADS), MTRK_OK);
	assert_int_equal(pthread_create(&first, NULL, serve, NULL), 0);
	no_descriptor = true;
	for (size_t i = 0; i < THREADS; i++) { /* in each of them */
		there_is_no_memory(port, &no_memory);
		there_is_no_memory(port, &no_events);
	}
	for (size_t i = 0; i < CONNS; i++) {
		fd[i] = dial(port);
		assert_int_equal(heard(fd[i]), 'h');
	}
	fd[CONNS] = dial(port); /* one too many */
	assert_int_equal(heard(fd[CONNS]), '\0');
	for (size_t i = 0; i < CONNS; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal(
			    pthread_equal(served_by[i], served_by[k]) != 0,
			    i % THREADS == k % THREADS);
	assert_true(comes_to_be_alive(true));
	say(fd[1], SPAN("hang\r\n"));
	assert_true(comes_to_be_alive(false));
	say(fd[0], SPAN("are you there\r\n")); /* others are */
	assert_int_equal(heard(fd[0]), 'd');
	say(gate[1], SPAN("x"));
	assert_int_equal(heard(fd[1]), 'd');
	assert_true(comes_to_be_alive(true));
	say(fd[0], SPAN("stop\r\n")); /* in the first thread */
	assert_int_equal(pthread_join(first, NULL), 0);
	assert_int_equal(ended, THREADS - 1);
	assert_int_equal(open_now, CONNS);
	loop_free(&loop);
	assert_int_equal(open_now, 0);
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		close(fd[i]);
	close(gate[0]);
	close(gate[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
