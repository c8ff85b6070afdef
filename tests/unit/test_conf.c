/* mtrk.conf: defaults, every fault with file and line, and -nn's output is a
 * configuration again.  mtrk.conf(5) names every setting. */
#include "tests/lib/cm.h"

#include "common/conf_address.h"

static char dir[256], path[300];

static enum mtrk_err
load(const char *text, struct conf *c, char errors[4096])
{
	FILE *f = fopen(path, "w"), *e;
	enum mtrk_err err;

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	memset(errors, 0, 4096);
	assert_non_null(e = fmemopen(errors, 4095, "w"));
	err = conf_load(path, c, e);
	fclose(e);
	return err;
}

static void
defaults(void **state)
{
	struct conf c;

	(void)state;
	conf_defaults(&c);
	assert_string_equal(c.store, "/var/lib/mtrk");
	assert_int_equal(c.retention_s, 9 * 86400); /* S21 */
	assert_int_equal(c.queue_lifetime_s, 5 * 86400);
	assert_int_equal(c.milter_socket_mode, 0660);
	assert_int_equal(c.unknown, UNKNOWN_NOINFO);
	assert_int_equal(c.on_bad_mtrk, BADMTRK_IGNORE);
	assert_int_equal(c.require_tls, 0);
	assert_string_equal(
	    conf_instance_by_syslog(&c, SPAN("postfix")), "default");
}

static void
good(void **state)
{
	char errors[4096];
	struct conf c;

	(void)state;
	assert_int_equal(load("# a comment\n\n  STORE\t/x/y  \nretention 36h\n"
			      "Listen 127.0.0.1:2038\nlisten [::1]:1038\n"
			      "Instance postfix-a a.test\nUnknown OPAQUE\n"
			      "StoreLimit 64M\nMilterSocketMode 0640\n"
			      "TrackingPeer peer.test\nHideForwarding yes\n"
			      "TrackingPeer 192.0.2.0/24\nWaitingRoom 1M\n"
			      "TrackingPeer 2001:db8::/33\nWaitingTime 1h\n"
			      "ContentFilter spamassassin\n",
			     &c, errors),
	    MTRK_OK);
	assert_string_equal(errors, "");
	assert_string_equal(c.store, "/x/y");
	assert_int_equal(c.retention_s, 36 * 3600);
	assert_int_equal(c.listens, 2);
	assert_string_equal(c.listen[1].host, "::1");
	assert_int_equal(c.listen[0].port, 2038);
	assert_int_equal(c.unknown, UNKNOWN_OPAQUE);
	assert_int_equal(c.store_limit, 64 << 20);
	assert_int_equal(c.milter_socket_mode, 0640);
	assert_string_equal(
	    conf_instance_by_daemon(&c, SPAN("a.test")), "postfix-a");
	assert_null(conf_instance_by_daemon(&c, SPAN("b.test")));
	assert_int_equal(c.hide_forwarding, 1);
	assert_string_equal(c.content_filter, "spamassassin");
	assert_int_equal(c.waiting_size, 1 << 20);
	assert_int_equal(c.waiting_time_s, 3600);
}

/* design.md 4: a next hop that is a configured peer. */
static void
peers(void **state)
{
	static const struct {
		const char *name, *address;
		bool is;
	} cases[] = {
		{ "peer.test", "198.51.100.1", true },
		{ "MX.Peer.Test", "", true },
		{ "notpeer.test", "", false },
		{ "peer.test.evil.test", "", false },
		{ "x.test", "192.0.2.255", true },
		{ "x.test", "192.0.3.0", false },
		{ "x.test", "2001:db8:7fff::1", true },
		{ "x.test", "IPv6:2001:db8::1", true },
		{ "x.test", "2001:db8:8000::1", false },
		{ "192.0.2.1", "", false }, /* a name is no address */
		{ "", "", false },
	};
	char errors[4096];
	struct conf c;

	(void)state;
	assert_int_equal(load("TrackingPeer peer.test\n"
			      "TrackingPeer 192.0.2.0/24\n"
			      "TrackingPeer 2001:db8::/33\n",
			     &c, errors),
	    MTRK_OK);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (conf_tracks(&c, span_of(cases[i].name),
			span_of(cases[i].address)) != cases[i].is)
			fail_msg("%s %s", cases[i].name, cases[i].address);
}

