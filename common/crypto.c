#include "common/crypto.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

struct tls_ctx {
	SSL_CTX *ctx;
};

struct tls {
	SSL *ssl;
	bool verified;
	const char *why_not;
};

enum mtrk_err
crypto_sha1(const void *p, size_t n, unsigned char out[CERTIFIER_LEN])
{
	return EVP_Digest(p, n, out, NULL, EVP_sha1(), NULL) == 1 ? MTRK_OK
								  : MTRK_NOMEM;
}

enum mtrk_err
crypto_random(void *p, size_t n)
{
	return RAND_bytes(p, (int)n) == 1 ? MTRK_OK : MTRK_IO;
}

bool
crypto_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void
crypto_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

const char *
crypto_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

/* The oldest error in OpenSSL's queue, which is then emptied. */
static const char *
openssl_says(void)
{
	const char *text = ERR_reason_error_string(ERR_get_error());

	ERR_clear_error();
	return text != NULL ? text : "unknown TLS error";
}

static struct tls_ctx *
ctx_new(const SSL_METHOD *method)
{
	struct tls_ctx *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->ctx = SSL_CTX_new(method);
	if (c->ctx == NULL ||
	    SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) != 1)
		tls_ctx_free(&c);
	else
		SSL_CTX_set_mode(
		    c->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
	return c;
}

void
tls_ctx_free(struct tls_ctx **cp)
{
	struct tls_ctx *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}

static bool
load_pair(
    SSL_CTX *ctx, const char *cert, const char *key, char *why, size_t size)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		snprintf(
		    why, size, "TLSCertificate %s: %s", cert, openssl_says());
	else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		snprintf(why, size, "TLSKey %s: %s", key, openssl_says());
	else if (SSL_CTX_check_private_key(ctx) != 1)
		snprintf(why, size, "TLSKey %s is not that of %s: %s", key,
		    cert, openssl_says());
	else
		return true;
	return false;
}

enum mtrk_err
tls_server_new(const char *cert, const char *key, struct tls_ctx **out,
    char *why, size_t why_size)
{
	static const unsigned char session_id[] = "mtrk";

	*out = ctx_new(TLS_server_method());
	if (*out == NULL) {
		snprintf(why, why_size, "TLS: %s", openssl_says());
		return MTRK_NOMEM;
	}
	SSL_CTX_set_options((*out)->ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_id_context(
	    (*out)->ctx, session_id, sizeof session_id - 1);
	if (load_pair((*out)->ctx, cert, key, why, why_size))
		return MTRK_OK;
	tls_ctx_free(out);
	return MTRK_IO;
}

bool
tls_server_covers(const struct tls_ctx *c, const char *fqdn)
{
	X509 *cert = SSL_CTX_get0_certificate(c->ctx);

	return cert != NULL &&
	    X509_check_host(
		cert, fqdn, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

struct ssl_st *
tls_server_ssl(struct tls_ctx *c)
{
	return SSL_new(c->ctx);
}

enum mtrk_err
tls_client_new(
    const char *ca_file, struct tls_ctx **out, char *why, size_t why_size)
{
	*out = ctx_new(TLS_client_method());
	if (*out == NULL) {
		snprintf(why, why_size, "TLS: %s", openssl_says());
		return MTRK_NOMEM;
	}
	if (ca_file == NULL) {
		SSL_CTX_set_default_verify_paths((*out)->ctx);
		return MTRK_OK;
	}
	if (SSL_CTX_load_verify_file((*out)->ctx, ca_file) == 1)
		return MTRK_OK;
	snprintf(why, why_size, "%s: %s", ca_file, openssl_says());
	tls_ctx_free(out);
	return MTRK_IO;
}

/* Who it should be: a DNS name, or an address literal. */
static bool
expect_name(SSL *ssl, const char *name)
{
	unsigned char ip[16];

	if (inet_pton(AF_INET, name, ip) == 1 ||
	    inet_pton(AF_INET6, name, ip) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(
			   SSL_get0_param(ssl), name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return SSL_set_tlsext_host_name(ssl, name) == 1 &&
	    SSL_set1_host(ssl, name) == 1;
}

static void
keep_verdict(struct tls *t)
{
	long verdict = SSL_get_verify_result(t->ssl);

	t->verified = verdict == X509_V_OK;
	t->why_not =
	    t->verified ? NULL : X509_verify_cert_error_string(verdict);
}

enum mtrk_err
tls_connect(struct tls_ctx *c, int fd, const char *name, struct tls **out,
    char *why, size_t why_size)
{
	struct tls *t = calloc(1, sizeof *t);

	*out = t;
	if (t == NULL || (t->ssl = SSL_new(c->ctx)) == NULL) {
		tls_free(out);
		snprintf(why, why_size, "out of memory");
		return MTRK_NOMEM;
	}
	/* The chain is checked; what follows from it is the caller's. */
	SSL_set_verify(t->ssl, SSL_VERIFY_NONE, NULL);
	if (SSL_set_fd(t->ssl, fd) != 1 || !expect_name(t->ssl, name) ||
	    SSL_connect(t->ssl) != 1) {
		snprintf(why, why_size, "TLS handshake: %s", openssl_says());
		tls_free(out);
		return MTRK_IO;
	}
	keep_verdict(t);
	return MTRK_OK;
}

bool
tls_verified(const struct tls *t, const char **why_not)
{
	*why_not = t->why_not;
	return t->verified;
}

const char *
tls_protocol(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

ptrdiff_t
tls_read(struct tls *t, void *p, size_t n)
{
	size_t got = 0;

	ERR_clear_error();
	if (SSL_read_ex(t->ssl, p, n, &got) == 1)
		return (ptrdiff_t)got;
	return SSL_get_error(t->ssl, 0) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

ptrdiff_t
tls_write(struct tls *t, const void *p, size_t n)
{
	size_t put = 0;

	ERR_clear_error();
	return SSL_write_ex(t->ssl, p, n, &put) == 1 ? (ptrdiff_t)put : -1;
}

void
tls_free(struct tls **tp)
{
	struct tls *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	if (t->ssl != NULL)
		SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	free(t);
}
