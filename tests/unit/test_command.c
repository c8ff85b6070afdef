/* MTQP's session logic: a line, and the reply that RFC 3887 asks for. */
#include <fnmatch.h>

#include "mtqp/command.h"
#include "tests/lib/cm.h"

#define SECRET "AAECAwQFBgcICQoLDA0ODw=="
#define BARE_SECRET "AAECAwQFBgcICQoLDA0ODw"
#define WRONG "MDEyMzQ1Njc4OWFiY2RlZg=="

/* The outside: one message, and one that makes trouble. */
static struct {
	unsigned lookups;
	char last[ENVID_MAX + 1];
} seen;

static enum mtrk_err
track(void *arg, struct span envid,
    const unsigned char certifier[CERTIFIER_LEN], struct tstat *out)
{
	static const unsigned char of_secret[CERTIFIER_LEN] = { 0x56, 0x17,
		0x8b, 0x86, 0xa5, 0x7f, 0xac, 0x22, 0x89, 0x9a, 0x99, 0x64,
		0x18, 0x5c, 0x2c, 0xc9, 0x6e, 0x7d, 0xa5, 0x89 };
	struct tstat_part *p;
	struct tstat_recipient *r;

	(void)arg;
	seen.lookups++;
	assert_true(span_copy(seen.last, sizeof seen.last, envid));
	if (span_is(envid, "trouble@h.example"))
		return MTRK_BUSY;
	if (span_is(envid, "denied@h.example"))
		return MTRK_DENIED;
	if (!span_is(envid, "a@h.example") ||
	    memcmp(certifier, of_secret, sizeof of_secret) != 0)
		return MTRK_NOTFOUND;
	assert_non_null(p = tstat_add_part(out));
	p->envid = "a@h.example";
	p->reporting_type = "dns";
	p->reporting_mta = "mx.example.org";
	p->arrival = 978380115;
	assert_non_null(r = tstat_add_recipient(out, p));
	r->original_type = "rfc822";
	r->original = "b@h.example";
	r->final_type = "rfc822";
	r->final = "b@h.example";
	r->action = ACTION_DELIVERED;
	r->status = STATUS(2, 5, 0);
	r->last_attempt = 978394503;
	return MTRK_OK;
}

static bool
covers(void *arg, const char *fqdn)
{
	(void)arg;
	return strcmp(fqdn, "mtqp.example.org") == 0;
}

static const struct session_doors with_tls = { track, covers, NULL, NULL },
				  without_tls = { track, NULL, NULL, NULL };
static const struct conf plain = { .reporting_mta = "mx.example.org" },
			 required = { .reporting_mta = "mx.example.org",
				 .require_tls = 1 },
			 opaque = { .reporting_mta = "mx.example.org",
				 .unknown = UNKNOWN_OPAQUE };

enum { CLEAR, TLS, CLEAR_WITHOUT, CLEAR_REQUIRED, TLS_REQUIRED };

static struct session
session_in(int where)
{
	struct session s;

	session_start(&s,
	    where == CLEAR_REQUIRED || where == TLS_REQUIRED ? &required
							     : &plain,
	    where == CLEAR_WITHOUT ? &without_tls : &with_tls);
	if (where == TLS || where == TLS_REQUIRED)
		session_secured(&s);
	return s;
}

