/*
 * message/tracking-status.  What the reader makes of a text stands in
 * tests/cases/tstat/: the text, "====", and a line for each part and
 * recipient.  The writer is tried on structs.
 */
#include <glob.h>

#include "common/tstat.h"
#include "tests/lib/cm.h"

enum { CASE_MAX = 65536 };

static const char *
or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void
dump_time(struct buf *out, const char *name, int64_t t)
{
	if (t == WHEN_NONE)
		buf_fmt(out, " %s=-", name);
	else
		buf_fmt(out, " %s=%lld", name, (long long)t);
}

static void
dump_recipient(struct buf *out, const struct tstat_recipient *r)
{
	char status[STATUS_TEXT] = "-";

	if (r->status.klass != 0)
		status_format(r->status, status);
	buf_fmt(out, "rcpt original=%s;%s final=%s;%s",
	    or_dash(r->original_type), or_dash(r->original),
	    or_dash(r->final_type), or_dash(r->final));
	buf_fmt(out, " action=%s status=%s remote=%s;%s",
	    action_text(r->action), status, or_dash(r->remote_type),
	    or_dash(r->remote_mta));
	dump_time(out, "last", r->last_attempt);
	dump_time(out, "retry", r->will_retry_until);
	buf_chr(out, '\n');
}

static void
dump(struct buf *out, const struct tstat *t)
{
	buf_cut(out, 0);
	for (size_t i = 0; i < t->n; i++) {
		const struct tstat_part *p = &t->parts[i];

		buf_fmt(out, "part envid=%s reporting=%s;%s", or_dash(p->envid),
		    or_dash(p->reporting_type), or_dash(p->reporting_mta));
		dump_time(out, "arrival", p->arrival);
		buf_chr(out, '\n');
		for (size_t k = 0; k < p->n; k++)
			dump_recipient(out, &p->recipients[k]);
	}
}

static void
slurp(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char chunk[4096];
	size_t n;

	if (f == NULL)
		fail_msg("%s: can't be read", path);
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
}

static void
with_crlf(struct span text, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			buf_chr(out, '\r');
		buf_chr(out, text.p[i]);
	}
}

static void
expect_dump(const char *path, struct span text, const char *want)
{
	struct buf got = BUF(CASE_MAX);
	struct tstat t;
	enum mtrk_err err = tstat_read(text, &t);

	dump(&got, &t);
	if (err != MTRK_OK || strcmp(want, got.p) != 0)
		fail_msg("%s: %s\n--- want\n%s--- got\n%s", path,
		    mtrk_err_text(err), want, got.p);
	tstat_free(&t);
	buf_free(&got);
}

static void
cases_read(void **state)
{
	static const char mark[] = "====\n";
	char pattern[1024];
	glob_t files;

	(void)state;
	snprintf(
	    pattern, sizeof pattern, "%s/cases/tstat/*.txt", MTRK_TESTS_DIR);
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	assert_true(files.gl_pathc >= 7); /* the RFC's examples 6 to 12 */
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct buf all = BUF(CASE_MAX), crlf = BUF(CASE_MAX);
		struct span text;
		int at;

		slurp(files.gl_pathv[i], &all);
		at = span_find(buf_as_span(&all), mark);
		assert_true(at > 0);
		text = (struct span){ all.p, (size_t)at };
		expect_dump(files.gl_pathv[i], text, all.p + at + 5);
		with_crlf(text, &crlf);
		expect_dump(
		    files.gl_pathv[i], buf_as_span(&crlf), all.p + at + 5);
		buf_free(&all);
		buf_free(&crlf);
	}
	globfree(&files);
}

/* Whatever is cut off or broken, the reader must stay within its bytes. */
static void
every_prefix_is_survived(void **state)
{
	char pattern[1024];
	glob_t files;

	(void)state;
	snprintf(
	    pattern, sizeof pattern, "%s/cases/tstat/*.txt", MTRK_TESTS_DIR);
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct buf all = BUF(CASE_MAX);

		slurp(files.gl_pathv[i], &all);
		for (size_t n = 0; n < all.n; n++) {
			char *copy = malloc(n + 1); /* for the sanitizer */
			struct tstat t;

			assert_non_null(copy);
			memcpy(copy, all.p, n);
			if (n % 3 == 0 && n > 0)
				copy[n / 2] = (char)(n & 0xff);
			tstat_read((struct span){ copy, n }, &t);
			tstat_free(&t);
			free(copy);
		}
		buf_free(&all);
	}
	globfree(&files);
}

