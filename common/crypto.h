/*
 * common/crypto.h -- the one door to OpenSSL: SHA-1 as RFC 3885 wants it,
 * random octets, constant-time comparison, TLS contexts (TLS 1.2 and later,
 * RFC 8996).
 */
#ifndef MTRK_COMMON_CRYPTO_H
#define MTRK_COMMON_CRYPTO_H

#include "common/err.h"
#include "common/mtrk.h"
#include "common/span.h"

/* certifier = SHA-1 of exactly these octets (A2). */
enum mtrk_err crypto_sha1(
    const void *, size_t, unsigned char out[CERTIFIER_LEN]);
enum mtrk_err crypto_random(void *, size_t);
/* Takes the same time wherever they differ. */
bool crypto_equal(const void *, const void *, size_t);
const char *crypto_version(void);
/* Overwrite a secret that is no longer needed. */
void crypto_wipe(void *, size_t);

struct ssl_st; /* OpenSSL's SSL; only this file and libevent look inside */
struct tls_ctx;

/*
 * A server's certificate chain and key (PEM).  On failure *out is NULL and
 * `why` says which file and what OpenSSL said.
 */
enum mtrk_err tls_server_new(const char *cert, const char *key,
    struct tls_ctx **out, char *why, size_t why_size);
/* True if the certificate's dNSNames name this host (Q27; wildcards as in
 * RFC 6125). */
bool tls_server_covers(const struct tls_ctx *, const char *fqdn);
/* For an accepted connection; the caller, or libevent, frees it. */
struct ssl_st *tls_server_ssl(struct tls_ctx *);

/* A client that trusts the system's authorities, or those in `ca_file`. */
enum mtrk_err tls_client_new(
    const char *ca_file, struct tls_ctx **out, char *why, size_t why_size);
void tls_ctx_free(struct tls_ctx **); /* NULL is fine */

/*
 * TLS on a blocking client socket (its timeouts are the caller's, by
 * SO_RCVTIMEO and SO_SNDTIMEO).  The handshake ends well even if the
 * certificate does not fit `name`: ask tls_verified().
 */
struct tls;
enum mtrk_err tls_connect(struct tls_ctx *, int fd, const char *name,
    struct tls **out, char *why, size_t why_size);
bool tls_verified(const struct tls *, const char **why_not);
const char *tls_protocol(const struct tls *); /* "TLSv1.3" */
/* As read(2) and write(2): octets, 0 at the end, -1 on failure. */
ptrdiff_t tls_read(struct tls *, void *, size_t);
ptrdiff_t tls_write(struct tls *, const void *, size_t);
void tls_free(struct tls **); /* the socket stays open */

#endif
