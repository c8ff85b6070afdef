/*
 * mtqp/token.h -- what tracks one message: a unique-envid, a secret and its
 * certifier (RFC 3885 3).
 */
#ifndef MTRK_MTQP_TOKEN_H
#define MTRK_MTQP_TOKEN_H

#include "common/mtrk.h"

struct token {
	char envid[3 * ENVID_MAX + 1]; /* xtext */
	char secret[SECRET_TEXT + 1]; /* padded base64 of 16 octets */
	struct mtrk mtrk;
	char certifier[CERTIFIER_TEXT + 2];
};

enum {
	STAMP_TEXT = 9, /* 45 bits: up to the year 3084 */
	LOCAL_TEXT = STAMP_TEXT + 14, /* and 80 random bits (S25) */
};

/*
 * envid: milliseconds since 1970 in nine characters whose order is that of
 * time, then chance, "@", and the host or its hash (S24): neighbours in time
 * are neighbours in a store that is ordered by envid.
 */
enum mtrk_err token_make(const char *host, int64_t now_ms, struct token *out);

#endif
