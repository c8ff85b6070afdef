/* mtqp/letter.c: fields, addresses (RFC 5322 3.4), Bcc, the single dot. */
#include "mtqp/letter.h"
#include "tests/lib/cm.h"

static bool
join(const char *address, void *arg)
{
	struct buf *b = arg;

	buf_fmt(b, "%s|", address);
	return true;
}

static void
addresses(void **state)
{
	static const struct {
		const char *list, *want; /* NULL: refused */
	} cases[] = {
		{ "a@x", "a@x|" },
		{ "a@x, b@y", "a@x|b@y|" },
		{ "A Name <a@x>,\r\n \"Comma, Inc.\" <b@y>", "a@x|b@y|" },
		{ "a@x (a comment, with <c@z> (nested)), b@y", "a@x|b@y|" },
		{ "friends: a@x, B <b@y>;, c@z", "a@x|b@y|c@z|" },
		{ "undisclosed-recipients:;", "" },
		{ "", "" },
		{ " , ,", "" },
		{ "\"quoted local\"@x", "\"quoted local\"@x|" },
		{ "\"a\\\"b\" <a@x>", "a@x|" },
		{ "<@relay,@two:a@x>", "a@x|" },
		{ "root", "root|" },
		{ "a @ x", "a@x|" },
		{ "a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]|" },
		{ "n <a@[IPv6:::1]>", "a@[IPv6:::1]|" },
		{ "\"open <a@x>", NULL },
		{ "(open a@x", NULL },
		{ "<a@x", NULL },
		{ "a@x>", NULL },
		{ "<a@x> <b@y>", NULL },
		{ "<>", NULL },
		{ "a\x01@x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF(1000);
		bool ok = letter_addresses(span_of(cases[i].list), join, &b) ==
		    MTRK_OK;
		const char *got = b.p != NULL ? b.p : "";

		if (ok != (cases[i].want != NULL) ||
		    (ok && strcmp(got, cases[i].want) != 0))
			fail_msg("%s: %s", cases[i].list, ok ? got : "refused");
		buf_free(&b);
	}
}

static void
recipients(void **state)
{
	static const struct {
		const char *message, *want;
	} cases[] = {
		{ "To: a@x\nCC: b@y\nbcc: c@z\n\nTo: d@w\n", "a@x|b@y|c@z|" },
		{ "To: a@x,\n\tb@y\nTo: c@z\n", "a@x|b@y|c@z|" },
		{ "To: a@x\nResent-To: r@x\nResent-Bcc: s@x\n", "r@x|s@x|" },
		{ "From: a@x\n\n", "" },
		{ "\nTo: a@x\n", "" },
		{ "Cc: a@x\nHello all,\nTo: whom it may concern\n", "a@x|" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF(1000);

		assert_int_equal(
		    letter_recipients(span_of(cases[i].message), join, &b),
		    MTRK_OK);
		assert_string_equal(b.p != NULL ? b.p : "", cases[i].want);
		buf_free(&b);
	}
}

static void
fields(void **state)
{
	static const char message[] = "Subject: one\r\n two\r\n"
				      "Message-ID: <a@b>\r\nEmpty:\r\n\r\n"
				      "Later: no\r\n";
	struct span value;

	(void)state;
	assert_true(letter_field(span_of(message), "subject", &value));
	assert_span(value, "one\r\n two");
	assert_true(letter_field(span_of(message), "Message-ID", &value));
	assert_span(value, "<a@b>");
	assert_true(letter_field(span_of(message), "Empty", &value));
	assert_span(value, "");
	assert_false(letter_field(span_of(message), "Later", &value));
	assert_false(letter_field(span_of(""), "To", &value));
}

static void
copies(void **state)
{
	static const struct {
		const char *in, *out;
	} bcc[] = {
		{ "To: a@x\nBcc: b@y,\n c@z\nX: 1\n\nBcc: in the body\n",
		    "To: a@x\nX: 1\n\nBcc: in the body\n" },
		{ "bcc: b@y\r\n\r\nhi", "\r\nhi" },
		{ "Bcc: all\n", "" },
		{ "", "" },
		{ "To: a@x", "To: a@x" },
		{ "From b Thu Nov 26\nBcc : b@y\nTo: a@x\n\n",
		    "From b Thu Nov 26\nTo: a@x\n\n" },
		/* no header, or no empty line behind it */
		{ "Hello,\nBcc: is a word\n", "Hello,\nBcc: is a word\n" },
		{ "To: a@x\nHello all,\nBcc: x\n",
		    "To: a@x\nHello all,\nBcc: x\n" },
	};
	static const struct {
		const char *in, *out;
	} dots[] = {
		{ "a\n.\nb\n", "a\n" },
		{ "a\r\n.\r\nb", "a\r\n" },
		{ ".\n", "" },
		{ "a\n..\n. \n", "a\n..\n. \n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bcc); i++) {
		struct buf b = BUF(1000);

		buf_str(&b, bcc[i].in);
		letter_drop_bcc(&b);
		assert_span(buf_as_span(&b), bcc[i].out);
		buf_free(&b);
	}
	for (size_t i = 0; i < ARRAY_LEN(dots); i++)
		assert_span(letter_to_dot(span_of(dots[i].in)), dots[i].out);
}

/* RFC 6531: what else than ASCII may be an address, and where it counts. */
static void
utf8(void **state)
{
	static const struct {
		const char *text;
		bool address;
	} cases[] = {
		{ "bob@x.test", true },
		{ "j\xc3\xb6rg@x.test", true },
		{ "bob@m\xc3\xbcller.test", true },
		{ "", true }, /* the null sender */
		{ "j\xf6rg@x.test", false }, /* ISO 8859-1 */
		{ "a@x\xc2\x9b.test", false }, /* C1: CSI */
		{ "a\x7f@x.test", false },
		{ "a@x>\r\nDATA", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(letter_is_address(span_of(cases[i].text)),
		    cases[i].address);
	assert_true(letter_has_utf8_address(
	    SPAN("To: a@x\nCc: J <j\xc3\xb6rg@x.test>\n\n")));
	assert_true(
	    letter_has_utf8_address(SPAN("From: <j\xc3\xb6rg@x.test>\n\n")));
	/* a name in UTF-8 is a matter of 8BITMIME, as ever; the text is not
	 * read
	 */
	assert_false(letter_has_utf8_address(SPAN(
	    "From: J\xc3\xb6rg <a@x>\nSubject: \xc3\xb6\n\nTo: \xc3\xb6\n")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(utf8),
		cmocka_unit_test(recipients),
		cmocka_unit_test(fields),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