/* Each with its line, and what stands in the message. */
static void
bad(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "Stroe /x\n", ":1: unknown setting: \"Stroe /x\"" },
		{ "\n\nRetention soon\n", ":3: a time such as" },
		{ "Retention 1h\n", ":1: out of range" }, /* S21 */
		{ "RetentionLimit 86399\n", ":1: out of range" }, /* S20 */
		{ "Retention 99999999999999999999d\n", ":1: a time such" },
		{ "Listen localhost:1038\n", ":1: a numeric address" },
		{ "Listen 127.0.0.1\n", ":1: ADDR:PORT expected" },
		{ "Listen 127.0.0.1:70000\n", ":1: a numeric address" },
		{ "Listen fe80::1:1038\n", ":1: a numeric address" },
		{ "MilterSocketMode 108\n", ":1: an octal mode" },
		{ "MilterSocketMode 07777\n", ":1: out of range" },
		{ "RequireTLS maybe\n", ":1: not one of the words" },
		{ "RequireTLS yes\n", "RequireTLS yes needs TLSCertificate" },
		{ "TLSKey /x\n", "TLSCertificate and TLSKey go together" },
		{ "Store\n", ":1: a value is missing" },
		{ "Store /x\nstore /y\n", ":2: given twice" },
		{ "TLSAlso /one\n", ":1: CERTIFICATE KEY expected" },
		{ "TLSAlso /one /two /three\n", ":1: CERTIFICATE KEY" },
		{ "TLSAlso /one /two\n", "so do RequireTLSFor, ListenTLS" },
		{ "ListenTLS 127.0.0.1\n", ":1: ADDR:PORT expected" },
		{ "RequireTLSFor @x\n", ":1: a domain expected" },
		{ "RequireTLSFor .x\n", ":1: a domain expected" },
		{ "Chain 192.0.2.0/33\n", ":1: a domain or an address" },
		{ "Chain 2001:db8::/129\n", ":1: a domain or an address" },
		{ "MTQPConnections 0\n", ":1: out of range" },
		{ "MTQPFailures few\n", ":1: a number expected" },
		{ "Instance one\n", ":1: SYSLOG_NAME DAEMON_NAME" },
		{ "TrackingPeer 192.0.2.0/33\n", ":1: a host, a domain" },
		{ "TrackingPeer .test\n", ":1: a host, a domain" },
		{ "TrackingPeer a b\n", ":1: a host, a domain" },
		{ "WaitingTime 0\n", ":1: out of range" },
		{ "WaitingRoom 1k\n", ":1: out of range" },
		{ "GateListen 127.0.0.1:25 127.0.0.1:26\n",
		    ":1: plain, proxy or transparent" },
		{ "GateListen 127.0.0.1:25 127.0.0.1:26 proxy ssl\n",
		    ":1: plain, proxy or transparent" },
		{ "GateListen 127.0.0.1:25 mta:26 proxy\n",
		    ":1: a numeric address" },
		{ "GateListen 127.0.0.1:25 [::1]:26 transparent\n",
		    ":1: transparent needs" },
		{ "GateListen 127.0.0.1:25 unix:/s transparent\n",
		    ":1: transparent needs an address" },
		{ "GateListen 127.0.0.1:25 unix:s proxy\n", ":1: unix:" },
		{ "GateListen 127.0.0.1:25 unix:/ proxy\n", ":1: unix:" },
		{ "GateListen 127.0.0.1:25 unix:/12345678901234567890123456789"
		  "01234567890123456789012345678901234567890123456789012345678"
		  "90123456789012345678 proxy\n",
		    ":1: unix:" },
		{ "GateListen unix:/s 127.0.0.1:26 proxy\n",
		    ":1: a numeric address" },
		{ "GateListen 127.0.0.1:465 127.0.0.1:26 proxy tls\n",
		    "with tls needs GateTLS" },
		{ "GateTLS /cert\n", ":1: CERTIFICATE KEY" },
		{ "GateRoute 127.0.0.1:1\n", ":1: a next hop" },
		{ "GateRoute b.test:1 b.test\n", ":1: a numeric address" },
		{ "GateRoute 127.0.0.1:1 b.test:0\n", ":1: a next hop" },
		{ "GateRoute 127.0.0.1:1 a b\n", ":1: a next hop" },
		{ "GateRoute 127.0.0.1:1 ::1\n", ":1: a next hop" },
		{ "Store /x\nEvil \x1b[2J\n", "Evil \\x1b[2J" },
		{ "Store /x\r\n", ":1: a control character inside" },
		{ "Store /x\nUser a\x01\n", ":2: a control character" },
		{ "Store x\n", ":1: an absolute path expected" },
		{ "TLSCertificate x\n", ":1: an absolute path expected" },
		{ "TLSAlso /one two\n", ":1: an absolute path expected" },
		{ "MailLog mail.log\n", ":1: an absolute path" },
		{ "MailLog journal:here\n", ":1: an absolute path" },
		{ "ReportingMTA my host\n", ":1: a domain expected" },
		{ "ReportingMTA a;b\n", ":1: a domain expected" },
		{ "MilterSocket m.sock\n", ":1: local:PATH or inet:" },
		{ "MilterSocket local:m.sock\n", ":1: local:PATH or inet:" },
		{ "MilterSocket local:\n", ":1: local:PATH or inet:" },
		{ "MilterSocket file:/m.sock\n", ":1: local:PATH or inet:" },
		{ "MilterSocket inet:99999@127.0.0.1\n", ":1: local:PATH or" },
		{ "MilterSocket inet:0@127.0.0.1\n", ":1: local:PATH or" },
		{ "MilterSocket inet:8891@\n", ":1: local:PATH or inet:" },
		{ "MilterSocket inet:8891@a b\n", ":1: local:PATH or inet:" },
		/* one more than unix(7) has room for */
		{ "MilterSocket local:/2345678901234567890123456789012345678901"
		  "23456789012345678901234567890123456789012345678901234567890"
		  "123456789\n",
		    ":1: local:PATH or inet:" },
	};
	char errors[4096];
	struct conf c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum mtrk_err err = load(cases[i].text, &c, errors);

		if (err != MTRK_SYNTAX ||
		    strstr(errors, cases[i].why) == NULL ||
		    strstr(errors, path) == NULL)
			fail_msg("%s: %s", cases[i].text, errors);
	}
	remove(path);
	memset(errors, 0, sizeof errors);
	assert_int_equal(conf_load("/nonexistent", &c, stderr), MTRK_IO);
}

