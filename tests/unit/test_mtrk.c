/* The MTRK value (S14-S18), unique-envid (S22) and ORCPT (D3). */
#include "tests/lib/cm.h"

#include "common/mtrk.h"

#define CERT "VheLhqV/rCKJmplkGFwsyW59pYk"
#define T10 "0123456789"
#define T50 T10 T10 T10 T10 T10
#define T100 T50 T50

static const char no_certifier[] = "certifier is not base64 of 20 octets";
static const char no_timeout[] = "timeout is not 1 to 9 digits";

static const struct {
	const char *in, *why; /* NULL: valid */
	bool has_timeout;
	uint32_t timeout_s;
} mtrk_rows[] = {
	/* S17 */
	{ CERT, NULL, false, 0 },
	{ CERT ":691200", NULL, true, 691200 },
	{ CERT ":0", NULL, true, 0 }, /* A39 */
	{ CERT ":1", NULL, true, 1 },
	{ CERT ":000000001", NULL, true, 1 },
	{ CERT ":999999999", NULL, true, 999999999 },
	{ CERT ":1000000000", no_timeout, false, 0 },
	{ CERT ":0000000001", no_timeout, false, 0 },
	{ CERT ":", no_timeout, false, 0 },
	{ CERT ":-1", no_timeout, false, 0 },
	{ CERT ":+1", no_timeout, false, 0 },
	{ CERT ": 1", no_timeout, false, 0 },
	{ CERT ":1d", no_timeout, false, 0 },
	{ CERT ":1:2", no_timeout, false, 0 },
	/* S14, S18, A4: 20 octets, no more and no less */
	{ "", no_certifier, false, 0 },
	{ ":1", no_certifier, false, 0 },
	{ "VheLhqV/rCKJmplkGFwsyW59pY", no_certifier, false, 0 },
	{ "VheLhqV/rCKJmplkGFwsyW59pYkA", no_certifier, false, 0 },
	{ "VheLhqV/rCKJmplkGFwsyQ", no_certifier, false, 0 },
	{ CERT "AAAAA", no_certifier, false, 0 },
	/* A6: padded is let through, once */
	{ CERT "=", NULL, false, 0 },
	{ CERT "=:60", NULL, true, 60 },
	{ CERT "==", no_certifier, false, 0 },
	{ "=" CERT, no_certifier, false, 0 },
	/* A5 */
	{ "VheLhqV_rCKJmplkGFwsyW59pYk", no_certifier, false, 0 },
	{ "VheLhqV/rCKJmplkGFwsyW59pYl", no_certifier, false, 0 }, /* bits */
	{ " " CERT, no_certifier, false, 0 },
	{ CERT " ", no_certifier, false, 0 },
};

static void
mtrk_values(void **state)
{
	static const unsigned char octets[CERTIFIER_LEN] = { 0x56, 0x17, 0x8b,
		0x86, 0xa5, 0x7f, 0xac, 0x22, 0x89, 0x9a, 0x99, 0x64, 0x18,
		0x5c, 0x2c, 0xc9, 0x6e, 0x7d, 0xa5, 0x89 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mtrk_rows); i++) {
		const char *why = NULL;
		struct mtrk m;
		enum mtrk_err err =
		    mtrk_parse(span_of(mtrk_rows[i].in), &m, &why);

		if (err != (mtrk_rows[i].why ? MTRK_SYNTAX : MTRK_OK))
			fail_msg("S17 \"%s\": %s", mtrk_rows[i].in,
			    mtrk_err_text(err));
		if (err != MTRK_OK) {
			assert_string_equal(why, mtrk_rows[i].why);
			continue;
		}
		if (m.has_timeout != mtrk_rows[i].has_timeout ||
		    m.timeout_s != mtrk_rows[i].timeout_s)
			fail_msg("S17 \"%s\": timeout %d, %u", mtrk_rows[i].in,
			    m.has_timeout, m.timeout_s);
		assert_memory_equal(m.certifier, octets, CERTIFIER_LEN);
	}
}