/* The reply's first line, as a pattern. */
static const struct {
	const char *line, *want;
	int where;
	enum after after;
} cases[] = {
	/* Q4, Q9: words, blanks, octets */
	{ "", "-BAD *", CLEAR, AFTER_NEXT },
	{ " ", "-BAD *", CLEAR, AFTER_NEXT },
	{ " QUIT", "-BAD *", CLEAR, AFTER_NEXT },
	{ "XYZZY", "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACKER a@h.example " SECRET, "-BAD *", CLEAR, AFTER_NEXT },
	{ "COMMENT \x7f", "-BAD *", CLEAR, AFTER_NEXT },
	{ "COMMENT \xc3\xa4", "-BAD *", CLEAR, AFTER_NEXT },
	{ "COMMENT a\rb", "-BAD *", CLEAR, AFTER_NEXT },
	/* Q24 */
	{ "COMMENT", "+OK *", CLEAR, AFTER_NEXT },
	{ "comment  \t any  thing at all ", "+OK *", CLEAR, AFTER_NEXT },
	{ "COMMENTx", "-BAD *", CLEAR, AFTER_NEXT },
	{ "COMMENT", "+OK *", CLEAR_REQUIRED, AFTER_NEXT },
	/* Q35 */
	{ "QUIT", "+OK *", CLEAR, AFTER_CLOSE },
	{ "qUiT", "+OK *", TLS, AFTER_CLOSE },
	{ "QUIT now", "-BAD *", CLEAR, AFTER_NEXT },
	{ "QUIT ", "-BAD *", CLEAR, AFTER_NEXT },
	/* Q19-Q23, A7, A11, A13, A16 */
	/* Q6, Q22: the store in trouble is -TEMP/unavailable; +OK+ else */
	{ "TRACK a@h.example " SECRET, "+OK+ *", CLEAR, AFTER_NEXT },
	{ "track \t a@h.example\t " BARE_SECRET, "+OK+ *", CLEAR, AFTER_NEXT },
	{ "TRACK a@h.example " SECRET, "+OK+ *", TLS, AFTER_NEXT },
	{ "TRACK <a@h.example> " SECRET, "+OK+ *", CLEAR, AFTER_NEXT },
	{ "TRACK +61@h.example " SECRET, "+OK+ *", CLEAR, AFTER_NEXT },
	{ "TRACK A@h.example " SECRET, "-ERR/noinfo *", CLEAR, AFTER_NEXT },
	{ "TRACK a@h.example " WRONG, "-ERR/noinfo *", CLEAR, AFTER_NEXT },
	{ "TRACK b@h.example " SECRET, "-ERR/noinfo *", CLEAR, AFTER_NEXT },
	{ "TRACK denied@h.example " SECRET, "-ERR/noinfo *", CLEAR,
	    AFTER_NEXT },
	{ "TRACK a@h.example YQ", "-ERR/noinfo *", CLEAR, AFTER_NEXT },
	{ "TRACK trouble@h.example " SECRET, "-TEMP/unavailable *", CLEAR,
	    AFTER_NEXT },
	{ "TRACK", "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a@h.example", "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a@h.example " SECRET " ", "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a@h.example " SECRET " x", "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a.h.example " SECRET, "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK @h.example " SECRET, "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a@ " SECRET, "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK <> " SECRET, "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK +6x@h.example " SECRET, "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a=@h.example " SECRET, "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a@h.example AAEC=wQF", "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a@h.example AAEC_wQF", "-BAD *", CLEAR, AFTER_NEXT },
	{ "TRACK a@h.example " SECRET, "-ERR/tls-required *", CLEAR_REQUIRED,
	    AFTER_NEXT },
	{ "TRACK a", "-BAD *", CLEAR_REQUIRED, AFTER_NEXT },
	{ "TRACK a@h.example " SECRET, "+OK+ *", TLS_REQUIRED, AFTER_NEXT },
	/* Q25, Q27, A22, A23 */
	{ "STARTTLS mtqp.example.org", "+OK *", CLEAR, AFTER_STARTTLS },
	{ "starttls  mtqp.example.org \t", "+OK *", CLEAR, AFTER_STARTTLS },
	{ "STARTTLS", "-BAD *", CLEAR, AFTER_NEXT },
	{ "STARTTLS ", "-BAD *", CLEAR, AFTER_NEXT },
	{ "STARTTLS a.example b.example", "-BAD *", CLEAR, AFTER_NEXT },
	{ "STARTTLS localhost", "-BAD *", CLEAR, AFTER_NEXT },
	{ "STARTTLS mtqp.example.org.", "-BAD *", CLEAR, AFTER_NEXT },
	{ "STARTTLS -a.example", "-BAD *", CLEAR, AFTER_NEXT },
	{ "STARTTLS a_b.example", "-BAD *", CLEAR, AFTER_NEXT },
	{ "STARTTLS other.example.org", "-BAD/bad-fqdn *", CLEAR, AFTER_NEXT },
	{ "STARTTLS mtqp.example.org", "-BAD/unsupported *", CLEAR_WITHOUT,
	    AFTER_NEXT },
	{ "STARTTLS mtqp.example.org", "-BAD/tls-in-progress *", TLS,
	    AFTER_NEXT },
	{ "STARTTLS", "-BAD/tls-in-progress *", TLS, AFTER_NEXT },
};

/* Q5, Q8: what a reply must be, whatever it says. */
static void
check_form(const struct buf *text)
{
	struct span rest = buf_as_span(text), line;
	bool multi = span_starts(rest, "+OK+");
	unsigned lines = 0, ends = 0;

	assert_int_equal(text->err, MTRK_OK);
	while (span_split(rest, '\n', &line, &rest)) {
		assert_true(line.n > 0 && line.p[line.n - 1] == '\r');
		assert_true(line.n - 1 <= 998);
		lines++;
		ends += span_is(line, ".\r");
	}
	assert_int_equal(line.n, 0);
	if (multi)
		assert_true(
		    ends == 1 && span_ends(buf_as_span(text), "\r\n.\r\n"));
	else
		assert_int_equal(lines, 1);
}

