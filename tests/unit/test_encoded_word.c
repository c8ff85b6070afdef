/* mtqp/encoded_word.c: RFC 2047, its own examples, and what is none. */
#include "mtqp/encoded_word.h"
#include "tests/lib/cm.h"

static void
words(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "plain", "plain" },
		{ "", "" },
		/* RFC 2047 8 */
		{ "(=?ISO-8859-1?Q?a?=)", "(a)" },
		{ "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
		{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "(=?ISO-8859-1?Q?a?=\n    =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
		{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
		{ "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\n "
		  "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
		    "If you can read this you understand the example." },
		{ "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
		    "Keith Moore <moore@cs.utk.edu>" },
		/* charsets, either letter case, a language (RFC 2231 5) */
		{ "=?utf-8?q?caf=c3=A9?=", "café" },
		{ "=?UTF-8?b?5pel5pys?=", "日本" },
		{ "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本" },
		{ "=?iso-8859-15?Q?=A4?=", "€" },
		{ "=?windows-1251?Q?=CF=F0=E8?=", "При" },
		{ "=?GB2312?B?1tDOxA==?=", "中文" },
		{ "=?utf-8*de?Q?gr=C3=BCn?=", "grün" },
		/* a letter in two words, as some senders cut it */
		{ "=?utf-8?B?5pc=?= =?utf-8?B?pQ==?=", "日" },
		{ "=?utf-8?Q?=C3?=\t=?UTF-8?Q?=A9?= x", "é x" },
		/* without padding */
		{ "=?utf-8?B?5pel5pyseA?=", "日本x" },
		/* bad ones stay as they are */
		{ "=?utf-8?Q?=C3?= x", "=?utf-8?Q?=C3?= x" },
		{ "=?utf-8?Q?=4?=", "=?utf-8?Q?=4?=" },
		{ "=?utf-8?B?*?=", "=?utf-8?B?*?=" },
		{ "=?utf-8?X?a?=", "=?utf-8?X?a?=" },
		{ "=?x-nobody?Q?a?=", "=?x-nobody?Q?a?=" },
		{ "=?utf-8//TRANSLIT?Q?a?=", "=?utf-8//TRANSLIT?Q?a?=" },
		{ "=??Q?a?=", "=??Q?a?=" },
		{ "=?utf-8?Q?a b?=", "=?utf-8?Q?a b?=" },
		{ "=?utf-8?Q?a", "=?utf-8?Q?a" },
		{ "=?utf-8?", "=?utf-8?" },
		{ "=?", "=?" },
		{ "=?x-nobody?Q?a?= =?utf-8?Q?b?= =?utf-8?Q?c?=",
		    "=?x-nobody?Q?a?=bc" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf out = BUF(1000);

		encoded_words_decode(span_of(cases[i].text), &out);
		if (!span_is(buf_as_span(&out), cases[i].want))
			fail_msg("%s: \"%s\"", cases[i].text, out.p);
		buf_free(&out);
	}
}

/* No more than `out` may hold, whatever the text; and no endless time. */
static void
bounds(void **state)
{
	struct buf text = BUF(1 << 20), out = BUF(1000);

	(void)state;
	for (int i = 0; i < 3000; i++)
		buf_str(&text, "=?utf-8?Q?0123456789?= ");
	encoded_words_decode(buf_as_span(&text), &out);
	assert_true(out.n <= 1000);
	buf_cut(&text, 0);
	buf_cut(&out, 0);
	out.err = 0;
	for (int i = 0; i < 3000; i++)
		buf_str(&text, "=?utf-8?Q?");
	encoded_words_decode(buf_as_span(&text), &out);
	assert_true(out.n <= 1000);
	buf_free(&text);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
