/* What events add up to: README's state table, row by row; S19-S21d. */
#include "tests/lib/cm.h"

#include "common/disposition.h"
#include "common/tstat.h"

enum { DAY = 86400, ARRIVAL = 1000, LIFE = 5 * DAY };

static struct recipient two[] = { { .address = { "a@x", 3 } },
	{ .address = { "b@x", 3 } } };

static struct event
ev(uint32_t who, int64_t time, enum action a, const char *to)
{
	return (struct event){ .kind = EVENT_ACTION,
		.recipient = who,
		.time = time,
		.action = a,
		.status = STATUS(2, 0, 0),
		.remote_mta = SPAN("mx"),
		.address = span_of(to) };
}

static struct disposition
of(struct event *events, size_t n, uint32_t who)
{
	const struct message m = { .arrival = ARRIVAL,
		.recipients = two,
		.n_recipients = 2,
		.events = events,
		.n_events = n };
	struct disposition d;

	disposition_of(&m, who, LIFE, &d);
	return d;
}

static void
states(void **state)
{
	static const struct {
		const char *name;
		enum action events[4], want;
		bool retry;
	} cases[] = {
		{ "nothing yet", { 0 }, ACTION_DELAYED, true },
		{ "delayed", { ACTION_DELAYED }, ACTION_DELAYED, true },
		{ "delivered", { ACTION_DELIVERED }, ACTION_DELIVERED, false },
		{ "relayed", { ACTION_DELAYED, ACTION_RELAYED }, ACTION_RELAYED,
		    false },
		{ "transferred", { ACTION_TRANSFERRED }, ACTION_TRANSFERRED,
		    false },
		{ "failed", { ACTION_DELAYED, ACTION_DELAYED, ACTION_FAILED },
		    ACTION_FAILED, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct event e[4];
		struct disposition d;
		size_t n = 0;

		while (n < 4 && cases[i].events[n] != ACTION_NONE) {
			e[n] = ev(0, 2000 + (int64_t)n, cases[i].events[n], "");
			n++;
		}
		d = of(e, n, 0);
		if (d.action != cases[i].want ||
		    (d.will_retry_until != WHEN_NONE) != cases[i].retry ||
		    (d.last_attempt != WHEN_NONE) != (n > 0))
			fail_msg("%s", cases[i].name);
		assert_int_equal(of(e, n, 1).action, ACTION_DELAYED);
	}
}

/* design.md 4: accepted, nothing yet: 4.0.0, no Last-Attempt-Date (T18). */
static void
nothing_yet(void **state)
{
	struct disposition d = of(NULL, 0, 0);
	char code[STATUS_TEXT];

	(void)state;
	status_format(d.status, code);
	assert_string_equal(code, "4.0.0");
	assert_true(d.last_attempt == WHEN_NONE);
	assert_int_equal(d.will_retry_until, ARRIVAL + LIFE);
	assert_int_equal(d.remote_mta.n, 0); /* T17 */
}

/* "expired" is for those who wait, and no attempt of its own. */
static void
all_who_wait(void **state)
{
	struct event e[] = {
		ev(0, 2000, ACTION_RELAYED, ""),
		ev(1, 2001, ACTION_DELAYED, ""),
		ev(EVENT_ALL, 3000, ACTION_FAILED, ""),
	};

	(void)state;
	assert_int_equal(of(e, 3, 0).action, ACTION_RELAYED);
	assert_int_equal(of(e, 3, 1).action, ACTION_FAILED);
	assert_int_equal(of(e, 3, 1).last_attempt, 2001);
}

/* What the gate says of an attempt stands, whoever comes first; a later
 * attempt is the log's again. */
static void
gate_and_log(void **state)
{
	struct event e[] = {
		ev(0, 10, ACTION_TRANSFERRED, ""),
		ev(0, 11, ACTION_RELAYED, ""),
		ev(0, 12, ACTION_FAILED, ""),
	};
	struct event swapped[] = { e[1], e[0] };
	struct disposition d;

	(void)state;
	e[0].kind = swapped[1].kind = EVENT_HANDED;
	e[0].remote_mta = swapped[1].remote_mta = SPAN("next.test");
	d = of(e, 2, 0);
	assert_int_equal(d.action, ACTION_TRANSFERRED);
	assert_span(d.remote_mta, "next.test");
	assert_int_equal(d.last_attempt, 11);
	d = of(swapped, 2, 0);
	assert_int_equal(d.action, ACTION_TRANSFERRED);
	assert_span(d.remote_mta, "next.test");
	assert_int_equal(of(e, 3, 0).action, ACTION_FAILED);
	/* T23: an LMTP client's log calls a hop that tracks a delivery */
	e[1].action = swapped[0].action = ACTION_DELIVERED;
	assert_int_equal(of(e, 2, 0).action, ACTION_TRANSFERRED);
	assert_int_equal(of(swapped, 2, 0).action, ACTION_TRANSFERRED);
	e[1].action = ACTION_RELAYED;
	e[0].action = ACTION_RELAYED;
	assert_span(of(e, 2, 0).remote_mta, "next.test");
	assert_int_equal(of(e, 2, 1).action, ACTION_DELAYED);
}

/* It goes on under another queue id: no end, and from then on that id's
 * verdicts count. */
static void
links(void **state)
{
	struct event e[] = {
		ev(0, 10, ACTION_RELAYED, ""),
		ev(EVENT_ALL, 11, ACTION_FAILED, ""),
		ev(0, 12, ACTION_DELAYED, "c@y"),
		ev(EVENT_ALL, 13, ACTION_FAILED, ""),
		ev(EVENT_ALL, 14, ACTION_FAILED, ""),
	};
	struct disposition d;

	(void)state;
	e[0].kind = EVENT_LINK;
	e[0].queue_id = e[2].queue_id = e[3].queue_id = SPAN("NEW");
	d = of(e, 1, 0);
	assert_int_equal(d.action, ACTION_DELAYED);
	assert_int_equal(d.remote_mta.n, 0);
	assert_int_equal(d.last_attempt, 10);
	assert_int_equal(d.will_retry_until, ARRIVAL + LIFE);
	assert_int_equal(of(e, 2, 0).action, ACTION_DELAYED);
	assert_int_equal(of(e, 2, 1).action, ACTION_FAILED); /* still there */
	d = of(e, 3, 0);
	assert_span(d.final, "c@y");
	assert_int_equal(of(e, 4, 0).action, ACTION_FAILED);
	e[3] = e[4]; /* of the old id */
	assert_int_equal(of(e, 4, 0).action, ACTION_DELAYED);
	e[2].action =
	    ACTION_DELIVERED; /* told before the line that leads there */
	e[1] = e[2];
	e[2] = e[0];
	assert_int_equal(of(&e[1], 2, 0).action, ACTION_DELIVERED);
}

/* A delay at the alias itself is not yet a second address; an expansion stays
 * one, whatever the members do. */
static void
expansions(void **state)
{
	struct event late[] = { ev(0, 1, ACTION_DELAYED, ""),
		ev(0, 2, ACTION_RELAYED, "c@y") };
	struct event list[] = { ev(0, 1, ACTION_EXPANDED, ""),
		ev(0, 2, ACTION_RELAYED, "c@y"),
		ev(0, 3, ACTION_FAILED, "c@y") };
	struct disposition d = of(late, 2, 0);

	(void)state;
	assert_int_equal(d.action, ACTION_RELAYED);
	assert_span(d.final, "c@y");
	d = of(list, 3, 0);
	assert_int_equal(d.action, ACTION_EXPANDED);
	assert_span(d.final, "a@x");
	assert_int_equal(d.last_attempt, 3);
}

/* S35, T24: an alias is as good as its end, and names nobody else. */
static void
hidden(void **state)
{
	struct event e[] = { ev(0, 1, ACTION_FAILED, "c@y"),
		ev(1, 1, ACTION_FAILED, "") };
	const struct message m = {
		.recipients = two, .n_recipients = 2, .events = e, .n_events = 2
	};
	struct disposition d;

	(void)state;
	disposition_of(&m, 0, LIFE, &d);
	disposition_hide_forwarding(&m, 0, &d);
	assert_int_equal(d.action, ACTION_DELIVERED);
	assert_span(d.final, "a@x");
	assert_int_equal(d.remote_mta.n, 0);
	disposition_of(&m, 1, LIFE, &d);
	disposition_hide_forwarding(&m, 1, &d);
	assert_int_equal(d.action, ACTION_FAILED);
}

/* Who no event names, if he is the only one; otherwise nobody knows, and
 * neither is anybody said to wait nor is it kept for ever because of that. */
static void
somebody(void **state)
{
	struct event e[] = { ev(EVENT_SOMEONE, 1, ACTION_RELAYED, "c@y"),
		ev(1, 2, ACTION_DELIVERED, "") };
	struct event late[] = { ev(EVENT_SOMEONE, 1, ACTION_RELAYED, "c@y"),
		ev(EVENT_SOMEONE, 2, ACTION_DELAYED, "d@y"),
		ev(EVENT_ALL, 3, ACTION_FAILED, "") };
	struct event member[] = { ev(EVENT_SOMEONE, 1, ACTION_RELAYED, "c@y"),
		ev(0, 2, ACTION_FAILED, "d@y"),
		ev(1, 3, ACTION_DELIVERED, "") };
	const struct message m = {
		.recipients = two, .n_recipients = 2, .events = e, .n_events = 1
	};
	const struct retention brief = { 0, 0 };

	(void)state;
	assert_int_equal(of(e, 1, 0).action, ACTION_OPAQUE);
	assert_int_equal(of(e, 1, 1).action, ACTION_OPAQUE);
	assert_true(message_expired(&m, &brief, 1));
	/* one of them was relayed to, and one timed out */
	assert_int_equal(of(late, 2, 0).action, ACTION_DELAYED);
	assert_int_equal(of(late, 3, 0).action, ACTION_OPAQUE);
	/* all are named, but one of them by a member of his only */
	assert_int_equal(of(member, 3, 0).action, ACTION_EXPANDED);
	assert_int_equal(of(member, 3, 1).action, ACTION_DELIVERED);
	member[1].address = SPAN("");
	assert_int_equal(of(member, 3, 0).action, ACTION_FAILED);
	assert_int_equal(of(e, 2, 0).action, ACTION_RELAYED);
	assert_int_equal(of(e, 2, 1).action, ACTION_DELIVERED);
	e[0].action = ACTION_DELAYED;
	assert_false(message_expired(&m, &brief, 1));
}

/* S29: an alias to one is the same recipient.  S30, T25: to several is
 * expanded, and nobody learns the members. */
static void
aliases(void **state)
{
	struct event one[] = { ev(0, 1, ACTION_DELAYED, "c@y"),
		ev(0, 2, ACTION_RELAYED, "c@y") };
	struct event many[] = { ev(0, 1, ACTION_RELAYED, "c@y"),
		ev(0, 2, ACTION_DELAYED, "d@y") };
	struct disposition d;

	(void)state;
	d = of(one, 2, 0);
	assert_int_equal(d.action, ACTION_RELAYED);
	assert_span(d.final, "c@y");
	d = of(many, 2, 0);
	assert_int_equal(d.action, ACTION_EXPANDED);
	assert_span(d.final, "a@x");
	assert_int_equal(d.remote_mta.n, 0);
}

static void
expiry(void **state)
{
	static const struct {
		bool has;
		uint32_t timeout;
		int64_t limit, want;
	} cases[] = {
		{ false, 0, 30 * DAY, 9 * DAY },
		{ true, 2 * DAY, 30 * DAY, 2 * DAY },
		{ true, 60 * DAY, 30 * DAY, 30 * DAY }, /* S20 */
		{ false, 0, 3 * DAY, 3 * DAY }, /* S21d */
		{ true, 0, 30 * DAY, 0 }, /* A39 */
	};
	struct event ended[] = { ev(0, 2, ACTION_RELAYED, ""),
		ev(1, 2, ACTION_FAILED, "") };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = { .arrival = ARRIVAL,
			.has_timeout = cases[i].has,
			.timeout_s = cases[i].timeout,
			.recipients = two,
			.n_recipients = 2,
			.events = ended,
			.n_events = 2 };
		struct retention r = { 9 * DAY, (uint64_t)cases[i].limit };
		int64_t end = ARRIVAL + cases[i].want;

		assert_int_equal(message_expires(&m, &r), end);
		assert_false(message_expired(&m, &r, end));
		assert_true(message_expired(&m, &r, end + 1));
		m.n_events = 1; /* S21a: one is still queued */
		assert_false(message_expired(&m, &r, end + 1000 * DAY));
	}
}

