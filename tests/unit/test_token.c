/* mtqp/token.c: unique-envids (S22-S25, D12) and secrets (S12, S14, S18). */
#include "common/crypto.h"
#include "common/encode.h"
#include "mtqp/token.h"
#include "tests/lib/cm.h"

#define NAME64 "a-label-of-sixty-three-octets-which-is-the-most-there-may-be-ab"

/*
 * S22, S24, D4: valid, printable, at most 100; the local part at most 38.
 * A49: the whole of it at most 94 octets, also with a long host.
 */
static void
valid(void **state)
{
	static const char *const hosts[] = { "h.example", "x",
		NAME64 "." NAME64 ".example", "with+plus.example" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		char decoded[ENVID_MAX + 1];
		const char *why = "";
		struct token t;

		assert_int_equal(
		    token_make(hosts[i], 1795500000123, &t), MTRK_OK);
		if (envid_parse(span_of(t.envid), decoded, &why) != MTRK_OK)
			fail_msg("%s: %s", t.envid, why);
		assert_int_equal(strchr(t.envid, '@') - t.envid, LOCAL_TEXT);
		assert_true(LOCAL_TEXT <= 38);
		assert_true(strlen(t.envid) <= 94);
	}
}

/* Later is greater, octet by octet, whatever the host and chance say. */
static void
ordered(void **state)
{
	static const int64_t times[] = { 0, 1, 31, 32, 1023, 1024,
		1700000000000, 1700000000001, 1795500000123,
		((int64_t)1 << 45) - 1 };
	char before[STAMP_TEXT + 1] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct token t;

		assert_int_equal(token_make("h", times[i], &t), MTRK_OK);
		assert_true(strncmp(before, t.envid, STAMP_TEXT) < 0);
		memcpy(before, t.envid, STAMP_TEXT);
	}
}

/*
 * S23, S33: two of one moment differ, in the id and in the secret.
 * Q41: another secret for each message.
 */
static void
unlike(void **state)
{
	struct token a, b;

	(void)state;
	assert_int_equal(token_make("h", 1, &a), MTRK_OK);
	assert_int_equal(token_make("h", 1, &b), MTRK_OK);
	assert_string_not_equal(a.envid, b.envid);
	assert_string_not_equal(a.secret, b.secret);
}

/* S12, S14, S18: 16 octets; 27 characters of their SHA-1. */
static void
secret(void **state)
{
	unsigned char octets[SECRET_MAX], hash[CERTIFIER_LEN];
	struct token t;
	size_t n;

	(void)state;
	assert_int_equal(token_make("h", 1, &t), MTRK_OK);
	assert_int_equal(
	    base64_decode(span_of(t.secret), octets, sizeof octets, &n),
	    MTRK_OK);
	assert_int_equal(n, SECRET_MIN);
	assert_int_equal(crypto_sha1(octets, n, hash), MTRK_OK);
	assert_memory_equal(hash, t.mtrk.certifier, CERTIFIER_LEN);
	assert_int_equal(strlen(t.certifier), CERTIFIER_TEXT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid),
		cmocka_unit_test(ordered),
		cmocka_unit_test(unlike),
		cmocka_unit_test(secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
