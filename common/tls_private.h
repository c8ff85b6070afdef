/*
 * common/tls_private.h -- what tls.c and tls_ctx.c share: OpenSSL's handles.
 */
#ifndef MTRK_COMMON_TLS_PRIVATE_H
#define MTRK_COMMON_TLS_PRIVATE_H

#include <stdatomic.h>

#include "common/openssl.h"
#include "common/tls.h"

enum { PAIRS_MAX = 64 /* certificates of one server; ours */ };

struct tls_ctx {
	SSL_CTX *ctx[PAIRS_MAX]; /* a client has one, a server one a pair */
	size_t n;
	atomic_uint users; /* its owner, and handshakes that may still choose */
};

struct tls {
	SSL *ssl;
	struct tls_ctx *chooses; /* during a server's handshake */
	char *fqdn; /* that STARTTLS named; NULL: none */
	bool verified;
	const char *why_not;
};

/* The first pair that covers both names; NULL is no name. */
SSL_CTX *tls_ctx_choose(
    const struct tls_ctx *, const char *fqdn, const char *sni);
/* Stays until the last handshake that may choose from it is over. */
void tls_ctx_release(struct tls_ctx *);
/* The oldest error in OpenSSL's queue, which is then emptied. */
const char *tls_openssl_says(void);

#endif
