/* Whom a Chain line lets us ask, and what comes of the answers. */
#include "tests/lib/cm.h"

#include <stdlib.h>

#include "mtqp/combine.h"

static void
add(struct tstat *t, struct tstat_part *p, const char *original,
    enum action action, struct status status, const char *remote)
{
	struct tstat_recipient *r = tstat_add_recipient(t, p);

	assert_non_null(r);
	r->original_type = "rfc822";
	r->original = original;
	r->final_type = "rfc822";
	r->final = "inner@inside.test";
	r->action = action;
	r->status = status;
	r->last_attempt = 1000;
	if (remote != NULL) {
		r->remote_type = "dns";
		r->remote_mta = remote;
	}
}

static struct tstat_part *
part(struct tstat *t)
{
	struct tstat_part *p = tstat_add_part(t);

	assert_non_null(p);
	p->envid = "q@a.test";
	p->reporting_type = "dns";
	p->reporting_mta = "mx.test";
	p->arrival = 900;
	return p;
}

static void
who_may_be_asked(void **state)
{
	static const struct {
		const char *allowed, *host, *address;
		bool may;
	} rows[] = {
		{ "in.test", "in.test", "192.0.2.1", true },
		{ "in.test", "MX.In.Test", "192.0.2.1", true },
		{ "in.test", "plain.test", "192.0.2.1", false },
		{ "in.test", "evil-in.test", "192.0.2.1", false },
		{ "192.0.2.0/24", "mx.test", "192.0.2.1", true },
		{ "192.0.2.0/24", "mx.test", "192.0.3.1", false },
		/* a host can't get in by its name */
		{ "192.0.2.0/24", "192.0.2.1", "127.0.0.1", false },
		{ "2001:db8::/32", "mx.test", "2001:db8::7", true },
		{ "2001:db8::/32", "mx.test", "::1", false },
		{ "0.0.0.0/0", "mx.test", "a-short-name", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct conf_list l = { .n = 1 };

		span_copy(
		    l.text[0], sizeof l.text[0], span_of(rows[i].allowed));
		if (combine_may_ask(&l, rows[i].host, rows[i].address) !=
		    rows[i].may)
			fail_msg("%s %s %s", rows[i].allowed, rows[i].host,
			    rows[i].address);
	}
}

/* Only where it was transferred to, once each, never to ourselves. */
static void
hosts(void **state)
{
	struct conf_list allowed = { { "test" }, 1 };
	const char *found[COMBINE_HOSTS_MAX];
	struct tstat t = { 0 };
	struct tstat_part *p = part(&t);
	char host[32];

	(void)state;
	add(&t, p, "a@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), "one.test");
	add(&t, p, "b@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), "ONE.test");
	add(&t, p, "c@x", ACTION_RELAYED, STATUS(2, 1, 9), "two.test");
	add(&t, p, "d@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), "self.test");
	add(&t, p, "e@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), "other.example");
	add(&t, p, "f@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), NULL);
	assert_int_equal(combine_hosts(&t, &allowed, "self.test", found), 1);
	assert_string_equal(found[0], "one.test");
	for (unsigned i = 0; i < 2 * COMBINE_HOSTS_MAX; i++) {
		snprintf(host, sizeof host, "h%u.test", i);
		add(&t, p, "g@x", ACTION_TRANSFERRED, STATUS(2, 4, 0),
		    tstat_text(&t, span_of(host)));
	}
	assert_int_equal(
	    combine_hosts(&t, &allowed, "self.test", found), COMBINE_HOSTS_MAX);
	tstat_free(&t);
}

/* A48: joined by Original-Recipient; the last hop knows best; what says less
 * than "transferred" changes nothing. */
static void
folding(void **state)
{
	struct tstat known = { 0 }, from = { 0 };
	struct tstat_part *p = part(&known), *q;
	struct buf text = BUF(1u << 20);

	(void)state;
	add(&known, p, "a@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), "one.test");
	add(&known, p, "b@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), "one.test");
	add(&known, p, "c@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), "two.test");
	q = part(&from);
	add(&from, q, "a@x", ACTION_TRANSFERRED, STATUS(2, 4, 0), "in.test");
	add(&from, q, "b@x", ACTION_OPAQUE, STATUS(2, 0, 0), NULL);
	add(&from, q, "c@x", ACTION_DELIVERED, STATUS(2, 0, 0), NULL);
	q = part(&from);
	/* T22, T18: what the strict generator wouldn't take */
	add(&from, q, "b@x", ACTION_DELIVERED, STATUS(2, 1, 9), NULL);
	add(&from, q, "a@x", ACTION_FAILED, STATUS(5, 1, 1), "deep.test");
	assert_int_equal(combine_fold(&known, "one.test", &from), MTRK_OK);
	p = known.parts;
	assert_int_equal(p->recipients[0].action, ACTION_FAILED);
	assert_string_equal(p->recipients[0].remote_mta, "deep.test");
	assert_int_equal(p->recipients[1].action, ACTION_TRANSFERRED);
	assert_int_equal(p->recipients[2].action, ACTION_TRANSFERRED);

	combine_disguise(&known);
	assert_int_equal(p->recipients[0].action, ACTION_FAILED);
	assert_int_equal(p->recipients[1].action, ACTION_RELAYED);
	for (size_t i = 0; i < p->n; i++) {
		assert_null(p->recipients[i].remote_mta);
		assert_string_equal(
		    p->recipients[i].final, p->recipients[i].original);
	}
	/* and the strict generator takes it */
	assert_int_equal(tstat_write(&known, &text), MTRK_OK);
	buf_free(&text);
	tstat_free(&from);
	tstat_free(&known);
}

static void
parts(void **state)
{
	struct tstat known = { 0 }, from = { 0 };
	struct buf text = BUF(1u << 20);
	struct tstat_part *p;

	(void)state;
	add(&known, part(&known), "a@x", ACTION_TRANSFERRED, STATUS(2, 4, 0),
	    "one.test");
	part(&from); /* without a recipient: not ours to say */
	p = part(&from); /* nor what the generator refuses */
	add(&from, p, "a@x", ACTION_DELIVERED, STATUS(2, 1, 9), NULL);
	add(&from, p, "a@x", ACTION_DELIVERED, STATUS(2, 0, 0), NULL);
	add(&from, p, "a@x", ACTION_DELIVERED, STATUS(2, 0, 0), NULL);
	p->recipients[2].last_attempt = WHEN_NONE;
	p = part(&from);
	add(&from, p, "a@x", ACTION_FAILED, STATUS(5, 0, 0), NULL);
	p->arrival = WHEN_NONE;
	assert_int_equal(combine_parts(&known, &from), MTRK_OK);
	assert_int_equal(known.n, 2);
	assert_int_equal(known.parts[1].n, 1);
	assert_int_equal(known.parts[1].recipients[0].action, ACTION_DELIVERED);
	assert_int_equal(tstat_write(&known, &text), MTRK_OK);
	buf_free(&text);
	assert_int_equal(from.n, 0);
	for (unsigned i = 0; i < 2 * TSTAT_PARTS_MAX; i++)
		add(&from, part(&from), "a@x", ACTION_DELIVERED,
		    STATUS(2, 0, 0), NULL);
	assert_int_equal(combine_parts(&known, &from), MTRK_OK);
	assert_int_equal(known.n, TSTAT_PARTS_MAX);
	tstat_free(&known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_be_asked),
		cmocka_unit_test(hosts),
		cmocka_unit_test(folding),
		cmocka_unit_test(parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