/* Octets that a line can't have, and files that aren't read to their end. */
static void
unreadable(void **state)
{
	static const char nul[] = "User a\0b\nLogTo stderr\n";
	char errors[4096] = "", line[5000];
	struct conf c;
	FILE *f, *e;

	(void)state;
	assert_non_null(f = fopen(path, "w"));
	assert_int_equal(fwrite(nul, 1, sizeof nul - 1, f), sizeof nul - 1);
	fclose(f);
	assert_non_null(e = fmemopen(errors, sizeof errors - 1, "w"));
	assert_int_equal(conf_load(path, &c, e), MTRK_SYNTAX);
	fclose(e);
	assert_non_null(strstr(errors, ":1: a control character inside"));

	/* one fault, though its end would be a setting of its own */
	snprintf(
	    line, sizeof line, "LogTo%4195sUser root%290s\nStore x\n", "", "");
	assert_int_equal(load(line, &c, errors), MTRK_SYNTAX);
	assert_non_null(strstr(errors, ":1: line too long"));
	assert_non_null(strstr(errors, ":2: an absolute path"));
	assert_string_equal(c.user, "");

	assert_non_null(e = fmemopen(errors, sizeof errors - 1, "w"));
	assert_int_equal(conf_load(dir, &c, e), MTRK_IO);
	fclose(e);
	assert_non_null(strstr(errors, "Is a directory"));
}

static void
sockets(void **state)
{
	static const char *const cases[] = { "local:/run/m.sock",
		"unix:/run/m.sock", "/run/m.sock", "inet:8891@127.0.0.1",
		"inet:8891@localhost", "inet:8891", "inet6:8891@[::1]" };
	char errors[4096], text[128];
	struct conf c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof text, "MilterSocket %s\n", cases[i]);
		if (load(text, &c, errors) != MTRK_OK)
			fail_msg("%s: %s", cases[i], errors);
		assert_string_equal(c.milter_socket, cases[i]);
	}
}

/* As GateRoute has it, and as Sendmail's $h does. */
static void
next_hops(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		bool mx;
	} cases[] = {
		{ "b.test", "b.test", 25, true },
		{ "c.test.", "c.test", 25, true },
		{ "b.test:26", "b.test", 26, true },
		{ "[mx.b.test]", "mx.b.test", 25, false },
		{ "[mx.b.test]:26", "mx.b.test", 26, false },
		{ "[192.0.2.1]:24", "192.0.2.1", 24, false },
		{ "[IPv6:2001:db8::1]", "2001:db8::1", 25, false },
		{ "[2001:db8::1]:26", "2001:db8::1", 26, false },
		{ "", NULL, 0, false },
		{ ".", NULL, 0, false },
		{ "[]", NULL, 0, false },
		{ "a.test:b.test", NULL, 0, false },
		{ "b.test:65536", NULL, 0, false },
	};
	struct conf_hop h;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool ok = conf_parse_hop(span_of(cases[i].text), &h);

		if (ok != (cases[i].host != NULL) ||
		    (ok &&
			(strcmp(h.host, cases[i].host) != 0 ||
			    h.port != cases[i].port || h.mx != cases[i].mx)))
			fail_msg("%s: %d %s %u", cases[i].text, ok, h.host,
			    (unsigned)h.port);
	}
}

