/* mtqp: URIs (Q36-Q38, A33) and host:port. */
#include "tests/lib/cm.h"

#include "common/uri.h"

#define TAIL "/track/q1@h.example/YWJj"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct {
	const char *in;
	enum mtrk_err err;
	const char *host;
	uint16_t port;
	const char *envid, *secret;
} rows[] = {
	/* Q36 */
	{ "mtqp://h.example" TAIL, MTRK_OK, "h.example", 0, "q1@h.example",
	    "YWJj" },
	{ "mtqp:/h.example" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqps://h.example" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "http://h.example" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ " mtqp://h.example" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "h.example" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track//YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/trace/a@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp:///track/a@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	/* Q37: scheme and "/track/" in any case, the rest as it is */
	{ "MTQP://h.example/TRACK/Q1@H/YWJJ", MTRK_OK, "h.example", 0, "Q1@H",
	    "YWJJ" },
	{ "Mtqp://h/Track/q1@h/YWJj", MTRK_OK, "h", 0, "q1@h", "YWJj" },
	/* Q36: the port */
	{ "mtqp://h:2038" TAIL, MTRK_OK, "h", 2038, "q1@h.example", "YWJj" },
	{ "mtqp://h:65535" TAIL, MTRK_OK, "h", 65535, "q1@h.example", "YWJj" },
	{ "mtqp://h:65536" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h:0" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h:" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h:mtqp" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h:+1" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://u@h" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h%2e" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	/* RFC 3986 3.2.2: IPv6 stands in brackets */
	{ "mtqp://[::1]" TAIL, MTRK_OK, "::1", 0, "q1@h.example", "YWJj" },
	{ "mtqp://[2001:db8::1]:2038" TAIL, MTRK_OK, "2001:db8::1", 2038,
	    "q1@h.example", "YWJj" },
	{ "mtqp://::1" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://2001:db8::1" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://[::1" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://[]" TAIL, MTRK_SYNTAX, NULL, 0, NULL, NULL },
	/* Q38, A33: percent-encoding */
	{ "mtqp://h/track/q%2F1%3F2%253@h/%2F%2B%3d", MTRK_SYNTAX, NULL, 0,
	    NULL, NULL }, /* no base64 */
	{ "mtqp://h/track/q%2F1%3F2%253@h/%2F%2b+/", MTRK_SYNTAX, NULL, 0, NULL,
	    NULL },
	{ "mtqp://h/track/q%2F1%3F2%253@h/%2F%2b+%2f", MTRK_OK, "h", 0,
	    "q/1?2%3@h", "/++/" },
	{ "mtqp://h/track/q/1@h/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/YWJj/", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/YWJj?x", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/YWJj#x", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a?@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a#@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a%2@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a%@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/YWJj%", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/YWJj%4", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a%xx@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	/* nothing that would end a TRACK line or part its words */
	{ "mtqp://h/track/a%0D%0AQUIT@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL,
	    NULL },
	{ "mtqp://h/track/a%20@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a%00@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a%C3%A4@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a @b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	/* A33: "+" is no blank; the envid stays the xtext it is */
	{ "mtqp://h/track/a+2B@b/YWJj", MTRK_OK, "h", 0, "a+2B@b", "YWJj" },
	{ "mtqp://h/track/a+b@b/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	/* S22, A7: a unique-envid and base64 */
	{ "mtqp://h/track/ab/YWJj", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/YWI=", MTRK_OK, "h", 0, "a@b", "YWI=" },
	{ "mtqp://h/track/a@b/YWI", MTRK_OK, "h", 0, "a@b", "YWI" },
	{ "mtqp://h/track/a@b/YWJ=", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/YWJj*", MTRK_SYNTAX, NULL, 0, NULL, NULL },
	/* H7 */
	{ "mtqp://h/track/a@" X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/YWJj",
	    MTRK_OK, "h", 0, "a@" X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    "YWJj" },
	{ "mtqp://h/track/a@" X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/YWJj",
	    MTRK_TOOBIG, NULL, 0, NULL, NULL },
	{ "mtqp://h/track/a@b/" A43 A43 A43 A43, MTRK_OK, "h", 0, "a@b",
	    A43 A43 A43 A43 },
	{ "mtqp://h/track/a@b/" A43 A43 A43 A43 "AA", MTRK_TOOBIG, NULL, 0,
	    NULL, NULL },
};

static void
parses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mtqp_uri u;
		enum mtrk_err err = uri_parse(span_of(rows[i].in), &u);

		if (err != rows[i].err ||
		    (err == MTRK_OK &&
			(strcmp(u.host, rows[i].host) != 0 ||
			    u.port != rows[i].port ||
			    strcmp(u.envid, rows[i].envid) != 0 ||
			    strcmp(u.secret, rows[i].secret) != 0)))
			fail_msg("Q36 \"%s\": %s, host %s port %u envid %s "
				 "secret %s",
			    rows[i].in, mtrk_err_text(err), u.host, u.port,
			    u.envid, u.secret);
	}
}

static void
too_long(void **state)
{
	static char in[URI_MAX + 1];
	struct mtqp_uri u;

	(void)state;
	memset(in, 'a', sizeof in);
	assert_int_equal(
	    uri_parse((struct span){ in, URI_MAX }, &u), MTRK_SYNTAX);
	assert_int_equal(
	    uri_parse((struct span){ in, URI_MAX + 1 }, &u), MTRK_TOOBIG);
}

/* A33: what may not stand in a URI, by octet; the reader undoes it. */
static void
formats_every_character(void **state)
{
	(void)state;
	for (int c = '!'; c <= '~'; c++) {
		struct mtqp_uri u = { .host = "h", .secret = "YWJj" }, back;
		bool coded = strchr("/?%#<>\"\\^`{|}[]", c) != NULL;
		char text[URI_MAX + 1], want[64];

		snprintf(u.envid, sizeof u.envid, "%c@b", c);
		snprintf(want, sizeof want,
		    coded ? "mtqp://h/track/%%%02X@b/YWJj"
			  : "mtqp://h/track/%c@b/YWJj",
		    (unsigned)c);
		assert_int_equal(uri_format(&u, text, sizeof text), MTRK_OK);
		if (strcmp(text, want) != 0)
			fail_msg("A33 '%c': %s", c, text);
		if (c == '+' || c == '=')
			continue; /* D2: alone, neither is xtext */
		assert_int_equal(uri_parse(span_of(text), &back), MTRK_OK);
		assert_string_equal(back.envid, u.envid);
	}
}

static void
formats_hosts(void **state)
{
	static const struct {
		struct mtqp_uri u;
		const char *want;
	} cases[] = {
		{ { "h", 0, "a@b", "YWJj" }, "mtqp://h/track/a@b/YWJj" },
		{ { "h", 65535, "a@b", "YWJj" },
		    "mtqp://h:65535/track/a@b/YWJj" },
		{ { "::1", 0, "a@b", "YWJj" }, "mtqp://[::1]/track/a@b/YWJj" },
		{ { "::1", 1038, "a@b", "YWJj" },
		    "mtqp://[::1]:1038/track/a@b/YWJj" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t need = strlen(cases[i].want) + 1;
		struct mtqp_uri back;
		char text[64];

		assert_int_equal(
		    uri_format(&cases[i].u, text, need - 1), MTRK_TOOBIG);
		assert_int_equal(uri_format(&cases[i].u, text, need), MTRK_OK);
		assert_string_equal(text, cases[i].want);
		assert_int_equal(uri_parse(span_of(text), &back), MTRK_OK);
		assert_string_equal(back.host, cases[i].u.host);
		assert_int_equal(back.port, cases[i].u.port);
	}
}

/* The longest of everything has room in URI_MAX. */
static void
formats_the_longest(void **state)
{
	struct mtqp_uri u = { .port = 65535 };
	char text[URI_MAX + 1];

	(void)state;
	memset(u.host, 'h', HOST_MAX);
	memset(u.envid, '/', ENVID_MAX);
	memset(u.secret, '/', SECRET_TEXT);
	assert_int_equal(uri_format(&u, text, sizeof text), MTRK_OK);
	assert_int_equal(strlen(text),
	    strlen("mtqp://:65535/track//") + HOST_MAX +
		3 * (ENVID_MAX + SECRET_TEXT));
}

static const struct {
	const char *in;
	enum mtrk_err err;
	const char *host;
	uint16_t port;
} hosts[] = {
	{ "h", MTRK_OK, "h", 0 },
	{ "mx_1.a-b.example", MTRK_OK, "mx_1.a-b.example", 0 },
	{ "h:25", MTRK_OK, "h", 25 },
	{ "127.0.0.1:25", MTRK_OK, "127.0.0.1", 25 },
	{ "", MTRK_SYNTAX, NULL, 0 },
	{ ":25", MTRK_SYNTAX, NULL, 0 },
	{ "h:", MTRK_SYNTAX, NULL, 0 },
	{ "h:x", MTRK_SYNTAX, NULL, 0 },
	{ "h:0", MTRK_SYNTAX, NULL, 0 },
	{ "h:65535", MTRK_OK, "h", 65535 },
	{ "h:65536", MTRK_SYNTAX, NULL, 0 },
	{ "h 1", MTRK_SYNTAX, NULL, 0 },
	{ "h/1", MTRK_SYNTAX, NULL, 0 },
	{ "h\xc3\xa4", MTRK_SYNTAX, NULL, 0 },
	{ "::1", MTRK_OK, "::1", 0 },
	{ "2001:db8::25", MTRK_OK, "2001:db8::25", 0 },
	{ "2001:db8::25:x", MTRK_SYNTAX, NULL, 0 },
	{ "h:1:2", MTRK_SYNTAX, NULL, 0 },
	{ ":::", MTRK_SYNTAX, NULL, 0 },
	{ "[::1]", MTRK_OK, "::1", 0 },
	{ "[::1]:25", MTRK_OK, "::1", 25 },
	{ "[::1]:", MTRK_SYNTAX, NULL, 0 },
	{ "[::1]25", MTRK_SYNTAX, NULL, 0 },
	{ "[::1]:x", MTRK_SYNTAX, NULL, 0 },
	{ "[::1", MTRK_SYNTAX, NULL, 0 },
	{ "::1]", MTRK_SYNTAX, NULL, 0 },
	{ "[h]", MTRK_SYNTAX, NULL, 0 },
	{ "[127.0.0.1]", MTRK_SYNTAX, NULL, 0 },
	{ "[]", MTRK_SYNTAX, NULL, 0 },
	{ "[::g]", MTRK_SYNTAX, NULL, 0 },
	{ "[fe80::1%lo]", MTRK_SYNTAX, NULL, 0 },
};

static void
hostports(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		char host[HOST_MAX + 1];
		uint16_t port;
		enum mtrk_err err =
		    hostport_parse(span_of(hosts[i].in), host, &port);

		if (err != hosts[i].err ||
		    (err == MTRK_OK &&
			(strcmp(host, hosts[i].host) != 0 ||
			    port != hosts[i].port)))
			fail_msg("Q36 \"%s\": %s, host %s port %u", hosts[i].in,
			    mtrk_err_text(err), host, port);
	}
}

static void
long_hosts(void **state)
{
	char in[HOST_MAX + 1], host[HOST_MAX + 1];
	uint16_t port;

	(void)state;
	memset(in, 'h', sizeof in);
	assert_int_equal(
	    hostport_parse((struct span){ in, HOST_MAX }, host, &port),
	    MTRK_OK);
	assert_int_equal(
	    hostport_parse((struct span){ in, HOST_MAX + 1 }, host, &port),
	    MTRK_TOOBIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(too_long),
		cmocka_unit_test(formats_every_character),
		cmocka_unit_test(formats_hosts),
		cmocka_unit_test(formats_the_longest),
		cmocka_unit_test(hostports),
		cmocka_unit_test(long_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
