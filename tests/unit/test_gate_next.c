/* From a next hop to addresses: RFC 5321 5, RFC 7505; asked of a real DNS. */
#include "tests/lib/cm.h"

#include <arpa/inet.h>

#include "common/conf_address.h"
#include "milter/gate_next.h"
#include "tests/lib/nameserver.h"

static struct nameserver ns;
static struct dns *dns;

static int
setup(void **state)
{
	static const char *const options[] = { "--local=/test/",
		"--host-record=one.test,192.0.2.1",
		"--host-record=two.test,192.0.2.2,2001:db8::2",
		"--host-record=three.test,192.0.2.3",
		"--mx-host=mx.test,two.test,20",
		"--mx-host=mx.test,one.test,10",
		"--mx-host=mx.test,three.test,30",
		"--mx-host=own.test,here.test,10",
		"--mx-host=own.test,one.test,10", NULL };

	(void)state;
	nameserver_start(&ns, options);
	return dns_open(ns.address, &dns) != MTRK_OK;
}

static int
teardown(void **state)
{
	(void)state;
	dns_close(&dns);
	nameserver_stop(&ns);
	return 0;
}

static void
found(void *arg)
{
	*(bool *)arg = true;
}

/* "host=address:port ..." or the error. */
static void
find(const char *text, const char *own, struct buf *out)
{
	struct conf_hop hop;
	struct next n;
	bool done = false;
	char ip[INET6_ADDRSTRLEN];

	buf_cut(out, 0);
	assert_true(conf_parse_hop(span_of(text), &hop));
	next_find(&n, dns, &hop, own, found, &done);
	dns_wait(dns, 10000);
	assert_true(done);
	for (size_t i = 0; i < n.addresses_n; i++) {
		const struct sockaddr_in *v4 = (const void *)&n.addresses[i].sa;
		const struct sockaddr_in6 *v6 =
		    (const void *)&n.addresses[i].sa;
		bool six = v4->sin_family == AF_INET6;

		inet_ntop(v4->sin_family,
		    six ? (const void *)&v6->sin6_addr : &v4->sin_addr, ip,
		    sizeof ip);
		buf_fmt(out, "%s=%s:%u ", n.addresses[i].host, ip,
		    ntohs(six ? v6->sin6_port : v4->sin_port));
	}
	if (n.err != MTRK_OK)
		buf_fmt(out, "%s", mtrk_err_text(n.err));
}

static void
next_hops(void **state)
{
	static const struct {
		const char *hop, *own, *want; /* a "*" stands for the rest */
	} cases[] = {
		{ "[192.0.2.9]:26", NULL, "192.0.2.9=192.0.2.9:26 " },
		{ "[2001:db8::9]", NULL, "2001:db8::9=2001:db8::9:25 " },
		{ "[one.test]", NULL, "one.test=192.0.2.1:25 " },
		{ "one.test", NULL, "one.test=192.0.2.1:25 " }, /* no MX */
		{ "mx.test", NULL, "one.test=192.0.2.1:25 two.test=*" },
		/* we are its second: only those before us */
		{ "mx.test", "TWO.test", "one.test=192.0.2.1:25 " },
		/* equal to us */
		{ "own.test", "here.test", "not found*" },
		{ "gone.test", NULL, "not found*" },
		{ "[gone.test]", NULL, "not found*" },
	};
	struct buf got = BUF(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = strcspn(cases[i].want, "*");

		find(cases[i].hop, cases[i].own, &got);
		if (got.n < n || memcmp(got.p, cases[i].want, n) != 0 ||
		    (cases[i].want[n] == '\0' && got.n != n))
			fail_msg("%s: \"%s\"", cases[i].hop, got.p);
	}
	buf_free(&got);
}

/* Equal preferences come in any order; better ones always first. */
static void
order(void **state)
{
	struct dns_answer a = { .n = 3,
		.hosts = { { .name = "b", .priority = 5 },
		    { .name = "c", .priority = 5 },
		    { .name = "a", .priority = 1 } } };
	unsigned first[2] = { 0 };
	struct next n = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		next_order(&n, &a);
		assert_int_equal(n.hosts_n, 3);
		assert_string_equal(n.hosts[0], "a");
		first[n.hosts[1][0] == 'c']++;
	}
	assert_true(first[0] > 0 && first[1] > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hops),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