static void
printed_is_readable(void **state)
{
	char text[8192] = "", again[8192] = "", errors[4096];
	struct conf c;
	FILE *f;

	(void)state;
	assert_int_equal(load("Store /x\nListen [::1]:1038\nUser mtrk\n"
			      "MilterSocketGroup postfix\nMTQPUser m\n"
			      "TLSCertificate /c\nTLSKey /k\n"
			      "GateListen [::]:25 127.0.0.1:26 proxy\n"
			      "GateListen 127.0.0.1:465 127.0.0.1:26 "
			      "transparent tls\nGateTLS /a /b\n"
			      "GateListen 127.0.0.1:26 unix:/a/b proxy\n"
			      "GateTLS /c /d\nGateBackendTLS yes\n"
			      "GateRoute 127.0.0.1:1 b.test\n"
			      "GateRoute [::1]:2 [::1]:24\n"
			      "GateNextHopTLS verify\nGateNextHopCA /e\n"
			      "Instance a b\nReportingMTA mx.test\n"
			      "TLSAlso /c2 /k2\nTLSAlso /c3  /k3\n"
			      "ListenTLS [::1]:2038\nRequireTLSFor a.test\n"
			      "Chain 192.0.2.0/24\nChain in.test\n"
			      "Disguise yes\nAuditLog /a\n"
			      "MetricsSocket /m\nMTQPFailures 3\n",
			     &c, errors),
	    MTRK_OK);
	assert_non_null(f = fmemopen(text, sizeof text - 1, "w"));
	conf_print(&c, f);
	fclose(f);
	assert_int_equal(load(text, &c, errors), MTRK_OK);
	assert_non_null(f = fmemopen(again, sizeof again - 1, "w"));
	conf_print(&c, f);
	fclose(f);
	assert_string_equal(text, again);
	assert_int_equal(c.gate_listens, 3);
	assert_string_equal(c.gate_listen[2].local, "/a/b");
	assert_string_equal(c.gate_listen[0].at.host, "::");
	assert_int_equal(c.gate_listen[1].to.port, 26);
	assert_true(c.gate_listen[1].tls);
	assert_string_equal(c.gate_tls[1].key, "/d");
}

/* The page and the table can't disagree about what there is. */
static void
page_names_all(void **state)
{
	char page[65536] = "", text[8192] = "", name[64], wanted[80];
	char errors[4096];
	struct conf c;
	FILE *f;

	(void)state;
	snprintf(page, sizeof page, "%s/../common/mtrk.conf.5", MTRK_TESTS_DIR);
	assert_non_null(f = fopen(page, "re"));
	page[fread(page, 1, sizeof page - 1, f)] = '\0';
	fclose(f);
	assert_int_equal(load("TLSCertificate /c\nTLSKey /k\nTLSAlso /d /l\n"
			      "ListenTLS [::1]:2038\nRequireTLSFor a.test\n"
			      "Chain in.test\nListen [::1]:1\nInstance a b\n",
			     &c, errors),
	    MTRK_OK);
	assert_non_null(f = fmemopen(text, sizeof text - 1, "w"));
	conf_print(&c, f);
	fclose(f);
	for (const char *p = text; *p != '\0'; p = strchr(p, '\n') + 1) {
		snprintf(name, sizeof name, "%.*s", (int)strcspn(p, " \n"), p);
		snprintf(wanted, sizeof wanted, ".It Cm %s ", name);
		if (strstr(page, wanted) == NULL)
			fail_msg("mtrk.conf(5) lacks \"%s\"", wanted);
	}
}

static int
setup(void **state)
{
	(void)state;
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/mtrk.conf", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(good),
		cmocka_unit_test(peers),
		cmocka_unit_test(bad),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(sockets),
		cmocka_unit_test(next_hops),
		cmocka_unit_test(printed_is_readable),
		cmocka_unit_test(page_names_all),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