static void
lines_and_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct session s = session_in(cases[i].where);
		struct buf text = BUF(1u << 25);
		struct reply r;
		struct span first, rest;
		char *got;

		command_run(&s, span_of(cases[i].line), &text, &r);
		check_form(&text);
		span_split(buf_as_span(&text), '\r', &first, &rest);
		got = strndup(first.p, first.n);
		if (fnmatch(cases[i].want, got, 0) != 0 ||
		    r.after != cases[i].after)
			fail_msg("row %zu \"%s\": \"%s\", not \"%s\"", i,
			    cases[i].line, got, cases[i].want);
		free(got);
		buf_free(&text);
	}
}

static void
greetings(void **state)
{
	static const struct {
		int where;
		const char *text;
	} rows[] = {
		{ CLEAR, "STARTTLS\r\n" }, /* Q18 */
		{ CLEAR_REQUIRED, "STARTTLS required\r\n" },
		{ CLEAR_WITHOUT, "" },
		{ TLS, "" }, /* Q34 */
		{ TLS_REQUIRED, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct session s = session_in(rows[i].where);
		struct buf text = BUF(1u << 25);
		char want[200];

		session_greeting(&s, &text);
		check_form(&text);
		snprintf(want, sizeof want,
		    "+OK+/MTQP mx.example.org MTQP server ready\r\n%s.\r\n",
		    rows[i].text);
		assert_string_equal(text.p, want);
		buf_free(&text);
	}
}

static void
faults_are_bad(void **state)
{
	struct session s = session_in(CLEAR);
	struct buf text = BUF(1u << 25);
	struct reply r;

	(void)state;
	for (int what = LINE_TOO_LONG; what <= LINE_BARE_LF; what++) {
		command_fault(&s, (enum line)what, &text, &r);
		check_form(&text);
		assert_true(span_starts(buf_as_span(&text), "-BAD "));
		buf_free(&text);
	}
}

/* A16: as many lookups, the same words. */
static void
unknown_and_wrong_are_alike(void **state)
{
	static const char *const lines[] = { "TRACK a@h.example " WRONG,
		"TRACK b@h.example " SECRET, "TRACK b@h.example " WRONG };
	struct buf first = BUF(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct session s = session_in(CLEAR);
		struct buf text = BUF(1u << 25);
		struct reply r;

		seen.lookups = 0;
		command_run(&s, span_of(lines[i]), &text, &r);
		assert_int_equal(seen.lookups, 1);
		if (i == 0)
			buf_span(&first, buf_as_span(&text));
		assert_string_equal(first.p, text.p);
		assert_string_equal(r.outcome, mtrk_err_text(MTRK_NOTFOUND));
		buf_free(&text);
	}
	buf_free(&first);
}

/* All but the MIME boundary, which is random. */
static void
mask_boundary(struct buf *text)
{
	int at;

	while ((at = span_find(buf_as_span(text), "mtrk-")) >= 0)
		memset(text->p + at, '#', 29);
}

/* A17 */
static void
opaque_is_alike_too(void **state)
{
	static const char *const lines[] = { "TRACK a@h.example " WRONG,
		"TRACK a@h.example YQ==", "TRACK b@h.example " SECRET };
	struct buf first = BUF(10000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct session s;
		struct buf text = BUF(1u << 25);
		struct reply r;
		int at;

		session_start(&s, &opaque, &with_tls);
		command_run(&s, span_of(lines[i]), &text, &r);
		check_form(&text);
		mask_boundary(&text);
		assert_true(
		    span_find(buf_as_span(&text), "Action: opaque\r\n") > 0);
		if ((at = span_find(buf_as_span(&text), "b@h.example")) > 0)
			text.p[at] = 'a'; /* what was asked is said back */
		if (i == 0)
			buf_span(&first, buf_as_span(&text));
		assert_string_equal(first.p, text.p);
		buf_free(&text);
	}
	buf_free(&first);
}

/* A11: first as it stands, then without its brackets. */
static void
brackets_are_tried_both_ways(void **state)
{
	struct session s = session_in(CLEAR);
	struct buf text = BUF(1u << 25);
	struct reply r;

	(void)state;
	seen.lookups = 0;
	command_run(&s, SPAN("TRACK <b@h.example> " SECRET), &text, &r);
	assert_int_equal(seen.lookups, 2);
	assert_string_equal(seen.last, "b@h.example");
	assert_true(span_starts(buf_as_span(&text), "-ERR/noinfo"));
	buf_free(&text);
}

static void
log_never_gets_a_secret(void **state)
{
	static const struct {
		const char *line, *envid;
	} rows[] = {
		{ "TRACK a@h.example " SECRET, "a@h.example" },
		{ "TRACK a@h.example !!", "a@h.example" },
		{ "TRACK " SECRET " a@h.example", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct session s = session_in(CLEAR);
		struct buf text = BUF(1u << 25);
		struct reply r;

		command_run(&s, span_of(rows[i].line), &text, &r);
		assert_string_equal(r.envid, rows[i].envid);
		assert_non_null(r.outcome);
		buf_free(&text);
	}
}

/* Any octets: one well-formed reply, and no way out but QUIT. */
static void
noise_is_survived(void **state)
{
	static const char *const words[] = { "TRACK ", "STARTTLS ", "QUIT ",
		"COMMENT ", "" };
	struct session s = session_in(CLEAR);
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char line[64];
		struct buf text = BUF(1u << 25);
		struct reply r;
		size_t n = strlen(words[round % 5]);

		memcpy(line, words[round % 5], n);
		while (n < sizeof line && (seed >> 8) % 40 != 0) {
			seed = seed * 1664525 + 1013904223;
			line[n++] = "aA0 \t@.+=<>/\n\r\x80-"[(seed >> 16) % 16];
		}
		seed = seed * 1664525 + 1013904223;
		s.junk = 0;
		command_run(&s, (struct span){ line, n }, &text, &r);
		check_form(&text);
		buf_free(&text);
	}
}

/* Q18, A53: by the envid's host alone, known or not; A14: or its hash. */
static void
domains_need_tls(void **state)
{
	static const struct {
		const char *envid;
		bool needs;
	} rows[] = {
		{ "a@secret.example", true }, { "<a@secret.example>", true },
		{ "a@SECRET.example", true }, { "a@x@mx.secret.example", true },
		{ "a@topsecret.example", false },
		{ "a@secret.example.org", false },
		{ "a@secret.example@h.example", false },
		{ "a@h.example", false },
		{ "a@SVzF/13svK3NccH0fqn0PdQhmkc", true }, /* its hash */
	};
	static struct conf conf = { .reporting_mta = "mx.example.org",
		.require_tls_for = { { "secret.example" }, 1 } };
	char line[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf text = BUF(1u << 25);
		struct session s;
		struct reply r;

		snprintf(line, sizeof line, "TRACK %s " WRONG, rows[i].envid);
		session_start(&s, &conf, &with_tls);
		command_run(&s, span_of(line), &text, &r);
		if (span_starts(buf_as_span(&text), "-ERR/tls-required ") !=
		    rows[i].needs)
			fail_msg("%s: %s", line, text.p);
		buf_cut(&text, 0);
		session_secured(&s);
		command_run(&s, span_of(line), &text, &r);
		assert_true(span_starts(buf_as_span(&text), "-ERR/noinfo "));
		buf_free(&text);
	}
}

/* Q11: a hundred lines that are no commands, and no more. */
static void
junk_has_an_end(void **state)
{
	struct session s = session_in(CLEAR);
	struct buf text = BUF(1u << 25);
	struct reply r;

	(void)state;
	for (unsigned i = 1; i <= 100; i++) {
		buf_cut(&text, 0);
		command_run(&s, SPAN("COMMENT"), &text, &r);
		assert_int_equal(r.after, AFTER_NEXT);
		if (i % 2 == 0)
			command_run(&s, SPAN("XYZZY"), &text, &r);
		else
			command_fault(&s, LINE_BARE_LF, &text, &r);
		assert_int_equal(r.after, i == 100 ? AFTER_CLOSE : AFTER_NEXT);
	}
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_replies),
		cmocka_unit_test(greetings),
		cmocka_unit_test(faults_are_bad),
		cmocka_unit_test(unknown_and_wrong_are_alike),
		cmocka_unit_test(opaque_is_alike_too),
		cmocka_unit_test(brackets_are_tried_both_ways),
		cmocka_unit_test(log_never_gets_a_secret),
		cmocka_unit_test(noise_is_survived),
		cmocka_unit_test(domains_need_tls),
		cmocka_unit_test(junk_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
