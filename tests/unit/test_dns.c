/* common/dns.c against a real server (dnsmasq). */
#include <poll.h>

#include "common/dns.h"
#include "tests/lib/cm.h"
#include "tests/lib/nameserver.h"

#define LONG_NAME "a-rather-long-label-so-that-udp-does-not-do.big.test"

static const char *const zone[] = {
	"--local=/test/",
	"--srv-host=_mtqp._tcp.one.test,track.test,2038,5,7",
	"--srv-host=_mtqp._tcp.none.test", /* target "." */
	"--srv-host=_mtqp._tcp.big.test,1." LONG_NAME ",1038,1,0",
	"--srv-host=_mtqp._tcp.big.test,2." LONG_NAME ",1038,2,0",
	"--srv-host=_mtqp._tcp.big.test,3." LONG_NAME ",1038,3,0",
	"--srv-host=_mtqp._tcp.big.test,4." LONG_NAME ",1038,4,0",
	"--srv-host=_mtqp._tcp.big.test,5." LONG_NAME ",1038,5,0",
	"--srv-host=_mtqp._tcp.big.test,6." LONG_NAME ",1038,6,0",
	"--srv-host=_mtqp._tcp.big.test,7." LONG_NAME ",1038,7,0",
	"--srv-host=_mtqp._tcp.big.test,8." LONG_NAME ",1038,8,0",
	"--srv-host=_mtqp._tcp.big.test,9." LONG_NAME ",1038,9,0",
	"--mx-host=one.test,mx2.test,20",
	"--mx-host=one.test,mx1.test,10",
	"--host-record=track.test,192.0.2.1,2001:db8::1",
	"--cname=alias.test,track.test",
	NULL,
};

static struct nameserver server;
static struct dns *dns;

static int
setup(void **state)
{
	(void)state;
	nameserver_start(&server, zone);
	return dns_open(server.address, &dns) != MTRK_OK;
}

static int
teardown(void **state)
{
	(void)state;
	dns_close(&dns);
	nameserver_stop(&server);
	return 0;
}

static void
srv(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_int_equal(
	    ask_dns(dns, DNS_SRV, "_mtqp._tcp.one.test", 5000, &a), MTRK_OK);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.hosts[0].name, "track.test");
	assert_int_equal(a.hosts[0].port, 2038);
	assert_int_equal(a.hosts[0].priority, 5);
	assert_int_equal(a.hosts[0].weight, 7);
	/* target "." (RFC 2782) */
	assert_int_equal(
	    ask_dns(dns, DNS_SRV, "_mtqp._tcp.none.test", 5000, &a), MTRK_OK);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.hosts[0].name, "");
}

/* Over 512 octets: the second try is by TCP. */
static void
truncated(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_int_equal(
	    ask_dns(dns, DNS_SRV, "_mtqp._tcp.big.test", 5000, &a), MTRK_OK);
	assert_int_equal(a.n, 9);
}

static void
mx(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_int_equal(ask_dns(dns, DNS_MX, "one.test", 5000, &a), MTRK_OK);
	assert_int_equal(a.n, 2);
	for (size_t i = 0; i < a.n; i++)
		assert_string_equal(a.hosts[i].name,
		    a.hosts[i].priority == 10 ? "mx1.test" : "mx2.test");
}

static bool
has(const struct dns_answer *a, const char *text)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->addresses[i].text, text) == 0)
			return true;
	return false;
}

static void
addresses(void **state)
{
	static const char *const names[] = { "track.test", "alias.test" };
	struct dns_answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(
		    ask_dns(dns, DNS_ADDRESS, names[i], 5000, &a), MTRK_OK);
		assert_int_equal(a.n, 2);
		assert_true(has(&a, "192.0.2.1") && has(&a, "2001:db8::1"));
	}
	/* a numeric address is itself, without a server */
	assert_int_equal(
	    ask_dns(dns, DNS_ADDRESS, "203.0.113.9", 5000, &a), MTRK_OK);
	assert_true(has(&a, "203.0.113.9"));
}

static void
absent(void **state)
{
	struct dns_answer a;

	(void)state;
	assert_int_equal(
	    ask_dns(dns, DNS_MX, "nobody.test", 5000, &a), MTRK_NOTFOUND);
	assert_false(a.exists);
	assert_int_equal(
	    ask_dns(dns, DNS_MX, "track.test", 5000, &a), MTRK_NOTFOUND);
	assert_true(a.exists);
	assert_non_null(a.why);
	assert_int_equal(
	    ask_dns(dns, DNS_ADDRESS, "nobody.test", 5000, &a), MTRK_NOTFOUND);
	assert_int_not_equal(ask_dns(dns, DNS_MX, "..", 5000, &a), MTRK_OK);
}

struct seen {
	unsigned calls;
	enum mtrk_err err;
};

static void
note(void *arg, const struct dns_answer *a)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->err = a->err;
}

/* As a program with a loop does it: one descriptor for many questions. */
static void
evented(void **state)
{
	struct seen seen[20] = { { 0 } };
	struct pollfd p = { .fd = dns_fd(dns), .events = POLLIN };
	unsigned missing = ARRAY_LEN(seen);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		dns_ask(dns, DNS_MX, "one.test", note, &seen[i]);
	while (missing > 0) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		dns_work(dns);
		missing = 0;
		for (size_t i = 0; i < ARRAY_LEN(seen); i++)
			missing += seen[i].calls == 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		assert_int_equal(seen[i].calls, 1);
		assert_int_equal(seen[i].err, MTRK_OK);
	}
}

/* A server that is not there, one that is silent, and no server's address;
 * what is pending at the end is told. */
static void
failures(void **state)
{
	struct nameserver gone;
	struct dns *other;
	struct dns_answer a;
	struct seen seen = { 0 };

	(void)state;
	nameserver_start(&gone, zone);
	nameserver_stop(&gone);
	assert_int_equal(dns_open(gone.address, &other), MTRK_OK);
	assert_int_equal(
	    ask_dns(other, DNS_MX, "one.test", 5000, &a), MTRK_BUSY);
	dns_close(&other);
	assert_int_equal(dns_open("nonsense", &other), MTRK_SYNTAX);
	assert_null(other);
	/* 192.0.2.0/24 answers nobody */
	assert_int_equal(dns_open("192.0.2.53", &other), MTRK_OK);
	ask_dns(other, DNS_MX, "one.test", 50, &a);
	assert_int_equal(a.err, MTRK_BUSY);
	dns_ask(other, DNS_MX, "one.test", note, &seen);
	dns_close(&other);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.err, MTRK_BUSY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(srv),
		cmocka_unit_test(truncated),
		cmocka_unit_test(mx),
		cmocka_unit_test(addresses),
		cmocka_unit_test(absent),
		cmocka_unit_test(evented),
		cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
