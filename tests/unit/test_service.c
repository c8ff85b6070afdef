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

/* Admitted, but never opened for want of memory: its share is given back. */
static void
whom_there_is_no_memory_for(void **state)
{
	const struct limits_conf one = { .connections = 1 };
	const struct net_ip ip = { { [10] = 0xff, [11] = 0xff, [12] = 192 } };
	struct service service = { .store = (struct store *)&service };
	struct service_door door = { .service = &service };

	(void)state;
	assert_int_equal(limits_new(&one, 64, 1, &service.limits), MTRK_OK);
	service_start(&service);
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		assert_null(protocols[i]->refuses(&door, &ip));
		assert_non_null(protocols[i]->refuses(&door, &ip));
		protocols[i]->missed(&door, &ip);
	}
	assert_null(service_mtqp.refuses(&door, &ip));
	limits_free(&service.limits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_clients_are_kept),
		cmocka_unit_test(chained_answers_come_in_time),
		cmocka_unit_test(whom_there_is_no_memory_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