/* A6: never emitted with "=".  A8: the longest has room. */
static void
mtrk_formats(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ CERT, CERT },
		{ CERT "=", CERT },
		{ CERT ":0", CERT ":0" },
		{ CERT "=:00086400", CERT ":86400" },
		{ CERT ":999999999", CERT ":999999999" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[MTRK_TEXT];
		const char *why;
		struct mtrk m;

		assert_int_equal(
		    mtrk_parse(span_of(rows[i].in), &m, &why), MTRK_OK);
		mtrk_format(&m, text);
		if (strcmp(text, rows[i].out) != 0)
			fail_msg("A6 \"%s\" became \"%s\"", rows[i].in, text);
	}
}

static const struct {
	const char *in;
	enum mtrk_err err;
	const char *out;
} envid_rows[] = {
	/* S22, A12 */
	{ "q1@h.example", MTRK_OK, "q1@h.example" },
	{ "q1.h.example", MTRK_SYNTAX, NULL },
	{ "a@b", MTRK_OK, "a@b" },
	{ "@b", MTRK_SYNTAX, NULL },
	{ "a@", MTRK_SYNTAX, NULL },
	{ "@", MTRK_SYNTAX, NULL },
	{ "", MTRK_SYNTAX, NULL },
	{ "a", MTRK_SYNTAX, NULL },
	{ "a@b@", MTRK_OK, "a@b@" },
	{ "@@", MTRK_SYNTAX, NULL },
	{ "@a@b", MTRK_OK, "@a@b" },
	{ "<a@b>", MTRK_OK, "<a@b>" }, /* A11 */
	/* D2, A13: decoded, case kept */
	{ "+41+40b", MTRK_OK, "A@b" },
	{ "+4a@b", MTRK_SYNTAX, NULL },
	{ "a=@b", MTRK_SYNTAX, NULL },
	{ "a @b", MTRK_SYNTAX, NULL },
	/* D4: printable US-ASCII behind the xtext */
	{ "a+20c@b", MTRK_OK, "a c@b" },
	{ "a+0Ac@b", MTRK_SYNTAX, NULL },
	{ "a+00c@b", MTRK_SYNTAX, NULL },
	{ "a+7E@b", MTRK_OK, "a~@b" },
	{ "a+7F@b", MTRK_SYNTAX, NULL },
	{ "a+C3+A4@b", MTRK_SYNTAX, NULL },
	/* A49: 100 as sent */
	{ "@@@" T50 T10 T10 T10 T10 "4567890", MTRK_OK,
	    "@@@" T50 T10 T10 T10 T10 "4567890" },
	{ "@@@" T50 T10 T10 T10 T10 "45678901", MTRK_TOOBIG, NULL },
	{ "a@b" T50 T10 T10 T10 T10 "4567+20", MTRK_OK,
	    "a@b" T50 T10 T10 T10 T10 "4567 " },
	{ "a@b" T50 T10 T10 T10 T10 "45678+20", MTRK_TOOBIG, NULL },
};

static void
envids(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(envid_rows); i++) {
		char out[ENVID_MAX + 1];
		const char *why = NULL;
		enum mtrk_err err =
		    envid_parse(span_of(envid_rows[i].in), out, &why);

		if (err != envid_rows[i].err ||
		    (err == MTRK_OK) != (why == NULL) ||
		    (err == MTRK_OK && strcmp(out, envid_rows[i].out) != 0))
			fail_msg("S22 \"%s\": %s, \"%s\"", envid_rows[i].in,
			    mtrk_err_text(err), out);
	}
}

