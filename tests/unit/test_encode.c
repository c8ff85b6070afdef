/* xtext (D2, RFC 3461 4) and base64 (A6, A7; RFC 4648 4). */
#include "tests/lib/cm.h"

#include "common/encode.h"

enum { ROOM = 16 };

/* NUL-terminated input, and what comes out of at most ROOM octets. */
static const struct {
	const char *in;
	enum mtrk_err err;
	const char *out;
} xtext_rows[] = {
	/* D2: xchar = 33..126 but "+" and "=" */
	{ "", MTRK_OK, "" },
	{ "abc", MTRK_OK, "abc" },
	{ "a b", MTRK_SYNTAX, NULL },
	{ "!~", MTRK_OK, "!~" },
	{ "!\x7f", MTRK_SYNTAX, NULL },
	{ "!\x1f", MTRK_SYNTAX, NULL },
	{ "!\x80", MTRK_SYNTAX, NULL },
	{ "a\tb", MTRK_SYNTAX, NULL },
	{ "x=y", MTRK_SYNTAX, NULL },
	{ "<(@)/%>", MTRK_OK, "<(@)/%>" },
	/* D2: hexchar = "+" and two upper-case digits */
	{ "x+3Dy", MTRK_OK, "x=y" },
	{ "x+3dy", MTRK_SYNTAX, NULL },
	{ "+2B", MTRK_OK, "+" },
	{ "+2b", MTRK_SYNTAX, NULL },
	{ "+2G", MTRK_SYNTAX, NULL },
	{ "+G2", MTRK_SYNTAX, NULL },
	{ "+2", MTRK_SYNTAX, NULL },
	{ "+", MTRK_SYNTAX, NULL },
	{ "a+", MTRK_SYNTAX, NULL },
	{ "++2B", MTRK_SYNTAX, NULL },
	{ "+41", MTRK_OK, "A" }, /* A13 */
	{ "+FF", MTRK_OK, "\xff" },
	/* H7 */
	{ "0123456789abcdef", MTRK_OK, "0123456789abcdef" },
	{ "0123456789abcdefg", MTRK_TOOBIG, NULL },
	{ "0123456789abcde+20", MTRK_OK, "0123456789abcde " },
	{ "0123456789abcdef+20", MTRK_TOOBIG, NULL },
};

static void
xtext_decodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(xtext_rows); i++) {
		char out[ROOM];
		size_t n;
		enum mtrk_err err =
		    xtext_decode(span_of(xtext_rows[i].in), out, ROOM, &n);

		if (err != xtext_rows[i].err ||
		    (err == MTRK_OK &&
			!span_is((struct span){ out, n }, xtext_rows[i].out)))
			fail_msg("D2 \"%s\": %s, %zu octets", xtext_rows[i].in,
			    mtrk_err_text(err), n);
	}
}

/* D2: every octet goes there and back; only xchars stand for themselves. */
static void
xtext_of_every_octet(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const char in = (char)c;
		bool plain = c > 32 && c < 127 && c != '+' && c != '=';
		char text[4], back;
		size_t n;

		assert_int_equal(
		    xtext_encode((struct span){ &in, 1 }, text, sizeof text),
		    MTRK_OK);
		if (strlen(text) != (plain ? 1 : 3))
			fail_msg("D2 octet %u became \"%s\"", c, text);
		assert_int_equal(
		    xtext_decode(span_of(text), &back, 1, &n), MTRK_OK);
		assert_int_equal(n, 1);
		assert_int_equal(back, in);
	}
}

/* H7: what is encoded, and the least room for it. */
static const struct {
	const char *in, *out;
} encode_rows[] = {
	{ "", "" },
	{ "abc", "abc" },
	{ "a b", "a+20b" },
	{ "+", "+2B" },
	{ "a=", "a+3D" },
	{ "\x01", "+01" },
	{ "\xff", "+FF" },
};

static void
xtext_needs_its_room(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(encode_rows); i++) {
		struct span in = span_of(encode_rows[i].in);
		size_t need = strlen(encode_rows[i].out) + 1;
		char text[16];

		for (size_t size = 0; size < need; size++)
			if (xtext_encode(in, text, size) != MTRK_TOOBIG)
				fail_msg("D2 row %zu in %zu octets", i, size);
		assert_int_equal(xtext_encode(in, text, need), MTRK_OK);
		assert_string_equal(text, encode_rows[i].out);
	}
}

