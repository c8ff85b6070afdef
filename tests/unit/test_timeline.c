/* What people read and what scripts get: the words and the exit statuses. */
#include "tests/lib/cm.h"

#include "mtqp/reason.h"
#include "mtqp/submit.h"
#include "mtqp/timeline.h"
#include "mtqp/timeline_json.h"

/* One server's answer; one recipient an action. */
static void
answer(const enum action *actions, size_t n, struct hops *h, struct ways *w)
{
	struct tstat t = { 0 };
	struct tstat_part *p = tstat_add_part(&t);

	p->envid = "q@h";
	p->reporting_type = "dns";
	p->reporting_mta = "mx.test";
	p->arrival = 1700000000;
	for (size_t i = 0; i < n; i++) {
		struct tstat_recipient *r = tstat_add_recipient(&t, p);
		char name[32];

		snprintf(name, sizeof name, "bob%zu@x.test", i);
		r->original = r->final = tstat_text(&t, span_of(name));
		r->action = actions[i];
		r->status = STATUS(2, 0, 0);
		r->remote_mta = "evil\033[2J\x07.test";
		r->last_attempt = 1700000060;
	}
	hops_start(h, "mx.test", 0, HOPS_DEPTH);
	assert_int_equal(hops_answered(h, 0, &t), MTRK_OK);
	assert_int_equal(hops_ways(h, w), MTRK_OK);
}

static struct hops hops;

static void
done(struct ways *w)
{
	ways_free(w);
	hops_free(&hops);
}

static void
statuses(void **state)
{
	static const struct {
		enum action actions[3];
		size_t n;
		int want;
	} cases[] = {
		{ { ACTION_DELIVERED, ACTION_RELAYED, ACTION_EXPANDED }, 3,
		    TRACK_WELL },
		{ { ACTION_DELIVERED, ACTION_DELAYED }, 2, TRACK_UNDER_WAY },
		{ { ACTION_TRANSFERRED }, 1, TRACK_UNDER_WAY },
		{ { ACTION_DELAYED, ACTION_FAILED, ACTION_DELIVERED }, 3,
		    TRACK_FAILED },
		{ { ACTION_OPAQUE }, 1, TRACK_NO_INFORMATION },
		{ { ACTION_OPAQUE, ACTION_FAILED }, 2, TRACK_FAILED },
		{ { 0 }, 0, TRACK_NO_INFORMATION },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ways w;
		int got;

		answer(cases[i].actions, cases[i].n, &hops, &w);
		got = timeline_status(&w);
		if (got != cases[i].want)
			fail_msg("case %zu: %d", i, got);
		done(&w);
	}
}

/* "Delivered" for delivered (and a list) and nothing else, and of one who does
 * not say whether he had it not "accepted"; no control character of a
 * stranger's. */
static void
words(void **state)
{
	(void)state;
	for (enum action a = ACTION_NONE; a < ACTION_COUNT; a++) {
		struct ways w;
		char text[4096] = "";
		FILE *f = fmemopen(text, sizeof text - 1, "w");
		bool says, may = a == ACTION_DELIVERED || a == ACTION_EXPANDED;

		answer(&a, 1, &hops, &w);
		timeline_text(&hops, &w, (struct look){ 0 }, f);
		fclose(f);
		says = strstr(text, "elivered") != NULL;
		if (says != may ||
		    (strstr(text, "ccepted") == NULL) != (a == ACTION_OPAQUE) ||
		    strchr(text, '\033') != NULL ||
		    strchr(text, '\x07') != NULL ||
		    strstr(text, "bob0@x.test") == NULL)
			fail_msg("%s: %s", action_text(a), text);
		done(&w);
	}
}

static void
json(void **state)
{
	const enum action relayed = ACTION_RELAYED;
	const struct mtqp_uri uri = { .host = "mx.test", .envid = "q@h" };
	struct ways w;
	json_t *j;
	char *text;

	(void)state;
	answer(&relayed, 1, &hops, &w);
	j = timeline_json(&hops, &w, &uri);
	text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	assert_non_null(strstr(text, "\"action\":\"relayed\""));
	assert_non_null(
	    strstr(text, "\"last_attempt\":\"2023-11-14T22:14:20Z\""));
	assert_non_null(strstr(text, "\"will_retry_until\":null"));
	assert_non_null(strstr(text, "\"protocol\":null"));
	assert_non_null(strstr(text, "\"outcome\":\"well\""));
	assert_null(strstr(text, "secret"));
	free(text);
	json_decref(j);
	done(&w);
}

/* RFC 5321 4.5.2: dots doubled, CRLF, no bare CR or LF. */
static void
stuffing(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "a\nb\n", "a\r\nb\r\n.\r\n" },
		{ "a\r\nb", "a\r\nb\r\n.\r\n" },
		{ ".\n..x\n", "..\r\n...x\r\n.\r\n" },
		{ "a\r\n.\r\nb\n", "a\r\n..\r\nb\r\n.\r\n" },
		{ "a\rb\n", "a b\r\n.\r\n" },
		{ "", ".\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF(1000);

		submit_stuff(span_of(cases[i].in), &b);
		assert_string_equal(b.p, cases[i].out);
		buf_free(&b);
	}
}

/* A51, Q6, Q7. */
static void
replies(void **state)
{
	static const struct {
		const char *line, *status, *has;
	} cases[] = {
		{ "+OK+/MTQP ready", "+OK+", "mtqp" },
		{ "+ok/MTQP", "+OK", "MTQP" },
		{ "-TEMP/MTQP/admin later", "-TEMP", "admin" },
		{ "-ERR/noinfo", "-ERR", "noinfo" },
		{ "-BAD/vnd_x-1 what", "-BAD", "vnd_x-1" },
		{ "+OKAY", NULL, NULL },
		{ "OK", NULL, NULL },
		{ "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct reply r;
		bool ok = reply_parse(span_of(cases[i].line), &r) == MTRK_OK;

		if (ok != (cases[i].status != NULL) ||
		    (ok &&
			(strcmp(r.status, cases[i].status) != 0 ||
			    !reply_has(&r, cases[i].has) ||
			    reply_has(&r, "other"))))
			fail_msg("%s", cases[i].line);
	}
}

/* RFC 3463 in words; a code that only says "it failed" has none. */
static void
reasons(void **state)
{
	(void)state;
	assert_string_equal(
	    reason_of(STATUS(5, 1, 1)), "there is no such mailbox");
	assert_string_equal(reason_of(STATUS(4, 2, 2)), "the mailbox is full");
	assert_ptr_equal(
	    reason_of(STATUS(4, 4, 1)), reason_of(STATUS(5, 4, 1)));
	assert_null(reason_of(STATUS(2, 1, 5)));
	assert_null(reason_of(STATUS(2, 1, 1)));
	assert_null(reason_of(STATUS(5, 0, 0)));
	assert_null(reason_of((struct status){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(reasons),
		cmocka_unit_test(words),
		cmocka_unit_test(json),
		cmocka_unit_test(stuffing),
		cmocka_unit_test(replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
