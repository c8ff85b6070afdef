/* Every vector of tests/vectors.json (9.1-9.4, 9.9 of the requirements). */
#include "tests/lib/cm.h"

#include <jansson.h>

#include "common/crypto.h"
#include "common/encode.h"
#include "common/mtrk.h"
#include "common/uri.h"

enum { OCTETS = 256 };

static json_t *vectors;

static int
load(void **state)
{
	json_error_t e;

	(void)state;
	vectors = json_load_file(MTRK_TESTS_DIR "/vectors.json", 0, &e);
	if (vectors == NULL)
		print_error("vectors.json:%d: %s\n", e.line, e.text);
	return vectors == NULL;
}

static int
unload(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

/* A list that must be there and not be empty. */
static json_t *
list(const char *name)
{
	json_t *l = json_object_get(vectors, name);

	if (json_array_size(l) == 0)
		fail_msg("no \"%s\"", name);
	return l;
}

static const char *
text(json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	if (s == NULL)
		fail_msg("no \"%s\"", key);
	return s;
}

static size_t
number(json_t *row, const char *key)
{
	if (!json_is_integer(json_object_get(row, key)))
		fail_msg("no \"%s\"", key);
	return (size_t)json_integer_value(json_object_get(row, key));
}

static void
to_hex(const unsigned char *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static void
same(json_t *row, const char *key, const char *got)
{
	const char *name = json_string_value(json_object_get(row, "name"));

	if (strcmp(text(row, key), got) != 0)
		fail_msg(
		    "%s %s: got \"%s\"", name != NULL ? name : "row", key, got);
}

/* A7: both spellings of a secret are the same octets. */
static size_t
secret_of(json_t *row, unsigned char out[OCTETS])
{
	static const struct {
		const char *key;
		enum base64_pad pad;
	} spellings[] = { { "secret_b64", BASE64_PADDED },
		{ "secret_b64_unpadded", BASE64_UNPADDED } };
	char hex[2 * OCTETS + 1], again[2 * OCTETS];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		assert_int_equal(
		    base64_decode(
			span_of(text(row, spellings[i].key)), out, OCTETS, &n),
		    MTRK_OK);
		to_hex(out, n, hex);
		same(row, "secret_hex", hex);
		assert_int_equal(base64_encode(out, n, spellings[i].pad, again,
				     sizeof again),
		    MTRK_OK);
		same(row, spellings[i].key, again);
	}
	return n;
}

/* S11, S12, S14, A2, A6 */
static void
secrets(void **state)
{
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(list("secrets"), i, row)
	{
		unsigned char secret[OCTETS], hash[CERTIFIER_LEN];
		char out[2 * OCTETS];
		size_t n = secret_of(row, secret);
		struct mtrk m = { 0 }, padded;
		const char *why;

		assert_int_equal(n * 8, number(row, "bits"));
		if ((n >= SECRET_MIN && n <= SECRET_MAX) !=
		    json_is_true(json_object_get(row, "length_ok")))
			fail_msg("S12 %s", text(row, "name"));
		assert_int_equal(crypto_sha1(secret, n, hash), MTRK_OK);
		to_hex(hash, sizeof hash, out);
		same(row, "sha1_hex", out);
		memcpy(m.certifier, hash, sizeof hash);
		mtrk_format(&m, out);
		same(row, "certifier_wire", out);
		assert_int_equal(mtrk_parse(span_of(out), &m, &why), MTRK_OK);
		assert_int_equal(
		    mtrk_parse(
			span_of(text(row, "certifier_padded")), &padded, &why),
		    MTRK_OK);
		assert_memory_equal(m.certifier, hash, sizeof hash);
		assert_memory_equal(padded.certifier, hash, sizeof hash);
	}
}

/* A1: RFC 3887's worked hash is SHA-0; neither secret may fit it. */
static void
sha0_is_refused(void **state)
{
	static const unsigned char sha0[CERTIFIER_LEN] = { 0x73, 0x4b, 0xa8,
		0xb3, 0x19, 0x75, 0xd0, 0xdb, 0xae, 0x4d, 0x6e, 0x24, 0x9f,
		0x4e, 0x8d, 0xa2, 0x70, 0x79, 0x6c, 0x94 };
	static const char *const secrets_of_rfc[] = { "YWJjZGVmZ2gK",
		"YWJjZGVmZ2g=" };
	struct mtrk m;
	const char *why;

	(void)state;
	assert_int_equal(
	    mtrk_parse(SPAN("c0uosxl10NuuTW4kn06NonB5bJQ"), &m, &why), MTRK_OK);
	assert_memory_equal(m.certifier, sha0, sizeof sha0);
	for (size_t i = 0; i < ARRAY_LEN(secrets_of_rfc); i++) {
		struct span base64 = span_of(secrets_of_rfc[i]);
		unsigned char secret[16], hash[CERTIFIER_LEN];
		size_t n;

		assert_int_equal(
		    base64_decode(base64, secret, sizeof secret, &n), MTRK_OK);
		assert_int_equal(crypto_sha1(secret, n, hash), MTRK_OK);
		assert_false(crypto_equal(hash, m.certifier, sizeof hash));
		/* A2: nor the hash of the base64 text */
		assert_int_equal(
		    crypto_sha1(base64.p, base64.n, hash), MTRK_OK);
		assert_false(crypto_equal(hash, m.certifier, sizeof hash));
	}
}

/* S24, A14 */
static void
fqhn_hashes(void **state)
{
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(list("fqhn_hash"), i, row)
	{
		char hash[CERTIFIER_TEXT + 1], xtext[3 * CERTIFIER_TEXT + 1];

		assert_int_equal(
		    fqhn_hash(span_of(text(row, "fqhn")), hash), MTRK_OK);
		same(row, "sha1_b64_27", hash);
		assert_int_equal(
		    xtext_encode(span_of(hash), xtext, sizeof xtext), MTRK_OK);
		same(row, "xtext", xtext);
		assert_int_equal(strlen(xtext), number(row, "xtext_len"));
		assert_int_equal(ENVID_MAX - 1 - strlen(xtext),
		    number(row, "max_local_envid"));
	}
}

/* D2 */
static void
xtexts(void **state)
{
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(list("xtext"), i, row)
	{
		char out[OCTETS];
		size_t n;

		assert_int_equal(
		    xtext_encode(span_of(text(row, "plain")), out, sizeof out),
		    MTRK_OK);
		same(row, "xtext", out);
		assert_int_equal(xtext_decode(span_of(text(row, "xtext")), out,
				     sizeof out - 1, &n),
		    MTRK_OK);
		out[n] = '\0';
		same(row, "plain", out);
	}
}

/* Q36, Q38, A33 */
static void
uris(void **state)
{
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(list("uris"), i, row)
	{
		char host[HOST_MAX + 1], out[URI_MAX + 1];
		struct mtqp_uri u;
		uint16_t port;

		assert_int_equal(
		    hostport_parse(span_of(text(row, "host")), host, &port),
		    MTRK_OK);
		assert_int_equal(
		    uri_parse(span_of(text(row, "uri")), &u), MTRK_OK);
		assert_string_equal(u.host, host);
		assert_int_equal(u.port, port);
		same(row, "envid", u.envid);
		same(row, "secret", u.secret);
		assert_int_equal(uri_format(&u, out, sizeof out), MTRK_OK);
		same(row, "uri", out);
	}
}

/* Never twice, wherever a thread's supply ends. */
static void
nonces(void **state)
{
	enum { N = 700, SIZE = 12 };
	static char nonce[N][SIZE];

	(void)state;
	for (size_t i = 0; i < N; i++)
		assert_int_equal(crypto_nonce(nonce[i], SIZE), MTRK_OK);
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(nonce[i], nonce[k], SIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets),
		cmocka_unit_test(sha0_is_refused),
		cmocka_unit_test(fqhn_hashes),
		cmocka_unit_test(xtexts),
		cmocka_unit_test(uris),
		cmocka_unit_test(nonces),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