static struct tstat_part *
sample_part(struct tstat *t, const char *envid)
{
	struct tstat_part *p = tstat_add_part(t);

	assert_non_null(p);
	p->envid = envid;
	p->reporting_type = "dns";
	p->reporting_mta = "mx.example.org";
	p->arrival = 978380115;
	return p;
}

static struct tstat_recipient *
sample_recipient(struct tstat *t, struct tstat_part *p, const char *to,
    enum action a, struct status s)
{
	struct tstat_recipient *r = tstat_add_recipient(t, p);

	assert_non_null(r);
	r->original_type = "rfc822";
	r->original = to;
	r->final_type = "rfc822";
	r->final = to;
	r->action = a;
	r->status = s;
	r->last_attempt = 978394503;
	return r;
}

/* RFC 2046 5.1.1 bchars, T4, A27. */
static void
check_form(const struct buf *out)
{
	struct span rest = buf_as_span(out), line;
	bool more = true;

	while (more) {
		more = span_split(rest, '\n', &line, &rest);
		if (!more)
			break;
		assert_true(line.n > 0 && line.p[line.n - 1] == '\r');
		assert_true(line.n - 1 <= 997);
		for (size_t i = 0; i + 1 < line.n; i++)
			assert_true((line.p[i] >= ' ' && line.p[i] <= '~') ||
			    (i == 0 && line.p[i] == '\t'));
	}
	assert_int_equal(line.n, 0); /* ends in CRLF */
}

/*
 * Q21, EID 3721, T6, T10-T16 in their order; each part as it must stand.
 * T9, T12: dates with four digits of year and a zone in numbers
 */
static void
text_is_exact(void **state)
{
	static const char head[] =
	    "Content-Type: multipart/related; boundary=\"mtrk-";
	struct buf out = BUF(CASE_MAX), want = BUF(CASE_MAX);
	struct tstat t = { 0 };
	struct tstat_recipient *r =
	    sample_recipient(&t, sample_part(&t, "q/1?2@h.example"),
		"a@b.example", ACTION_DELAYED, STATUS(4, 4, 1));
	struct span b;

	(void)state;
	setenv("TZ", "UTC0", 1);
	r->remote_type = "dns";
	r->remote_mta = "next.example";
	r->will_retry_until = 978639315;
	assert_int_equal(tstat_write(&t, &out), MTRK_OK);
	assert_true(span_starts(buf_as_span(&out), head));
	b = (struct span){ out.p + sizeof head - 6, 29 };
	buf_fmt(&want, "%.*s%.*s\";\r\n", (int)sizeof head - 6, head, (int)b.n,
	    b.p);
	buf_fmt(&want,
	    "\ttype=\"message/tracking-status\"\r\n\r\n--%.*s\r\n"
	    "Content-Type: message/tracking-status\r\n\r\n"
	    "Original-Envelope-Id: q/1?2@h.example\r\n"
	    "Reporting-MTA: dns; mx.example.org\r\n"
	    "Arrival-Date: Mon, 1 Jan 2001 20:15:15 +0000\r\n\r\n"
	    "Original-Recipient: rfc822; a@b.example\r\n"
	    "Final-Recipient: rfc822; a@b.example\r\n"
	    "Action: delayed\r\nStatus: 4.4.1\r\n"
	    "Remote-MTA: dns; next.example\r\n"
	    "Last-Attempt-Date: Tue, 2 Jan 2001 00:15:03 +0000\r\n"
	    "Will-Retry-Until: Thu, 4 Jan 2001 20:15:15 +0000\r\n\r\n"
	    "--%.*s--\r\n",
	    (int)b.n, b.p, (int)b.n, b.p);
	assert_string_equal(out.p, want.p);
	check_form(&out);
	tstat_free(&t);
	buf_free(&out);
	buf_free(&want);
}

static const char long_text[] =
    "ten words, ten words, ten words, ten words, ten words, ten words, "
    "ten words, ten words, ten words, ten words, ten words, ten words";

