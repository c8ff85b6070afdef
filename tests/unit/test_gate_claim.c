/* A recipient is claimed by one conversation at a time, S30: in this process,
 * in another, and after its death. */
#include "tests/lib/cm.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/record.h"
#include "milter/gate_claim.h"

static char dir[] = "/tmp/mtrk-claim-XXXXXX";

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
	char path[sizeof dir + sizeof "/claims"];

	(void)state;
	snprintf(path, sizeof path, "%s/claims", dir);
	return unlink(path) != 0 || rmdir(dir) != 0;
}

static void
one_at_a_time(void **state)
{
	int a = GATE_CLAIM_NONE, b = GATE_CLAIM_NONE;

	(void)state;
	assert_true(gate_claim(dir, &a, 7, 0));
	assert_true(gate_claim(dir, &a, 7, RECIPIENTS_MAX - 1));
	assert_true(gate_claim(dir, &a, 7, 0)); /* its own already */
	assert_false(gate_claim(dir, &b, 7, 0));
	assert_int_equal(EAGAIN, errno);
	assert_true(gate_claim(dir, &b, 7, 1));
	assert_true(gate_claim(dir, &b, 8, 0));
	assert_true(gate_claim(dir, &b, UINT32_MAX, 0));
	gate_claim_release(&a);
	assert_int_equal(GATE_CLAIM_NONE, a);
	assert_true(gate_claim(dir, &b, 7, 0));
	gate_claim_release(&b);
}

static void
other_process(void **state)
{
	int mine = GATE_CLAIM_NONE, theirs = GATE_CLAIM_NONE, status;
	pid_t pid;

	(void)state;
	assert_true(gate_claim(dir, &mine, 1, 1));
	pid = fork();
	if (pid == 0)
		_exit(gate_claim(dir, &theirs, 1, 1) ||
		    !gate_claim(dir, &theirs, 1, 2));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	assert_true(gate_claim(dir, &mine, 1, 2)); /* it died */
	gate_claim_release(&mine);
}

static void
no_store(void **state)
{
	int claims = GATE_CLAIM_NONE;

	(void)state;
	assert_false(gate_claim("/nonexistent", &claims, 1, 1));
	assert_int_equal(ENOENT, errno);
	gate_claim_release(&claims);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(other_process),
		cmocka_unit_test(no_store),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