/* A number below `n`; the same ones in every run. */
static unsigned
draw(unsigned n)
{
	static uint64_t seed = 3886;

	seed = seed * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(seed >> 33) % n;
}

static struct event
any_event(int64_t time)
{
	static const enum event_kind kinds[] = { EVENT_ACTION, EVENT_ACTION,
		EVENT_HANDED, EVENT_LINK, EVENT_NOTE };
	static const uint32_t whom[] = { 0, 1, EVENT_ALL, EVENT_SOMEONE };
	static const struct status statuses[] = { { 2, 0, 0 }, { 2, 1, 9 },
		{ 4, 4, 1 }, { 5, 1, 1 } };
	static const char *const places[] = { "", "c@x", "d@x" };
	static const char *const ids[] = { "", "4A", "5B" };

	return (struct event){ .kind = kinds[draw(ARRAY_LEN(kinds))],
		.recipient = whom[draw(ARRAY_LEN(whom))],
		.time = time,
		.action = (enum action)(1 + draw(ACTION_COUNT - 1)),
		.status = statuses[draw(ARRAY_LEN(statuses))],
		.remote_mta = draw(2) ? SPAN("mx.x") : SPAN(""),
		.address = span_of(places[draw(ARRAY_LEN(places))]),
		.queue_id = span_of(ids[draw(ARRAY_LEN(ids))]) };
}