static void
written_is_read_back(void **state)
{
	static const char *const texts[] = { "a@b.example", "",
		"\"a;b (c) d\"@e.example", "two  blanks   inside@x.example",
		"--mtrk-000000000000000000000000@x.example", ".dots@x.example",
		long_text };
	struct buf out = BUF(CASE_MAX), want = BUF(CASE_MAX),
		   got = BUF(CASE_MAX);
	struct tstat t = { 0 }, back;
	char longest[601];

	(void)state;
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	for (int part = 0; part < 3; part++) {
		struct tstat_part *p = sample_part(&t, "Id (1)@h.example");

		for (size_t i = 0; i < ARRAY_LEN(texts); i++)
			sample_recipient(&t, p, texts[i], ACTION_FAILED,
			    STATUS(5, 1, (uint16_t)i));
		sample_recipient(
		    &t, p, longest, ACTION_RELAYED, STATUS(2, 1, 9));
		for (int a = ACTION_DELIVERED; a < ACTION_COUNT; a++)
			sample_recipient(&t, p, "c@d.example", (enum action)a,
			    STATUS(2, 0, 0))
			    ->last_attempt =
			    a == ACTION_OPAQUE ? WHEN_NONE : 978394503;
	}
	dump(&want, &t);
	assert_int_equal(tstat_write(&t, &out), MTRK_OK);
	check_form(&out);
	assert_int_equal(tstat_read(buf_as_span(&out), &back), MTRK_OK);
	dump(&got, &back);
	assert_string_equal(got.p, want.p);
	tstat_free(&t);
	tstat_free(&back);
	buf_free(&out);
	buf_free(&want);
	buf_free(&got);
}

/* One fault each; 0 has none.  What RFC 3886 requires must be there. */
static enum mtrk_err
spoil(struct tstat *t, int fault)
{
	struct tstat_part *p = &t->parts[0];
	struct tstat_recipient *r = &p->recipients[0];

	switch (fault) {
	case 0:
		return MTRK_OK;
	case 1: /* T10 */
		p->envid = NULL;
		return MTRK_SYNTAX;
	case 2: /* T11 */
		p->reporting_mta = NULL;
		return MTRK_SYNTAX;
	case 3: /* T11 */
		p->reporting_type = NULL;
		return MTRK_SYNTAX;
	case 4: /* T12 */
		p->arrival = WHEN_NONE;
		return MTRK_SYNTAX;
	case 5: /* T13 */
		r->original = NULL;
		return MTRK_SYNTAX;
	case 6: /* T14 */
		r->final_type = NULL;
		return MTRK_SYNTAX;
	case 7: /* T15 */
		r->action = ACTION_NONE;
		return MTRK_SYNTAX;
	case 8: /* T16 */
		r->status = STATUS(0, 0, 0);
		return MTRK_SYNTAX;
	case 9: /* T18: example 6's fault */
		r->last_attempt = WHEN_NONE;
		return MTRK_SYNTAX;
	case 10: /* T22 */
		r->status = STATUS(2, 1, 9);
		return MTRK_SYNTAX;
	case 11: /* T8 */
		r->original_type = "rf 822";
		return MTRK_SYNTAX;
	default:
		return MTRK_ERR_COUNT;
	}
}

static void
writer_is_strict(void **state)
{
	enum mtrk_err want = MTRK_OK;

	(void)state;
	for (int fault = 0; fault < 12; fault++) {
		struct buf out = BUF(CASE_MAX);
		struct tstat t = { 0 };
		enum mtrk_err err;

		sample_recipient(&t, sample_part(&t, "i@h.example"),
		    "a@b.example", ACTION_DELIVERED, STATUS(2, 5, 0));
		want = spoil(&t, fault);
		err = tstat_write(&t, &out);
		if (err != want)
			fail_msg("fault %d: %s", fault, mtrk_err_text(err));
		tstat_free(&t);
		buf_free(&out);
	}
}

static void
nothing_to_say_is_a_fault(void **state)
{
	struct buf out = BUF(CASE_MAX);
	struct tstat t = { 0 };

	(void)state;
	assert_int_equal(tstat_write(&t, &out), MTRK_SYNTAX);
	sample_part(&t, "i@h.example"); /* T5: no recipient */
	assert_int_equal(tstat_write(&t, &out), MTRK_SYNTAX);
	tstat_free(&t);
	buf_free(&out);
}

