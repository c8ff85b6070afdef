/*
 * common/tls.h -- TLS 1.2 and later (RFC 8996): contexts with certificates or
 * authorities, and connections.
 */
#ifndef MTRK_COMMON_TLS_H
#define MTRK_COMMON_TLS_H

#include "common/err.h"
#include "common/span.h"

struct tls_ctx;

/* Without a certificate; a server's get theirs by tls_server_add().
 * MTRK_NOMEM. */
enum mtrk_err tls_ctx_new(struct tls_ctx **out);
void tls_ctx_free(struct tls_ctx **); /* NULL is fine */

/*
 * A server's certificate chain and key (PEM).  On failure *out is NULL and
 * `why` says which file and what OpenSSL said: MTRK_IO, MTRK_NOMEM.  More pairs
 * may be added: the first whose dNSNames cover the names that a client gives is
 * used, the very first if it gives none (A43).  Sessions are resumed by
 * tickets.
 */
enum mtrk_err tls_server_new(const char *cert, const char *key,
    struct tls_ctx **out, char *why, size_t why_size);
struct tls_pem { /* the files' contents, and names for `why` */
	const char *cert_name, *key_name;
	struct span cert, key;
};
enum mtrk_err tls_server_add_pem(
    struct tls_ctx *, const struct tls_pem *, char *why, size_t why_size);
enum mtrk_err tls_server_add(struct tls_ctx *, const char *cert,
    const char *key, char *why, size_t why_size);
/* True if a certificate's dNSNames name this host (Q27; wildcards as in
 * RFC 6125). */
bool tls_server_covers(const struct tls_ctx *, const char *fqdn);

/* A client that trusts the system's authorities (NULL), or those in `ca_file`.
 * Outcomes as tls_server_new(). */
enum mtrk_err tls_client_new(
    const char *ca_file, struct tls_ctx **out, char *why, size_t why_size);

struct tls;
/*
 * As the server, on a non-blocking socket that was accepted.  `fqdn`: the
 * certificate must cover it, and the client's SNI too; NULL: SNI alone
 * chooses.  NULL: no memory, or no such certificate.  The context may be
 * freed before the handshake is over.
 */
struct tls *tls_accept(struct tls_ctx *, int fd, const char *fqdn);
enum tls_step { TLS_DONE, TLS_WANTS_READ, TLS_WANTS_WRITE, TLS_FAILED };
/*
 * As a client; for `name`, of the DNS or an address, or for anybody if it is
 * NULL.  The handshake ends well even if the certificate does not fit it: ask
 * tls_verified().  NULL: no memory.
 */
struct tls *tls_connecting(struct tls_ctx *, int fd, const char *name);
/* TLS_FAILED: tls_verified() says why. */
enum tls_step tls_handshake(struct tls *);
bool tls_pending(const struct tls *); /* read already; NULL: false */

/* *why_not is static. */
bool tls_verified(const struct tls *, const char **why_not);
const char *tls_protocol(const struct tls *); /* "TLSv1.3" */
/* SHA-256 of the peer's public key (SubjectPublicKeyInfo): what stays when a
 * certificate is renewed.  False: the peer has none. */
enum { TLS_KEY_LEN = 32 };
bool tls_peer_key(const struct tls *, unsigned char out[TLS_KEY_LEN]);
/* As read(2) and write(2): octets, 0 at the end, -1 and errno on failure. */
ptrdiff_t tls_read(struct tls *, void *, size_t);
ptrdiff_t tls_write(struct tls *, const void *, size_t);
void tls_free(struct tls **); /* the socket stays open */

#endif
