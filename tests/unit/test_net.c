/* Addresses and ranges, which decide who is limited and who is asked. */
#include "tests/lib/cm.h"

#include "common/net.h"

static struct net_ip
ip(const char *text)
{
	struct net_ip a;

	assert_true(net_ip_parse(span_of(text), &a));
	return a;
}

static void
ranges(void **state)
{
	static const struct {
		const char *range, *address;
		bool has;
	} cases[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.77/24", "192.0.2.1", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "0.0.0.0/0", "255.1.2.3", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::/0", "192.0.2.1", true },
		{ "::1", "::1", true },
		{ "::1", "::2", false },
	};
	struct net_range r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_ip a = ip(cases[i].address);

		if (!net_range_parse(span_of(cases[i].range), &r) ||
		    net_range_has(&r, &a) != cases[i].has)
			fail_msg("%s %s", cases[i].range, cases[i].address);
	}
}

static void
no_ranges(void **state)
{
	static const char *const cases[] = { "", "/", "192.0.2.0/", "x/8",
		"192.0.2.0/33", "192.0.2/24", "::/129", "::/-1",
		"example.org" };
	struct net_range r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (net_range_parse(span_of(cases[i]), &r))
			fail_msg("%s", cases[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(no_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