/* T17-T19: which of the optional fields an action may have. */
static void
optional_fields_where_allowed(void **state)
{
	static const struct {
		enum action action;
		struct status status;
		bool attempted, remote, last, retry;
	} cases[] = {
		{ ACTION_DELAYED, { 4, 4, 1 }, true, true, true, true },
		{ ACTION_DELAYED, { 4, 0, 0 }, false, false, false, true },
		{ ACTION_FAILED, { 5, 1, 1 }, true, true, true, false },
		{ ACTION_FAILED, { 5, 4, 7 }, false, false, false, false },
		{ ACTION_DELIVERED, { 2, 5, 0 }, true, true, true, false },
		{ ACTION_RELAYED, { 2, 1, 9 }, true, true, true, false },
		{ ACTION_TRANSFERRED, { 2, 4, 0 }, true, true, true, false },
		{ ACTION_EXPANDED, { 2, 0, 0 }, true, true, true, false },
		{ ACTION_OPAQUE, { 2, 0, 0 }, true, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = BUF(CASE_MAX);
		struct tstat t = { 0 };
		struct tstat_recipient *r =
		    sample_recipient(&t, sample_part(&t, "i@h.example"),
			"a@b.example", cases[i].action, cases[i].status);
		struct span text;

		r->remote_type = "dns";
		r->remote_mta = "next.example";
		r->will_retry_until = 978639315;
		if (!cases[i].attempted)
			r->last_attempt = WHEN_NONE;
		assert_int_equal(tstat_write(&t, &out), MTRK_OK);
		text = buf_as_span(&out);
		if ((span_find(text, "\nRemote-MTA:") >= 0) !=
			cases[i].remote ||
		    (span_find(text, "\nLast-Attempt-Date:") >= 0) !=
			cases[i].last ||
		    (span_find(text, "\nWill-Retry-Until:") >= 0) !=
			cases[i].retry)
			fail_msg("row %zu:\n%s", i, out.p);
		tstat_free(&t);
		buf_free(&out);
	}
}

/* T4: a stranger's octets can't end a line or leave ASCII. */
static void
values_are_made_printable(void **state)
{
	struct buf out = BUF(CASE_MAX);
	struct tstat t = { 0 };

	(void)state;
	sample_recipient(&t, sample_part(&t, "i@h.example"),
	    "a\r\nAction: failed\xc3\t\x7f@b", ACTION_DELIVERED,
	    STATUS(2, 5, 0));
	assert_int_equal(tstat_write(&t, &out), MTRK_OK);
	check_form(&out);
	assert_true(
	    span_find(buf_as_span(&out),
		"Final-Recipient: rfc822; a??Action: failed???@b\r\n") > 0);
	tstat_free(&t);
	buf_free(&out);
}

/* RFC 6533 3: "utf-8" in its form for 7 bits, and back. */
static void
addresses_in_utf8(void **state)
{
	static const struct {
		const char *type, *address, *text, *back;
	} rows[] = {
		{ "rfc822", "j\xc3\xb6rg+x@m\xc3\xbcller.example",
		    "utf-8; j\\x{F6}rg\\x{2B}x@m\\x{FC}ller.example", NULL },
		{ "rfc822",
		    "\xf0\x9f\x90\x98\xe2\x82\xac\xd0\x96\\ =@b.example",
		    "utf-8; \\x{1F418}\\x{20AC}\\x{416}\\x{5C}\\x{20}"
		    "\\x{3D}@b.example",
		    "\xf0\x9f\x90\x98\xe2\x82\xac\xd0\x96\\x{5C} =@b.example" },
		/* of the type already, in any of its forms */
		{ "UTF-8", "\\x{e4}\xc3\xa4\\x{5C}@b.example",
		    "utf-8; \\x{E4}\\x{E4}\\x{5C}@b.example",
		    "\xc3\xa4\xc3\xa4\\x{5C}@b.example" },
		/* what commands a terminal isn't decoded */
		{ "utf-8", "\\x{1B}\\x{9B}a@b.example",
		    "utf-8; \\x{1B}\\x{9B}a@b.example",
		    "\\x{1B}\\x{9B}a@b.example" },
		/* no characters: too short, a surrogate, too high, no end */
		{ "utf-8", "\\x{4}\\x{D800}@b",
		    "utf-8; \\x{5C}x{4}\\x{5C}x{D800}@b",
		    "\\x{5C}x{4}\\x{5C}x{D800}@b" },
		{ "utf-8", "\\x{110000}\\x{E4",
		    "utf-8; \\x{5C}x{110000}\\x{5C}x{E4",
		    "\\x{5C}x{110000}\\x{5C}x{E4" },
		{ "rfc822",
		    "\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xff@b.example",
		    "rfc822; ??????????@b.example", "??????????@b.example" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = BUF(CASE_MAX);
		struct tstat t = { 0 }, back;
		struct tstat_recipient *r =
		    sample_recipient(&t, sample_part(&t, "i@h.example"),
			rows[i].address, ACTION_DELIVERED, STATUS(2, 5, 0));
		const char *want =
		    rows[i].back != NULL ? rows[i].back : rows[i].address;

		r->original_type = rows[i].type;
		assert_int_equal(tstat_write(&t, &out), MTRK_OK);
		check_form(&out);
		if (span_find(buf_as_span(&out), rows[i].text) < 0)
			fail_msg("row %zu:\n%s", i, out.p);
		assert_int_equal(tstat_read(buf_as_span(&out), &back), MTRK_OK);
		assert_string_equal(back.parts[0].recipients[0].original, want);
		tstat_free(&t);
		tstat_free(&back);
		buf_free(&out);
	}
}

/* A raw one is no 7 bits, yet it is read; a long one keeps to its line. */
static void
addresses_in_utf8_at_their_limits(void **state)
{
	static const char raw[] =
	    "Content-Type: multipart/related; boundary=b\n\n--b\n\n"
	    "Original-Recipient: utf-8; \xc3\xa4\xff\x1b@b.example\n";
	struct buf out = BUF(CASE_MAX);
	struct tstat t = { 0 };
	char longest[601];

	(void)state;
	assert_int_equal(tstat_read(span_of(raw), &t), MTRK_OK);
	assert_string_equal(
	    t.parts[0].recipients[0].original, "\xc3\xa4??@b.example");
	tstat_free(&t);
	for (size_t i = 0; i < sizeof longest - 1; i += 2)
		memcpy(longest + i, "\xc3\xa4", 2);
	longest[sizeof longest - 1] = '\0';
	sample_recipient(&t, sample_part(&t, "i@h.example"), longest,
	    ACTION_DELIVERED, STATUS(2, 5, 0));
	assert_int_equal(tstat_write(&t, &out), MTRK_OK);
	check_form(&out);
	assert_true(span_find(buf_as_span(&out), ";\r\n ????") > 0);
	tstat_free(&t);
	buf_free(&out);
}

static void
limits_hold(void **state)
{
	struct buf in = BUF(1u << 20), out = BUF(2000);
	struct tstat t;
	char big[1200];

	(void)state;
	buf_str(&in, "Content-Type: multipart/related; boundary=b\n\n");
	for (int i = 0; i <= TSTAT_PARTS_MAX; i++)
		buf_str(&in, "--b\n\nAction: failed\n");
	assert_int_equal(tstat_read(buf_as_span(&in), &t), MTRK_TOOBIG);
	tstat_free(&t);
	buf_free(&in);

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	t = (struct tstat){ 0 };
	sample_recipient(&t, sample_part(&t, "i@h.example"), big,
	    ACTION_DELIVERED, STATUS(2, 5, 0));
	assert_int_equal(tstat_write(&t, &out), MTRK_TOOBIG);
	tstat_free(&t);
	buf_free(&out);
	assert_int_equal(tstat_read(SPAN(""), &t), MTRK_SYNTAX);
	assert_int_equal(tstat_read(SPAN("no\n\nparts\n"), &t), MTRK_SYNTAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_read),
		cmocka_unit_test(every_prefix_is_survived),
		cmocka_unit_test(text_is_exact),
		cmocka_unit_test(written_is_read_back),
		cmocka_unit_test(writer_is_strict),
		cmocka_unit_test(nothing_to_say_is_a_fault),
		cmocka_unit_test(optional_fields_where_allowed),
		cmocka_unit_test(values_are_made_printable),
		cmocka_unit_test(addresses_in_utf8),
		cmocka_unit_test(addresses_in_utf8_at_their_limits),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
