/* The record of who asked, on a disk that gets full, and where it can't be. */
#include "tests/lib/cm.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mtqp/audit.h"

enum { ROOM = 300 /* octets: not a whole number of lines */, PATH_LEN = 300 };

static char folder[256], path[PATH_LEN];
static const struct audit_line asked = { 1774000000, "192.0.2.7", NULL,
	"q1@a.example", "ok" };
static const char line[] = "2026-03-20T09:46:40Z client=192.0.2.7 tls=no"
			   " envid=\"q1@a.example\" outcome=\"ok\"\n";

static int
setup(void **state)
{
	(void)state;
	scratch_make(folder);
	snprintf(path, sizeof path, "%s/audit", folder);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	audit_close();
	scratch_remove(folder);
	return 0;
}

static void
allow_octets(rlim_t n)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* What didn't fit is lost; what comes when there is room again is whole. */
static void
full_disk(void **state)
{
	const size_t n = sizeof line - 1;
	char got[ROOM + 2 * sizeof line + 1] = "";
	FILE *f;

	(void)state;
	assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	assert_int_equal(audit_open(path), MTRK_OK);
	allow_octets(ROOM);
	for (size_t i = 0; i < ROOM / n + 3; i++)
		audit_write(&asked);
	allow_octets(RLIM_INFINITY);
	assert_int_equal(audit_open(path), MTRK_OK); /* SIGHUP meanwhile */
	audit_write(&asked);
	audit_write(&asked);
	assert_non_null(f = fopen(path, "r"));
	assert_int_equal(fread(got, 1, sizeof got, f), ROOM + 1 + 2 * n);
	fclose(f);
	for (size_t i = 0; i < ROOM / n; i++)
		assert_memory_equal(got + i * n, line, n);
	assert_int_equal(got[ROOM], '\n'); /* the end of the torn one */
	assert_memory_equal(got + ROOM + 1, line, n);
	assert_memory_equal(got + ROOM + 1 + n, line, n);
}

/* A pipe that nobody reads doesn't hold us. */
static void
no_reader(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(20);
	assert_int_equal(audit_open(path), MTRK_IO);
	assert_int_equal(errno, ENXIO);
	alarm(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(no_reader, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
