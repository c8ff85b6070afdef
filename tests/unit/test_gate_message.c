/* Which record a transaction carries on, and who keeps the certifier:
 * S21b, S21c, S27-S32, A38, A40, 9.5. */
#include "tests/lib/cm.h"

#include "milter/gate_message.h"

enum { ARRIVAL = 100000 };

static struct gate_message *g;
static struct recipient rcpts[] = {
	{ .original = SPAN("Orig@x.test"), .address = SPAN("one@b.test") },
	{ .address = SPAN("two@b.test") },
	{ .original = SPAN("both@x.test"), .address = SPAN("p@b.test") },
	{ .original = SPAN("both@x.test"), .address = SPAN("q@b.test") },
};

static int
setup(void **state)
{
	(void)state;
	return (g = gate_message_new(false)) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	gate_message_free(&g);
	return 0;
}

static struct message
sample(uint64_t number, const char *queue_id)
{
	return (struct message){ .number = number,
		.sender = SPAN("a@x.test"),
		.queue_id = span_of(queue_id),
		.arrival = ARRIVAL,
		.certifier = { 1 },
		.recipients = rcpts,
		.n_recipients = ARRAY_LEN(rcpts) };
}

static void
begin(const struct message *m)
{
	gate_message_begin(g, SPAN(""), SPAN("a@x.test"));
	gate_message_offer(m, g);
	assert_true(gate_message_found(g));
}

/* S21b: what is left; S21c: nothing is; A38: of what is kept here. */
static void
remaining(void **state)
{
	static const struct {
		bool asked;
		uint32_t timeout_s;
		int64_t held_s;
		uint32_t want_s; /* 0: no MTRK */
	} cases[] = {
		{ true, 100, 40, 60 },
		{ true, 100, 100, 0 },
		{ true, 100, 101, 0 },
		{ true, 0, 0, 0 },
		{ false, 0, 3600, 860400 },
		{ true, 999999999, 10, 899990 },
	};
	const struct retention keep = { 864000, 900000 };
	struct mtrk mark;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = sample(1, "Q");
		bool ok;

		m.has_timeout = cases[i].asked;
		m.timeout_s = cases[i].timeout_s;
		begin(&m);
		ok = gate_message_mark(
		    g, &keep, ARRIVAL + cases[i].held_s, &mark);
		if (ok != (cases[i].want_s != 0) ||
		    (ok &&
			(mark.timeout_s != cases[i].want_s ||
			    !mark.has_timeout || mark.certifier[0] != 1)))
			fail_msg("case %zu: %d %u", i, ok, mark.timeout_s);
	}
}

static void
which_record(void **state)
{
	const struct retention keep = { 864000, 900000 };
	struct message old = sample(1, "Q1"), fresh = sample(2, "Q2"),
		       other = sample(3, "Q3"), list = sample(4, "Q4");
	struct mtrk mark;

	(void)state;
	other.certifier[0] = 9;
	list.sender = SPAN("owner@x.test");
	/* the newest of this sender */
	gate_message_begin(g, SPAN(""), SPAN("A@X.test"));
	assert_true(gate_message_offer(&old, g));
	assert_true(gate_message_offer(&fresh, g));
	assert_true(gate_message_offer(&list, g));
	assert_int_equal(gate_message_number(g), 2);
	assert_true(gate_message_mark(g, &keep, ARRIVAL, &mark));
	/* A40: two certifiers, and nothing tells which */
	assert_true(gate_message_offer(&other, g));
	assert_false(gate_message_mark(g, &keep, ARRIVAL, &mark));
	/* the queue id tells, and no more are wanted */
	gate_message_begin(g, SPAN("Q1"), SPAN("a@x.test"));
	assert_true(gate_message_offer(&other, g));
	assert_false(gate_message_offer(&old, g));
	assert_int_equal(gate_message_number(g), 1);
	assert_true(gate_message_mark(g, &keep, ARRIVAL, &mark));
	assert_int_equal(mark.certifier[0], 1);
	/* S31: a list's sender, and a bounce */
	gate_message_begin(g, SPAN("Q1"), SPAN("owner@x.test"));
	gate_message_offer(&old, g);
	assert_false(gate_message_found(g));
	gate_message_begin(g, SPAN(""), SPAN(""));
	gate_message_offer(&old, g);
	assert_false(gate_message_found(g));
	assert_false(gate_message_mark(g, &keep, ARRIVAL, &mark));
}

