/* Lines end in CRLF and nothing else (RFC 3887 2.2; A52). */
#include "common/lines.h"
#include "tests/lib/cm.h"

/* Of at most 8 octets; as "[line]", "!long", "!lf". */
static const struct {
	const char *in, *want;
} cases[] = {
	{ "", "" },
	{ "a", "" },
	{ "a\r", "" },
	{ "a\r\n", "[a]" },
	{ "\r\n", "[]" },
	{ "a\r\nb\r\nc", "[a][b]" },
	{ "12345678\r\n", "[12345678]" },
	{ "123456789\r\nb\r\n", "!long[b]" },
	{ "1234567890123456789012345678901234567890\r\nb\r\n", "!long[b]" },
	{ "123456789", "" }, /* its last may be the CR */
	{ "1234567890", "!long" },
	{ "a\nb\r\nc\r\n", "!lf[c]" },
	{ "\na\r\n", "!lf" },
	{ "a\nb\nc\nd\r\ne\r\n", "!lf[e]" },
	{ "a\n", "!lf" },
	{ "a\rb\r\n", "[a\rb]" }, /* a bare CR is the parser's matter */
	{ "a\r\r\n", "[a\r]" },
	{ "a\n\r\r\r\nb\r\n", "!lf[b]" },
	{ "a\n\rb\r\nc\r\n", "!lf[c]" },
};

/* Feed `in` in pieces of `step` octets. */
static void
feed(const char *in, size_t step, struct buf *got)
{
	struct lines l = { .max = 8 };
	struct buf have = BUF(1000);
	size_t at = 0, n = strlen(in), used;

	while (at < n) {
		size_t piece = n - at < step ? n - at : step;
		struct span line;
		enum line what;

		buf_add(&have, in + at, piece);
		at += piece;
		do {
			what = lines_next(&l, buf_as_span(&have), &used, &line);
			if (what == LINE_OK)
				buf_fmt(got, "[%.*s]", (int)line.n, line.p);
			else if (what != LINE_MORE)
				buf_str(got,
				    what == LINE_TOO_LONG ? "!long" : "!lf");
			buf_drop(&have, used);
		} while (what != LINE_MORE);
		assert_true(have.n <= 8 + 2);
	}
	buf_free(&have);
}

static void
cut_alike_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step <= 50; step++) {
			struct buf got = BUF(1000);

			buf_str(&got, "");
			feed(cases[i].in, step, &got);
			if (strcmp(got.p, cases[i].want) != 0)
				fail_msg("row %zu by %zu: \"%s\", not \"%s\"",
				    i, step, got.p, cases[i].want);
			buf_free(&got);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_alike_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
