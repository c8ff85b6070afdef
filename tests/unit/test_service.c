/* How long mtqpd waits: RFC 3887's timers against the tables that hold ours. */
#include "tests/lib/cm.h"

#include "mtqp/chain.h"
#include "mtqp/service.h"

static const struct protocol *const protocols[] = { &service_mtqp,
	&service_mtqps };

/* Q11: idle for ten minutes or more, not less; what it limits is shorter */
static void
idle_clients_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		assert_true(protocols[i]->idle_s >= 600);
		assert_true(protocols[i]->line_s < protocols[i]->idle_s);
	}
}

/*
 * Q13: other servers have less than two minutes, and the answer still goes
 * out within them.
 * A29: so the client, which waits as long at least, hears of it.
 */
static void
chained_answers_come_in_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		assert_true(protocols[i]->answer_s < 120);
		assert_true(CHAIN_BUDGET_S + 10 < (int)protocols[i]->answer_s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_clients_are_kept),
		cmocka_unit_test(chained_answers_come_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