/* A7: padded or not; anything else is no base64. */
static const struct {
	const char *in;
	enum mtrk_err err;
	const char *out;
} base64_rows[] = {
	/* RFC 4648 10 */
	{ "", MTRK_OK, "" },
	{ "Zg==", MTRK_OK, "f" },
	{ "Zg", MTRK_OK, "f" },
	{ "Zg=", MTRK_SYNTAX, NULL },
	{ "Zg===", MTRK_SYNTAX, NULL },
	{ "Zm8=", MTRK_OK, "fo" },
	{ "Zm8", MTRK_OK, "fo" },
	{ "Zm8==", MTRK_SYNTAX, NULL },
	{ "Zm9v", MTRK_OK, "foo" },
	{ "Zm9v=", MTRK_SYNTAX, NULL },
	{ "Zm9v====", MTRK_SYNTAX, NULL },
	{ "Zm9vYg==", MTRK_OK, "foob" },
	{ "Zm9vYmE=", MTRK_OK, "fooba" },
	{ "Zm9vYmFy", MTRK_OK, "foobar" },
	/* one character is six bits, no octet */
	{ "Z", MTRK_SYNTAX, NULL },
	{ "Z===", MTRK_SYNTAX, NULL },
	{ "Zm9vZ", MTRK_SYNTAX, NULL },
	{ "=", MTRK_SYNTAX, NULL },
	{ "==", MTRK_SYNTAX, NULL },
	{ "====", MTRK_SYNTAX, NULL },
	/* padding is the end */
	{ "Zg==Zg==", MTRK_SYNTAX, NULL },
	{ "Z=g=", MTRK_SYNTAX, NULL },
	/* stray bits: two texts of one value */
	{ "Zh==", MTRK_SYNTAX, NULL },
	{ "Zh", MTRK_SYNTAX, NULL },
	{ "Zm9=", MTRK_SYNTAX, NULL },
	{ "Zm9", MTRK_SYNTAX, NULL },
	/* the alphabet; not that of URLs */
	{ "++//", MTRK_OK, "\xfb\xef\xff" },
	{ "--__", MTRK_SYNTAX, NULL },
	{ "Zm 9v", MTRK_SYNTAX, NULL },
	{ "Zm9v\r\n", MTRK_SYNTAX, NULL },
	{ "Zm9\xf6", MTRK_SYNTAX, NULL },
	/* H7 */
	{ "MDEyMzQ1Njc4OWFiY2RlZg==", MTRK_OK, "0123456789abcdef" },
	{ "MDEyMzQ1Njc4OWFiY2RlZmc=", MTRK_TOOBIG, NULL },
};

static void
base64_decodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(base64_rows); i++) {
		unsigned char out[ROOM];
		size_t n;
		enum mtrk_err err =
		    base64_decode(span_of(base64_rows[i].in), out, ROOM, &n);
		struct span got = { (const char *)out, n };

		if (err != base64_rows[i].err ||
		    (err == MTRK_OK && !span_is(got, base64_rows[i].out)))
			fail_msg("A7 \"%s\": %s, %zu octets", base64_rows[i].in,
			    mtrk_err_text(err), n);
	}
}

/* A NUL is neither of the alphabet nor an end. */
static void
base64_of_nul(void **state)
{
	unsigned char out[ROOM];
	size_t n;

	(void)state;
	assert_int_equal(
	    base64_decode(SPAN("Zm\0v"), out, ROOM, &n), MTRK_SYNTAX);
	assert_int_equal(
	    xtext_decode(SPAN("a\0b"), (char *)out, ROOM, &n), MTRK_SYNTAX);
}

static void
base64_there_and_back(void **state)
{
	unsigned char in[64], back[64];

	(void)state;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (unsigned char)(i * 37 + 11);
	for (size_t n = 0; n <= sizeof in; n++)
		for (int pad = BASE64_UNPADDED; pad <= BASE64_PADDED; pad++) {
			char text[4 * 22 + 1];
			size_t got,
			    want = pad == BASE64_PADDED ? 4 * ((n + 2) / 3)
							: (4 * n + 2) / 3;

			if (base64_encode(in, n, (enum base64_pad)pad, text,
				want) != MTRK_TOOBIG ||
			    base64_encode(in, n, (enum base64_pad)pad, text,
				want + 1) != MTRK_OK ||
			    strlen(text) != want)
				fail_msg("A7 %zu octets, padded %d", n, pad);
			assert_int_equal(base64_decode(span_of(text), back,
					     sizeof back, &got),
			    MTRK_OK);
			assert_int_equal(got, n);
			assert_memory_equal(back, in, n);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xtext_decodes),
		cmocka_unit_test(xtext_of_every_octet),
		cmocka_unit_test(xtext_needs_its_room),
		cmocka_unit_test(base64_decodes),
		cmocka_unit_test(base64_of_nul),
		cmocka_unit_test(base64_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
