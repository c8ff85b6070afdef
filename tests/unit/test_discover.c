/* mtqp/discover.c: RFC 2782's order, and addresses that strangers may name. */
#include "mtqp/discover.h"
#include "tests/lib/cm.h"

static struct dns_host
host(const char *name, unsigned priority, unsigned weight)
{
	struct dns_host h = { .priority = (uint16_t)priority,
		.weight = (uint16_t)weight,
		.port = 1038 };

	snprintf(h.name, sizeof h.name, "%s", name);
	return h;
}

static uint32_t
lowest(void *arg, uint32_t most)
{
	(void)arg, (void)most;
	return 0;
}

static uint32_t
highest(void *arg, uint32_t most)
{
	(void)arg;
	return most;
}

static void
names(const struct dns_host *h, size_t n, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && at < size; i++)
		at += (size_t)snprintf(
		    out + at, size - at, "%s%s", i > 0 ? " " : "", h[i].name);
}

/* Q2a: priority decides before weight does; weight 0 goes first on a 0. */
static void
order(void **state)
{
	static const struct {
		uint32_t (*dice)(void *, uint32_t);
		const char *want;
	} cases[] = { { lowest, "b a e d" }, { highest, "a b d e" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_host h[] = { host("d", 20, 9), host("a", 10, 3),
			host("b", 10, 0), host("e", 20, 0) };
		size_t n = ARRAY_LEN(h);
		char got[100];

		assert_int_equal(
		    discover_order(h, &n, cases[i].dice, NULL), MTRK_OK);
		names(h, n, got, sizeof got);
		assert_string_equal(got, cases[i].want);
	}
}

/* A counter stands for chance: each number of 0..most equally often. */
static uint32_t
turn(void *arg, uint32_t most)
{
	uint32_t *n = arg;

	return (*n)++ % (most + 1);
}

/* Weight 1 against 3: RFC 2782's "proportional", within what its rule gives
 * (0 and 1 of 0..4 choose the first). */
static void
weights(void **state)
{
	unsigned first = 0;

	(void)state;
	for (uint32_t k = 0; k < 5; k++) {
		struct dns_host h[] = { host("a", 1, 1), host("b", 1, 3) };
		size_t n = 2;
		uint32_t at = k;

		assert_int_equal(discover_order(h, &n, turn, &at), MTRK_OK);
		first += h[0].name[0] == 'a';
	}
	assert_int_equal(first, 2);
}

/* The next number of a list. */
static uint32_t
listed(void *arg, uint32_t most)
{
	const uint32_t **next = arg;
	uint32_t n = *(*next)++;

	assert_in_range(n, 0, most);
	return n;
}

/*
 * Every number that may be drawn, for every place: what comes first, and what
 * second once that is gone, has its part of the running sum (RFC 2782: the
 * first one whose sum is not less than the number).
 */
static void
distribution(void **state)
{
	unsigned first[3] = { 0 }, second[3] = { 0 };

	(void)state;
	for (uint32_t k = 0; k <= 100; k++) {
		struct dns_host h[] = { host("a", 1, 10), host("b", 1, 20),
			host("c", 1, 70) };
		const uint32_t numbers[] = { k, 0, 0 }, *next = numbers;
		size_t n = 3;

		assert_int_equal(discover_order(h, &n, listed, &next), MTRK_OK);
		first[h[0].name[0] - 'a']++;
	}
	assert_int_equal(first[0], 11);
	assert_int_equal(first[1], 20);
	assert_int_equal(first[2], 70);
	for (uint32_t k = 0; k <= 30; k++) { /* c, the last, is drawn first */
		struct dns_host h[] = { host("a", 1, 10), host("b", 1, 20),
			host("c", 1, 70) };
		const uint32_t numbers[] = { 100, k, 0 }, *next = numbers;
		size_t n = 3;

		assert_int_equal(discover_order(h, &n, listed, &next), MTRK_OK);
		assert_string_equal(h[0].name, "c");
		second[h[1].name[0] - 'a']++;
	}
	assert_int_equal(second[0], 11);
	assert_int_equal(second[1], 20);
}

/* Q2a: "." alone means no; beside others it is no server. */
static void
refused(void **state)
{
	struct dns_host one[] = { host("", 0, 0) };
	struct dns_host two[] = { host("", 0, 0), host("x", 1, 1) };
	size_t n = 1;

	(void)state;
	assert_int_equal(discover_order(one, &n, lowest, NULL), MTRK_DENIED);
	assert_int_equal(n, 0);
	n = 2;
	assert_int_equal(discover_order(two, &n, lowest, NULL), MTRK_OK);
	assert_int_equal(n, 1);
	assert_string_equal(two[0].name, "x");
}

/* RFC 8305 4: a kind that leads nowhere costs one wait, not one an address. */
static void
mixed(void **state)
{
	static const struct {
		const char *in, *want; /* "6" and "4" with the place it had */
	} cases[] = {
		{ "", "" },
		{ "4", "40" },
		{ "666644", "60 44 61 45 62 63" },
		{ "6664", "60 43 61 62" },
		{ "4466", "40 62 41 63" },
		{ "6464", "60 41 62 43" },
		{ "666", "60 61 62" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct dns_address a[8];
		const size_t n = strlen(cases[i].in);
		struct buf got = BUF(100);

		for (size_t k = 0; k < n; k++)
			snprintf(a[k].text, sizeof a[k].text,
			    cases[i].in[k] == '6' ? "::%zu" : "0.0.0.%zu", k);
		discover_mix(a, n);
		for (size_t k = 0; k < n; k++)
			buf_fmt(&got, "%s%c%c", k > 0 ? " " : "",
			    a[k].text[0] == ':' ? '6' : '4',
			    a[k].text[strlen(a[k].text) - 1]);
		assert_span(buf_as_span(&got), cases[i].want);
		buf_free(&got);
	}
}

/* A45. */
static void
private_addresses(void **state)
{
	static const char *const private[] = { "127.0.0.1", "10.1.2.3",
		"172.16.0.1", "172.31.255.255", "192.168.0.1",
		"169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
		"224.0.0.1", "::", "::1", "fe80::1", "fd00::1", "ff02::1",
		"::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1",
		"2002:a00:1::", "64:ff9b:1::1", "::10.0.0.1", "localhost", "",
		"127.1" };
	static const char *const public[] = { "192.0.2.1", "8.8.8.8",
		"172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1",
		"2001:db8::1", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
		"2002:808:808::", "fbff::1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(private); i++)
		if (!discover_is_private(private[i]))
			fail_msg("%s is not public", private[i]);
	for (size_t i = 0; i < ARRAY_LEN(public); i++)
		if (discover_is_private(public[i]))
			fail_msg("%s is public", public[i]);
}

static void
fqdn(void **state)
{
	(void)state;
	assert_true(discover_is_fqdn("mx.example"));
	assert_false(discover_is_fqdn("localhost"));
	assert_false(discover_is_fqdn("192.0.2.1"));
	assert_false(discover_is_fqdn("::1"));
	assert_false(discover_is_fqdn(".x"));
	assert_false(discover_is_fqdn("x."));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(weights),
		cmocka_unit_test(distribution),
		cmocka_unit_test(refused),
		cmocka_unit_test(mixed),
		cmocka_unit_test(private_addresses),
		cmocka_unit_test(fqdn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
