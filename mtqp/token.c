#include "mtqp/token.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/encode.h"

enum { RANDOM = 10 }; /* octets: 80 bits, 14 characters of base64 */

/* The digits of RFC 4648's base32hex stand in the order of ASCII. */
static void
write_stamp(int64_t ms, char out[STAMP_TEXT])
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

	for (size_t i = STAMP_TEXT; i > 0; i--, ms >>= 5)
		out[i - 1] = digits[ms & 31];
}

/* S25: hard to collide, and nothing in it that xtext must escape. */
static enum mtrk_err
write_local(int64_t now_ms, char out[LOCAL_TEXT + 1])
{
	unsigned char octets[RANDOM];
	enum mtrk_err err = crypto_random(octets, sizeof octets);

	write_stamp(now_ms, out);
	if (err == MTRK_OK)
		err = base64_encode(octets, sizeof octets, BASE64_UNPADDED,
		    out + STAMP_TEXT, LOCAL_TEXT + 1 - STAMP_TEXT);
	for (char *p = out; err == MTRK_OK && *p != '\0'; p++)
		if (*p == '+' || *p == '/')
			*p = *p == '+' ? '-' : '_';
	return err;
}

/* S24: a name that is too long is replaced by its hash. */
static enum mtrk_err
make_envid(const char *host, int64_t now_ms, char *out, size_t size)
{
	char local[LOCAL_TEXT + 1], name[3 * FQHN_MAX + 1];
	char hash[CERTIFIER_TEXT + 1];
	enum mtrk_err err = write_local(now_ms, local);

	if (err == MTRK_OK)
		err = xtext_encode(span_of(host), name, sizeof name);
	if (err != MTRK_OK)
		return err;
	if (strlen(local) + 1 + strlen(name) > ENVID_MAX) {
		err = fqhn_hash(span_of(host), hash);
		if (err == MTRK_OK)
			err = xtext_encode(span_of(hash), name, sizeof name);
	}
	snprintf(out, size, "%s@%s", local, name);
	return err;
}

enum mtrk_err
token_make(const char *host, int64_t now_ms, struct token *t)
{
	unsigned char secret[SECRET_MIN];
	enum mtrk_err err = make_envid(host, now_ms, t->envid, sizeof t->envid);

	t->mtrk = (struct mtrk){ 0 };
	if (err == MTRK_OK)
		err = crypto_random(secret, sizeof secret);
	if (err == MTRK_OK)
		err = crypto_sha1(secret, sizeof secret, t->mtrk.certifier);
	if (err == MTRK_OK)
		err = base64_encode(secret, sizeof secret, BASE64_PADDED,
		    t->secret, sizeof t->secret);
	if (err == MTRK_OK)
		err = base64_encode(t->mtrk.certifier, CERTIFIER_LEN,
		    BASE64_UNPADDED, t->certifier, sizeof t->certifier);
	crypto_wipe(secret, sizeof secret);
	return err;
}
