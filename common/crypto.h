/*
 * common/crypto.h -- OpenSSL's primitives: SHA-1 as RFC 3885 wants it, random
 * octets, constant-time comparison.  TLS is in tls.h.
 */
#ifndef MTRK_COMMON_CRYPTO_H
#define MTRK_COMMON_CRYPTO_H

#include "common/err.h"
#include "common/mtrk.h"

/* certifier = SHA-1 of exactly these octets (A2).  MTRK_NOMEM. */
enum mtrk_err crypto_sha1(
    const void *, size_t, unsigned char out[CERTIFIER_LEN]);
enum mtrk_err crypto_random(void *, size_t); /* MTRK_IO */
/* The same, cheaply, for what has to be unlike but is no secret: some are made
 * ready at a time.  Not for both sides of a fork().  MTRK_IO. */
enum mtrk_err crypto_nonce(void *, size_t);
/* Takes the same time wherever they differ. */
bool crypto_equal(const void *, const void *, size_t);
const char *crypto_version(void);
/* Overwrite a secret that is no longer needed. */
void crypto_wipe(void *, size_t);

#endif