/* What mtqpd makes of it (mtqp/answer.c). */
static bool
can_be_told(const struct message *m, uint32_t who, bool hidden)
{
	static char dns[] = "dns", rfc822[] = "rfc822", mx[] = "mx.x",
		    id[] = "q@x", address[] = "a@x";
	const struct tstat_part part = { .envid = id,
		.reporting_type = dns,
		.reporting_mta = mx,
		.arrival = ARRIVAL };
	struct tstat_recipient r = { .original_type = rfc822,
		.original = address,
		.final_type = rfc822,
		.final = address };
	struct disposition d;

	disposition_of(m, who, LIFE, &d);
	if (hidden)
		disposition_hide_forwarding(m, who, &d);
	r.action = d.action;
	r.status = d.status;
	r.last_attempt = d.last_attempt;
	r.will_retry_until = d.will_retry_until;
	return tstat_is_sound(&part, &r);
}

/*
 * T15-T19, T22: whatever the events, also those that make no sense, the
 * strict generator takes what they add up to; else nobody would be told.
 */
static void
whatever_happens_can_be_told(void **state)
{
	struct event e[6];
	struct message m = { .arrival = ARRIVAL,
		.recipients = two,
		.n_recipients = 2,
		.events = e };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		m.n_events = draw(ARRAY_LEN(e) + 1);
		for (size_t k = 0; k < m.n_events; k++)
			e[k] = any_event(ARRIVAL + 1 + (int64_t)k);
		for (uint32_t who = 0; who < 2; who++)
			for (int hidden = 0; hidden < 2; hidden++)
				if (!can_be_told(&m, who, hidden == 1))
					fail_msg("%d: recipient %u", i, who);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states),
		cmocka_unit_test(nothing_yet),
		cmocka_unit_test(all_who_wait),
		cmocka_unit_test(gate_and_log),
		cmocka_unit_test(links),
		cmocka_unit_test(expansions),
		cmocka_unit_test(hidden),
		cmocka_unit_test(somebody),
		cmocka_unit_test(aliases),
		cmocka_unit_test(expiry),
		cmocka_unit_test(whatever_happens_can_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
