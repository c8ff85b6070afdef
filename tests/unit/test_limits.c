/* What one address may do: connections, commands, failures. */
#include "tests/lib/cm.h"

#include "mtqp/limits.h"

static struct net_ip
v4(unsigned n)
{
	return (struct net_ip){ { [10] = 0xff,
	    [11] = 0xff,
	    [12] = 10,
	    [13] = (unsigned char)(n >> 16),
	    [14] = (unsigned char)(n >> 8),
	    [15] = (unsigned char)n } };
}

/* 2001:db8:SITE:NET::HOST */
static struct net_ip
v6(unsigned site, unsigned net, unsigned host)
{
	return (struct net_ip){ { 0x20, 0x01, 0x0d, 0xb8,
	    (unsigned char)(site >> 8), (unsigned char)site,
	    (unsigned char)(net >> 8), (unsigned char)net,
	    [14] = (unsigned char)(host >> 8), [15] = (unsigned char)host } };
}

static struct limits *
limits(uint64_t connections, uint64_t commands, uint64_t failures)
{
	struct limits_conf conf = { connections, commands, failures };
	struct limits *l;

	assert_int_equal(limits_new(&conf, 1024, 42, &l), MTRK_OK);
	return l;
}

static void
connections(void **state)
{
	struct limits *l = limits(3, 0, 0);
	struct net_ip a = v4(1), b = v4(2);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(limits_connect(l, &a, i));
	assert_false(limits_connect(l, &a, 4));
	assert_true(limits_connect(l, &b, 5));
	limits_closed(l, &a);
	assert_true(limits_connect(l, &a, 6));
	assert_false(limits_connect(l, &a, 7));
	limits_free(&l);
}

/* Whoever has a /64 has 2^64 addresses, and a site has many /64. */
static void
prefixes(void **state)
{
	struct limits *l = limits(3, 0, 0);
	unsigned admitted = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct net_ip ip = v6(1, 1, i);

		admitted += limits_connect(l, &ip, i);
	}
	assert_int_equal(admitted, 3);
	for (unsigned net = 2; net < 20; net++)
		for (unsigned i = 0; i < 3; i++) {
			struct net_ip ip = v6(1, net, i);

			admitted += limits_connect(l, &ip, 10);
		}
	assert_int_equal(admitted, 3 * LIMITS_SITE);
	for (unsigned i = 0; i < 3; i++) {
		struct net_ip ip = v6(2, 1, i);

		assert_true(limits_connect(l, &ip, 10));
	}
	limits_free(&l);
}

static void
commands(void **state)
{
	struct limits *l = limits(0, 60, 0);
	struct net_ip a = v4(1), b = v4(2);
	unsigned done = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		done += limits_command(l, &a, 1000);
	assert_int_equal(done, 60);
	assert_true(limits_command(l, &b, 1000));
	/* one a second from now on, however often it asks */
	done = 0;
	for (int64_t t = 1001; t <= 11000; t++)
		done += limits_command(l, &a, t);
	assert_int_equal(done, 10);
	done = 0;
	for (unsigned i = 0; i < 100; i++)
		done += limits_command(l, &a, 200000);
	assert_int_equal(done, 60);
	limits_free(&l);
}

static void
failures(void **state)
{
	static const unsigned waits[] = { 0, 0, 0, 2, 4, 8, 15, 15, 15 };
	struct limits *l = limits(0, 0, 3);
	struct net_ip a = v4(1), b = v4(2);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waits); i++)
		assert_int_equal(
		    limits_failure(l, &a, 1000 + (int64_t)i), waits[i]);
	assert_int_equal(limits_failure(l, &b, 1000), 0);
	/* 9 become 4 after a minute: the 5th is two too many */
	assert_int_equal(limits_failure(l, &a, 61500), 4);
	/* and none is left after an hour */
	assert_int_equal(limits_failure(l, &a, 3700000), 0);
	limits_free(&l);
}

/* More addresses than there are places: who is connected isn't forgotten, and
 * nothing is ever given twice. */
static void
many(void **state)
{
	struct limits *l = limits(1, 0, 0);
	struct net_ip first = v4(0);

	(void)state;
	assert_true(limits_connect(l, &first, 0));
	for (unsigned i = 1; i < 100000; i++) {
		struct net_ip ip = v4(i);

		if (limits_connect(l, &ip, i))
			limits_closed(l, &ip);
		assert_false(limits_connect(l, &first, i));
	}
	limits_closed(l, &first);
	assert_true(limits_connect(l, &first, 100000));
	limits_free(&l);
}

/* Where one place is left, an IPv6 address, which needs two, isn't let in,
 * and nobody is counted twice. */
static void
one_place(void **state)
{
	const struct limits_conf conf = { 2, 0, 0 };
	struct limits *l;
	struct net_ip site = v6(1, 1, 1);

	(void)state;
	assert_int_equal(limits_new(&conf, 8, 42, &l), MTRK_OK);
	for (unsigned i = 0; i < 7; i++) {
		struct net_ip ip = v4(i);

		assert_true(limits_connect(l, &ip, i));
	}
	assert_false(limits_connect(l, &site, 8));
	for (unsigned i = 0; i < 7; i++) {
		struct net_ip ip = v4(i);

		assert_true(limits_connect(l, &ip, 9));
		limits_closed(l, &ip);
		limits_closed(l, &ip);
	}
	assert_true(limits_connect(l, &site, 10));
	assert_true(limits_connect(l, &site, 10));
	assert_false(limits_connect(l, &site, 10));
	limits_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(commands),
		cmocka_unit_test(failures),
		cmocka_unit_test(many),
		cmocka_unit_test(one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
