/* The stored bytes: round trips, the examples that record.c documents, what
 * an old reader does with new fields, and every cut. */
#include "tests/lib/cm.h"

#include "common/record.h"

static struct recipient bob = { .address = { "b@x", 3 } };

static struct message
small(void)
{
	struct message m = {
		.envid = SPAN("q@h"),
		.arrival = 1700000000,
		.queue_id = SPAN("4A"),
		.recipients = &bob,
		.n_recipients = 1,
	};

	memset(m.certifier, 0xab, sizeof m.certifier);
	return m;
}

static void
documented_message(void **state)
{
	static const char want[] =
	    "\x01\x01\x03q@h\x02\x14\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab"
	    "\xab\xab\xab\xab\xab\xab\xab\xab\xab\xab\x03\x04\x65\x53\xf1\x00"
	    "\x06\x02"
	    "4A\x0a\x05\x0d\x03"
	    "b@x";
	struct message m = small();
	struct buf b = BUF(1000);

	(void)state;
	record_put_message(&b, &m);
	assert_int_equal(b.n, sizeof want - 1);
	assert_memory_equal(b.p, want, b.n);
	buf_free(&b);
}

static void
documented_event(void **state)
{
	static const char want[] =
	    "\x01\x14\x01\x01\x16\x04\x65\x53\xf1\x09\x17\x01\x03\x18\x03\x02"
	    "\x01\x09\x19\x02mx\x1c\x01\x07";
	const struct event e = {
		.kind = EVENT_ACTION,
		.time = 1700000009,
		.action = ACTION_RELAYED,
		.status = STATUS(2, 1, 9),
		.remote_mta = SPAN("mx"),
	};
	struct event_bytes back;
	struct buf b = BUF(1000);

	(void)state;
	record_put_event(&b, &e, NULL, 7);
	assert_int_equal(b.n, sizeof want - 1);
	assert_memory_equal(b.p, want, b.n);
	assert_int_equal(record_get_event(buf_as_span(&b), &back), MTRK_OK);
	assert_int_equal(back.previous, 7);
	assert_int_equal(back.event.status.detail, 9);
	assert_int_equal(back.event.time, e.time);
	assert_span(back.event.remote_mta, "mx");
	buf_free(&b);
}