static const struct {
	const char *in;
	enum mtrk_err err;
	const char *type, *addr;
} orcpt_rows[] = {
	/* D3 */
	{ "rfc822;a@b", MTRK_OK, "rfc822", "a@b" },
	{ "rfc822:a@b", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822a@b", MTRK_SYNTAX, NULL, NULL },
	{ ";a@b", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822;", MTRK_OK, "rfc822", "" }, /* D2: xtext may be empty */
	{ "", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822;George@Tax-ME.GOV", MTRK_OK, "rfc822", "George@Tax-ME.GOV" },
	{ "X-400;any;thing", MTRK_OK, "X-400", "any;thing" },
	{ "utf-8;a+5Cx{E4}@b", MTRK_OK, "utf-8", "a\\x{E4}@b" }, /* D15 */
	{ "utf-8;a\\x{E4}@b", MTRK_OK, "utf-8", "a\\x{E4}@b" },
	{ "UTF-8;\xc3\xa4@b", MTRK_OK, "UTF-8", "\xc3\xa4@b" },
	{ "utf-8;\xc3\xa4@b c", MTRK_SYNTAX, NULL, NULL },
	{ "utf-8;\xc3\xa4\x7f@b", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822;a+2Bb@c", MTRK_OK, "rfc822", "a+b@c" },
	{ "rfc822;a+b@c", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822;a+20b@c", MTRK_OK, "rfc822", "a b@c" },
	{ "rfc822;a b@c", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822;a+0D+0Ab@c", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822;a+C3+A4@c", MTRK_SYNTAX, NULL, NULL },
	/* T8: the type is an atom */
	{ "rfc 822;a@b", MTRK_SYNTAX, NULL, NULL },
	{ "rfc.822;a@b", MTRK_SYNTAX, NULL, NULL },
	{ "(x);a@b", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822\x7f;a@b", MTRK_SYNTAX, NULL, NULL },
	{ "rfc822\xe4;a@b", MTRK_SYNTAX, NULL, NULL },
	{ T10 T10 T10 "12;a", MTRK_OK, T10 T10 T10 "12", "a" },
	{ T10 T10 T10 "123;a", MTRK_TOOBIG, NULL, NULL },
	/* A49: 500 as sent */
	{ "t;" T100 T100 T100 T100 T50 T10 T10 T10 T10 "23456789", MTRK_OK, "t",
	    T100 T100 T100 T100 T50 T10 T10 T10 T10 "23456789" },
	{ "t;" T100 T100 T100 T100 T50 T10 T10 T10 T10 "234567890", MTRK_TOOBIG,
	    NULL, NULL },
};

static void
orcpts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orcpt_rows); i++) {
		struct orcpt o;
		enum mtrk_err err = orcpt_parse(span_of(orcpt_rows[i].in), &o);

		if (err != orcpt_rows[i].err ||
		    (err == MTRK_OK &&
			(strcmp(o.type, orcpt_rows[i].type) != 0 ||
			    strcmp(o.addr, orcpt_rows[i].addr) != 0)))
			fail_msg("D3 \"%s\": %s, \"%s\" \"%s\"",
			    orcpt_rows[i].in, mtrk_err_text(err), o.type,
			    o.addr);
	}
}

/* A14: lower case before hashing; no fqhn is cut in silence. */
static void
fqhns(void **state)
{
	char lower[CERTIFIER_TEXT + 1], upper[CERTIFIER_TEXT + 1];
	char longest[256];

	(void)state;
	assert_int_equal(fqhn_hash(SPAN("mail.example.com"), lower), MTRK_OK);
	assert_string_equal(lower, "CywK7c9q9OFc9wtA0nQsQmCIBjg");
	assert_int_equal(fqhn_hash(SPAN("Mail.EXAMPLE.com"), upper), MTRK_OK);
	assert_string_equal(upper, lower);
	assert_int_equal(fqhn_hash(SPAN("mail.example.con"), upper), MTRK_OK);
	assert_string_not_equal(upper, lower);
	memset(longest, 'a', sizeof longest);
	assert_int_equal(
	    fqhn_hash((struct span){ longest, 255 }, lower), MTRK_OK);
	assert_int_equal(
	    fqhn_hash((struct span){ longest, 256 }, lower), MTRK_TOOBIG);
	assert_string_equal(lower, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mtrk_values),
		cmocka_unit_test(mtrk_formats),
		cmocka_unit_test(envids),
		cmocka_unit_test(orcpts),
		cmocka_unit_test(fqhns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
