/* Pumps share the buffers of a turn: what failed for one costs no other its
 * octets. */
#include "tests/lib/cm.h"

#include <sys/socket.h>
#include <unistd.h>

#include "milter/gate_pump.h"

static struct loop *loop;
static bool no_memory;
static char ended[32]; /* why the last one was */

/* What comes goes back. */
static size_t
input(struct pump *p, void *user, enum side from, struct span in)
{
	struct buf *out = pump_out(p, from);

	(void)user;
	buf_span(out, in);
	if (no_memory)
		out->err = MTRK_NOMEM;
	return in.n;
}

static void
event(struct pump *p, void *user, enum side side, enum pump_event what)
{
	(void)user, (void)side, (void)what;
	pump_close(p, "over");
}

static void
closed(struct pump *p, void *user, const char *why)
{
	(void)p, (void)user;
	snprintf(ended, sizeof ended, "%s", why);
	loop_stop(loop);
}

static const struct pump_handler handler = { input, event, closed };

/* One conversation; how many octets came back. */
static ssize_t
talk(bool without_memory)
{
	int fds[2];
	char back[8];
	ssize_t n;

	no_memory = without_memory;
	assert_int_equal(loop_new(0, &loop), MTRK_OK);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	pump_start(pump_new(loop, fds[0], fds[0], &handler, NULL));
	assert_int_equal(write(fds[1], "octets", 6), 6);
	shutdown(fds[1], SHUT_WR);
	assert_int_equal(loop_run(loop), MTRK_OK);
	n = read(fds[1], back, sizeof back);
	close(fds[1]);
	loop_free(&loop);
	return n;
}

static void
memory_comes_back(void **state)
{
	(void)state;
	assert_int_equal(talk(false), 6);
	assert_string_equal(ended, "over");
	(void)talk(true);
	assert_string_equal(ended, "out of memory");
	assert_int_equal(talk(false), 6);
	assert_string_equal(ended, "over");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