static void
whole_message(void **state)
{
	char long_text[400];
	struct recipient r[3] = {
		{ SPAN("rfc822"), SPAN("a@x"), SPAN("a@x"), NOTIFY_NEVER },
		{ SPAN("utf-8"), SPAN("\\x{fc}@x"), SPAN("b@x"),
		    NOTIFY_SUCCESS | NOTIFY_DELAY },
		{ SPAN(""), SPAN(""), { long_text, sizeof long_text }, 0 },
	};
	struct message m = small(), back;
	struct buf b = BUF(10000);

	(void)state;
	memset(long_text, 'x', sizeof long_text);
	m.has_timeout = true;
	m.timeout_s = 0; /* A39: legal, and not the same as none */
	m.instance = SPAN("postfix-a");
	m.sender = SPAN("");
	m.client = SPAN("2001:db8::1");
	m.recipients = r;
	m.n_recipients = 3;
	record_put_message(&b, &m);
	assert_int_equal(b.err, MTRK_OK);
	assert_int_equal(record_get_message(buf_as_span(&b), &back), MTRK_OK);
	assert_span(back.envid, "q@h");
	assert_span(back.client, "2001:db8::1");
	assert_true(back.has_timeout && back.timeout_s == 0);
	assert_int_equal(back.n_recipients, 3);
	assert_span(back.recipients[0].original, "a@x");
	assert_span(back.recipients[1].original_type, "utf-8");
	assert_span(back.recipients[1].original, "\\x{fc}@x");
	assert_int_equal(
	    back.recipients[1].notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	assert_int_equal(back.recipients[2].original.n, 0);
	assert_int_equal(back.recipients[2].address.n, sizeof long_text);
	free(back.recipients);
	buf_free(&b);
}

static void
same_as_before(void **state)
{
	const struct event e = { .kind = EVENT_ACTION,
		.action = ACTION_DELAYED,
		.status = STATUS(4, 300, 1),
		.remote_mta = SPAN("mx.example.net"),
		.text = SPAN("451 come back later") };
	struct event_bytes back;
	struct buf b = BUF(1000);

	(void)state;
	record_put_event(&b, &e, &e, 1);
	assert_true(b.n < 30);
	assert_int_equal(record_get_event(buf_as_span(&b), &back), MTRK_OK);
	assert_true(back.same_remote && back.same_text);
	assert_int_equal(back.event.status.subject, 300);
	buf_free(&b);
}

static void
newer_and_broken(void **state)
{
	static const struct {
		struct span bytes;
		enum mtrk_err err;
	} cases[] = {
		{ SPAN("\x01"), MTRK_OK },
		{ SPAN("\x01\x7e\x03new\x01\x03q@h"), MTRK_OK }, /* skipped */
		{ SPAN(""), MTRK_CORRUPT },
		{ SPAN("\x02"), MTRK_FORMAT },
		{ SPAN("\x01\x01"), MTRK_CORRUPT },
		{ SPAN("\x01\x01\x04q@h"), MTRK_CORRUPT },
		{ SPAN("\x01\x02\x01x"), MTRK_CORRUPT }, /* certifier: 20 */
		{ SPAN("\x01\x01\xff\xff\xff\xff\xff\x01"), MTRK_CORRUPT },
		{ SPAN("\x01\x0a\x02\x0d\x05"), MTRK_CORRUPT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m;
		enum mtrk_err err = record_get_message(cases[i].bytes, &m);

		if (err != cases[i].err)
			fail_msg("case %zu: %s", i, mtrk_err_text(err));
		free(m.recipients);
	}
}

/* Whatever is cut off or turned over, decoding ends well or says so. */
static void
every_cut_and_flip(void **state)
{
	struct message m = small(), back;
	struct buf b = BUF(1000);

	(void)state;
	record_put_message(&b, &m);
	for (size_t n = 0; n < b.n; n++) {
		record_get_message((struct span){ b.p, n }, &back);
		free(back.recipients);
	}
	for (size_t i = 0; i < b.n * 8; i++) {
		b.p[i / 8] = (char)(b.p[i / 8] ^ (1 << i % 8));
		record_get_message(buf_as_span(&b), &back);
		free(back.recipients);
		b.p[i / 8] = (char)(b.p[i / 8] ^ (1 << i % 8));
	}
	buf_free(&b);
}

static void
addresses(void **state)
{
	static const struct {
		const char *a, *b;
		bool same, same_any_case;
	} cases[] = {
		{ "bob@x.test", "bob@x.test", true, true },
		{ "bob@x.test", "bob@X.TEST", true, true },
		{ "bob@x.test", "Bob@x.test", false, true },
		{ "\"bob\"@x.test", "bob@x.test", true, true },
		{ "\"b\\ob\"@x.test", "bob@x.test", true, true },
		{ "\"a@b\"@x.test", "\"a@b\"@x.test", true, true },
		{ "\"a@b\"@x.test", "a@b", false, false },
		{ "bob@x.test", "bob@x.tes", false, false },
		{ "bob", "bob@x.test", false, false },
		{ "", "", true, true },
		/* as a client may write it, and as the MTA logs it */
		{ " bob@x.test ", "bob@x.test", true, true },
		{ "@a.test,@b.test:bob@x.test", "bob@x.test", true, true },
		{ "@[IPv6:::1]:Bob@x.test", "bob@x.test", false, true },
		{ "@a.test:bob@x.test", "ann@x.test", false, false },
		{ "\"@a:bob\"@x.test", "bob@x.test", false, false },
		{ "@a.test", "@b.test", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct span a = span_of(cases[i].a), b = span_of(cases[i].b);

		if (address_equal(a, b, false) != cases[i].same ||
		    address_equal(a, b, true) != cases[i].same_any_case)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

/* Two that differ only in case: the exact one is meant. */
static void
which_recipient(void **state)
{
	struct recipient r[] = { { .address = SPAN("Bob@x") },
		{ .address = SPAN("bob@x") }, { .address = SPAN("list") } };
	const struct message m = { .recipients = r, .n_recipients = 3 };
	uint32_t i;

	(void)state;
	assert_true(message_recipient(&m, SPAN(""), SPAN("bob@x"), &i));
	assert_int_equal(i, 1);
	assert_true(message_recipient(&m, SPAN(""), SPAN("BOB@X"), &i));
	assert_int_equal(i, 0);
	assert_true(message_recipient(&m, SPAN("list"), SPAN("c@y"), &i));
	assert_int_equal(i, 2);
	assert_false(message_recipient(&m, SPAN(""), SPAN("c@y"), &i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documented_message),
		cmocka_unit_test(documented_event),
		cmocka_unit_test(whole_message),
		cmocka_unit_test(same_as_before),
		cmocka_unit_test(newer_and_broken),
		cmocka_unit_test(every_cut_and_flip),
		cmocka_unit_test(addresses),
		cmocka_unit_test(which_recipient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
