/*
 * common/mtrk.h -- what RFC 3885 adds to MAIL: the MTRK value, the
 * unique-envid; and ORCPT of RFC 3461.
 */
#ifndef MTRK_COMMON_MTRK_H
#define MTRK_COMMON_MTRK_H

#include "common/err.h"
#include "common/span.h"

enum {
	CERTIFIER_LEN = 20, /* SHA-1, RFC 3885 3.1 */
	CERTIFIER_TEXT = 27, /* the same as unpadded base64 (S18) */
	SECRET_MIN = 16, /* octets, RFC 3885 3.1 (S12) */
	SECRET_MAX = 128,
	SECRET_TEXT = 172, /* SECRET_MAX as padded base64 */
	MTRK_TIMEOUT_MAX = 999999999, /* seconds, 1*9DIGIT (S17) */
	ENVID_MAX = 100, /* RFC 3885 3.2, RFC 3461 5.4, as sent (A49) */
	ORCPT_MAX = 500, /* RFC 3461 5.4, as sent (A49) */
	ADDR_TYPE_MAX = 32, /* ours: IANA's longest is 7 */
	ADDRESS_MAX = 512, /* ours: RFC 5321 4.5.3.1.3 asks for 256 */
};

/* A message's mark as its MAIL command carried it. */
struct mtrk {
	unsigned char certifier[CERTIFIER_LEN];
	bool has_timeout;
	uint32_t timeout_s; /* if has_timeout */
};

/*
 * mtrk-parameter's value: certifier [ ":" timeout ] (S17, A5, A6).
 * Accepts an unpadded and a padded certifier of exactly 20 octets.
 * MTRK_SYNTAX sets *why to a static text that fits behind "501 5.5.4 ".
 */
enum mtrk_err mtrk_parse(struct span value, struct mtrk *out, const char **why);
/* "27chars[:timeout]"; out of MTRK_TEXT octets always has room. */
enum { MTRK_TEXT = CERTIFIER_TEXT + 1 + 9 + 1 };
void mtrk_format(const struct mtrk *, char out[MTRK_TEXT]);

/*
 * unique-envid as sent (xtext), S22, decoded and NUL-terminated.  MTRK_SYNTAX
 * and MTRK_TOOBIG set *why as mtrk_parse() does.
 * An "@" with text on both sides is required (A12), and printable ASCII (D4).
 */
enum mtrk_err envid_parse(
    struct span wire, char out[ENVID_MAX + 1], const char **why);

/*
 * addr-type ";" xtext (D3), or "utf-8;" and UTF-8 (D15), decoded.
 * MTRK_SYNTAX, MTRK_TOOBIG.
 */
struct orcpt {
	char type[ADDR_TYPE_MAX + 1];
	char addr[ORCPT_MAX + 1];
};
enum mtrk_err orcpt_parse(struct span wire, struct orcpt *out);

/* base64(SHA-1(lower-cased fqhn)), 27 characters, for S24 and A14.
 * MTRK_TOOBIG beyond FQHN_MAX octets. */
enum { FQHN_MAX = 255 }; /* RFC 1035 2.3.4 */
enum mtrk_err fqhn_hash(struct span fqhn, char out[CERTIFIER_TEXT + 1]);

#endif
