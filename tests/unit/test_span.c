/* Borrowed bytes, the cursor (H5) and the growing buffer (H7). */
#include "tests/lib/cm.h"

#include "common/err.h"

static void
compares(void **state)
{
	static const struct {
		const char *a, *b;
		bool eq, ieq, starts, istarts, ends;
	} rows[] = {
		{ "", "", true, true, true, true, true },
		{ "a", "", false, false, true, true, true },
		{ "", "a", false, false, false, false, false },
		{ "abc", "abc", true, true, true, true, true },
		{ "abc", "ABC", false, true, false, true, false },
		{ "abcd", "abc", false, false, true, true, false },
		{ "abcd", "BCD", false, false, false, false, false },
		{ "abcd", "bcd", false, false, false, false, true },
		{ "ab", "abc", false, false, false, false, false },
		{ "[", "{", false, false, false, false, false },
		{ "\xe4", "\xc4", false, false, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span a = span_of(rows[i].a), b = span_of(rows[i].b);

		if (span_eq(a, b) != rows[i].eq ||
		    span_is(a, rows[i].b) != rows[i].eq ||
		    span_ieq(a, b) != rows[i].ieq ||
		    span_iis(a, rows[i].b) != rows[i].ieq ||
		    span_starts(a, rows[i].b) != rows[i].starts ||
		    span_istarts(a, rows[i].b) != rows[i].istarts ||
		    span_ends(a, rows[i].b) != rows[i].ends)
			fail_msg("\"%s\" \"%s\"", rows[i].a, rows[i].b);
	}
	assert_span(span_of(NULL), "");
	assert_span(SPAN("abc"), "abc");
}

static void
takes_pieces(void **state)
{
	struct span head, tail;

	(void)state;
	assert_span(span_from(SPAN("abc"), 1), "bc");
	assert_span(span_from(SPAN("abc"), 3), "");
	assert_span(span_from(SPAN("abc"), 4), "");
	assert_span(span_trim(SPAN(" \ta b\t ")), "a b");
	assert_span(span_trim(SPAN(" \t")), "");
	assert_span(span_trim(SPAN("\r\n")), "\r\n");
	assert_true(span_split(SPAN("a:b:c"), ':', &head, &tail));
	assert_span(head, "a");
	assert_span(tail, "b:c");
	assert_true(span_split(SPAN(":"), ':', &head, &tail));
	assert_span(head, "");
	assert_span(tail, "");
	assert_false(span_split(SPAN("abc"), ':', &head, &tail));
	assert_span(head, "abc");
	assert_span(tail, "");
	assert_int_equal(span_find(SPAN("abcabc"), "ca"), 2);
	assert_int_equal(span_find(SPAN("abcabc"), "cb"), -1);
	assert_int_equal(span_find(SPAN(""), "a"), -1);
}

/* No silent truncation. */
static void
copies_whole_or_not(void **state)
{
	char buf[4] = "xyz";

	(void)state;
	assert_true(span_copy(buf, sizeof buf, SPAN("abc")));
	assert_string_equal(buf, "abc");
	assert_false(span_copy(buf, sizeof buf, SPAN("abcd")));
	assert_string_equal(buf, "");
	assert_false(span_copy(buf, sizeof buf, SPAN("a\0b")));
	assert_string_equal(buf, "");
	assert_true(span_copy(buf, sizeof buf, SPAN("")));
	assert_string_equal(buf, "");
}

static void
numbers(void **state)
{
	static const struct {
		const char *in;
		uint64_t max;
		bool ok;
		uint64_t want;
	} rows[] = {
		{ "0", 0, true, 0 },
		{ "1", 0, false, 0 },
		{ "00", 9, true, 0 },
		{ "9", 9, true, 9 },
		{ "10", 9, false, 0 },
		{ "65535", 65535, true, 65535 },
		{ "65536", 65535, false, 0 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
		{ "", 9, false, 0 },
		{ "-1", 9, false, 0 },
		{ "+1", 9, false, 0 },
		{ " 1", 9, false, 0 },
		{ "1 ", 9, false, 0 },
		{ "0x1", 9, false, 0 },
		{ "\xb2", 9, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = 0;
		bool ok = span_number(span_of(rows[i].in), rows[i].max, &v);

		if (ok != rows[i].ok || (ok && v != rows[i].want))
			fail_msg("\"%s\": %d, %llu", rows[i].in, ok,
			    (unsigned long long)v);
	}
}

static void
cursor_takes(void **state)
{
	struct cur c = cur_of(SPAN("to=<a@b>, relay=mx, end"));

	(void)state;
	assert_true(cur_lit(&c, "to=<"));
	assert_span(cur_until(&c, '>', 3), "a@b");
	assert_false(cur_try(&c, "dsn="));
	assert_null(c.why);
	assert_true(cur_skip_to(&c, "relay="));
	assert_span(cur_until(&c, ',', 10), "mx");
	assert_span(cur_rest(&c), " end");
	assert_null(c.why);
}

/* H5: the first failure sticks, and nothing is taken from then on. */
static void
cursor_sticks(void **state)
{
	static const struct {
		const char *in;
		size_t max;
		const char *why; /* of cur_until(':') */
	} rows[] = {
		{ "abc:d", 3, NULL },
		{ "abcd:", 3, "too long" },
		{ ":d", 3, "missing or empty field" },
		{ "abc", 3, "missing or empty field" },
		{ "", 3, "missing or empty field" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cur c = cur_of(span_of(rows[i].in));
		struct span piece = cur_until(&c, ':', rows[i].max);

		if ((c.why == NULL) != (rows[i].why == NULL) ||
		    (c.why != NULL && strcmp(c.why, rows[i].why) != 0))
			fail_msg("\"%s\": %s", rows[i].in, c.why);
		if (c.why == NULL)
			continue;
		assert_int_equal(piece.n, 0);
		assert_false(cur_fail(&c, "something else"));
		assert_string_equal(c.why, rows[i].why);
		assert_false(cur_try(&c, ""));
		assert_false(cur_lit(&c, rows[i].in));
		assert_false(cur_skip_to(&c, "d"));
		assert_span(cur_rest(&c), rows[i].in);
	}
}

static void
buffer_grows_to_its_maximum(void **state)
{
	struct buf b = BUF(200);

	(void)state;
	assert_span(buf_as_span(&b), "");
	for (int i = 0; i < 100; i++)
		buf_fmt(&b, "%c%s", 'a', "b");
	assert_int_equal(b.err, MTRK_OK);
	assert_int_equal(b.n, 200);
	assert_int_equal(strlen(b.p), 200);
	buf_chr(&b, 'c');
	assert_int_equal(b.err, MTRK_TOOBIG);
	assert_int_equal(b.n, 200);
	buf_cut(&b, 0);
	buf_str(&b, "x");
	assert_int_equal(b.err, MTRK_TOOBIG); /* H5: it sticks */
	assert_int_equal(b.n, 0);
	buf_free(&b);
	assert_int_equal(b.max, 200);
	assert_int_equal(b.err, MTRK_OK);
	buf_span(&b, SPAN("again"));
	assert_span(buf_as_span(&b), "again");
	buf_add(&b, "\0", 1);
	assert_int_equal(b.n, 6);
	buf_free(&b);
}

static void
buffer_cut_and_drop(void **state)
{
	struct buf b = BUF(20);

	(void)state;
	buf_cut(&b, 0); /* nothing there yet */
	buf_drop(&b, 5);
	buf_str(&b, "0123456789");
	buf_cut(&b, 10);
	assert_string_equal(b.p, "0123456789");
	buf_cut(&b, 8);
	assert_string_equal(b.p, "01234567");
	buf_drop(&b, 3);
	assert_string_equal(b.p, "34567");
	buf_drop(&b, 100);
	assert_string_equal(b.p, "");
	assert_int_equal(b.n, 0);
	buf_free(&b);
}

/* H3: a text for each, all different, none missing. */
static void
outcomes_have_texts(void **state)
{
	(void)state;
	for (unsigned a = 0; a < MTRK_ERR_COUNT; a++) {
		assert_non_null(mtrk_err_text((enum mtrk_err)a));
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(mtrk_err_text((enum mtrk_err)a),
			    mtrk_err_text((enum mtrk_err)b));
	}
	assert_string_equal(mtrk_err_text(MTRK_ERR_COUNT), "unknown outcome");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(takes_pieces),
		cmocka_unit_test(copies_whole_or_not),
		cmocka_unit_test(numbers),
		cmocka_unit_test(cursor_takes),
		cmocka_unit_test(cursor_sticks),
		cmocka_unit_test(buffer_grows_to_its_maximum),
		cmocka_unit_test(buffer_cut_and_drop),
		cmocka_unit_test(outcomes_have_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