static void
rcpt(const char *original, const char *address, bool may, uint32_t want)
{
	uint32_t index;

	if (gate_message_rcpt(g, span_of(original), span_of(address), &index) !=
		may ||
	    index != want)
		fail_msg("%s -> %s: %u", original, address, index);
}

static void
recipients(void **state)
{
	struct message m = sample(1, "Q");

	(void)state;
	begin(&m);
	rcpt("orig@x.test", "one@B.TEST", true, 0);
	rcpt("orig@x.test", "one@b.test", true, 0); /* again is no other */
	rcpt("two@b.test", "new@c.test", true, 1); /* S29 */
	rcpt("two@b.test", "more@c.test", false, 1); /* S30 */
	rcpt("both@x.test", "q@b.test", true, 3);
	rcpt("both@x.test", "p@b.test", true, 2);
	rcpt("stranger@x.test", "stranger@x.test", false, UINT32_MAX);
	assert_true(gate_message_is_own(g, 1, SPAN("two@b.test")));
	assert_false(gate_message_is_own(g, 1, SPAN("new@c.test")));
	/* without ORCPT: by what was RCPT here */
	begin(&m);
	rcpt("one@b.test", "one@b.test", true, 0);
	assert_false(gate_message_is_own(g, UINT32_MAX, SPAN("")));
}

/* S30's primary is who was first, in an earlier transaction too. */
static void
earlier_transactions(void **state)
{
	struct event events[] = {
		{ .kind = EVENT_MESSAGE_ID, .recipient = EVENT_ALL },
		{ .kind = EVENT_ACTION, .recipient = EVENT_ALL },
		{ .kind = EVENT_HANDED,
		    .recipient = 0,
		    .address = SPAN("first@c.test") },
		{ .kind = EVENT_ACTION, .recipient = 1 }, /* deferred */
		{ .kind = EVENT_ACTION,
		    .recipient = 2,
		    .address = SPAN("m1@c.test") },
		{ .kind = EVENT_ACTION,
		    .recipient = 2,
		    .address = SPAN("m2@c.test") },
	};
	struct message m = sample(1, "Q");

	(void)state;
	m.events = events;
	m.n_events = ARRAY_LEN(events);
	begin(&m);
	rcpt("orig@x.test", "second@c.test", false, 0);
	begin(&m);
	rcpt("orig@x.test", "first@c.test", true, 0);
	rcpt("two@b.test", "two@b.test", true, 1);
	rcpt("both@x.test", "m1@c.test", false, 2);
}

/* S30: another conversation has handed on what this one was about to. */
static void
news(void **state)
{
	struct event taken = { .kind = EVENT_HANDED,
		.recipient = 0,
		.address = SPAN("first@c.test") };
	struct message m = sample(1, "Q"), other = sample(2, "R");

	(void)state;
	begin(&m);
	rcpt("orig@x.test", "second@c.test", true, 0);
	m.events = other.events = &taken;
	m.n_events = other.n_events = 1;
	assert_true(gate_message_news(&other, g)); /* not this one: go on */
	rcpt("orig@x.test", "second@c.test", true, 0);
	assert_false(gate_message_news(&m, g));
	rcpt("orig@x.test", "second@c.test", false, 0);
	rcpt("two@b.test", "two@b.test", true, 1);
}

/* S35: whom an alias changed gets no certifier, and stays who he was; whom it
 * did not change keeps it. */
static void
hidden_forwarding(void **state)
{
	struct message m = sample(1, "Q");

	gate_message_free(&g);
	g = gate_message_new(true);
	begin(&m);
	rcpt("orig@x.test", "one@B.TEST", true, 0);
	rcpt("two@b.test", "new@c.test", false, 1);
	rcpt("both@x.test", "q@b.test", true, 3);
	assert_int_equal(teardown(state), 0);
	assert_int_equal(setup(state), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remaining),
		cmocka_unit_test(which_record),
		cmocka_unit_test(recipients),
		cmocka_unit_test(earlier_transactions),
		cmocka_unit_test(news),
		cmocka_unit_test(hidden_forwarding),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
