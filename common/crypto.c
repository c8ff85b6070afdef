#include "common/crypto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PAIRS_MAX = 64, /* certificates of one server; ours */
	PEM_MAX = 1 << 20, /* octets of a file; ours */
	NONCES = 1536, /* octets that a thread gets ready at a time; ours */
};

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

static EVP_MD *sha1;
static pthread_key_t hashers;

static void
free_hasher(void *ctx)
{
	EVP_MD_CTX_free(ctx);
}

static void
fetch_sha1(void)
{
	if (pthread_key_create(&hashers, free_hasher) == 0)
		sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
}

/* Fetched once, and a context kept for each thread: to find and make them
 * takes longer than to use them.  It keeps nothing of what was hashed. */
static EVP_MD_CTX *
hasher(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	EVP_MD_CTX *ctx;

	pthread_once(&once, fetch_sha1);
	if (sha1 == NULL)
		return NULL;
	if ((ctx = pthread_getspecific(hashers)) == NULL &&
	    (ctx = EVP_MD_CTX_new()) != NULL &&
	    pthread_setspecific(hashers, ctx) != 0) {
		EVP_MD_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

enum mtrk_err
crypto_sha1(const void *p, size_t n, unsigned char out[CERTIFIER_LEN])
{
	EVP_MD_CTX *ctx = hasher();

	return ctx != NULL && EVP_DigestInit_ex(ctx, sha1, NULL) == 1 &&
		EVP_DigestUpdate(ctx, p, n) == 1 &&
		EVP_DigestFinal_ex(ctx, out, NULL) == 1
	    ? MTRK_OK
	    : MTRK_NOMEM;
}

enum mtrk_err
crypto_random(void *p, size_t n)
{
	return RAND_bytes(p, (int)n) == 1 ? MTRK_OK : MTRK_IO;
}

enum mtrk_err
crypto_nonce(void *p, size_t n)
{
	static _Thread_local unsigned char pool[NONCES];
	static _Thread_local size_t left;

	if (n > sizeof pool)
		return crypto_random(p, n);
	if (left < n) {
		if (crypto_random(pool, sizeof pool) != MTRK_OK)
			return MTRK_IO;
		left = sizeof pool;
	}
	left -= n;
	memcpy(p, pool + left, n);
	return MTRK_OK;
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

static SSL_CTX *
ssl_ctx_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY |
		SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

/* Stays until the last handshake that may choose from it is over. */
static void
ctx_release(struct tls_ctx *c)
{
	if (atomic_fetch_sub(&c->users, 1) > 1)
		return;
	for (size_t i = 0; i < c->n; i++)
		SSL_CTX_free(c->ctx[i]);
	free(c);
}

void
tls_ctx_free(struct tls_ctx **cp)
{
	struct tls_ctx *c = *cp;

	*cp = NULL;
	if (c != NULL)
		ctx_release(c);
}

/* The first certificate is ours, the others its chain. */
static bool
use_chain(SSL_CTX *ctx, struct span pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *cert = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL);
	bool ok = cert != NULL && SSL_CTX_use_certificate(ctx, cert) == 1;

	X509_free(cert);
	while (ok && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
			X509_free(cert);
			ok = false;
		}
	BIO_free(in);
	if (ok)
		ERR_clear_error(); /* "no start line": the end */
	return ok;
}

static bool
use_key(SSL_CTX *ctx, struct span pem)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	bool ok = key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	BIO_free(in);
	return ok;
}

static bool
load_pair(SSL_CTX *ctx, const struct tls_pem *p, char *why, size_t size)
{
	if (!use_chain(ctx, p->cert))
		snprintf(why, size, "TLSCertificate %s: %s", p->cert_name,
		    openssl_says());
	else if (!use_key(ctx, p->key))
		snprintf(why, size, "TLSKey %s (of %s): %s", p->key_name,
		    p->cert_name, openssl_says());
	else
		return true;
	return false;
}

static bool
ctx_covers(const SSL_CTX *ctx, const char *fqdn)
{
	X509 *cert = SSL_CTX_get0_certificate(ctx);

	return cert != NULL &&
	    X509_check_host(
		cert, fqdn, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* The first pair that covers both names; NULL is no name. */
static SSL_CTX *
choose(const struct tls_ctx *c, const char *fqdn, const char *sni)
{
	for (size_t i = 0; i < c->n; i++)
		if ((fqdn == NULL || ctx_covers(c->ctx[i], fqdn)) &&
		    (sni == NULL || ctx_covers(c->ctx[i], sni)))
			return c->ctx[i];
	return NULL;
}

/* A43: STARTTLS and SNI must not disagree.  Where there is only SNI, a client
 * that asks for another host gets the first certificate, and sees. */
static int
on_server_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls *t = SSL_get_app_data(ssl);
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *ctx;

	(void)arg;
	if (sni == NULL || t->chooses == NULL)
		return SSL_TLSEXT_ERR_OK;
	if ((ctx = choose(t->chooses, t->fqdn, sni)) != NULL) {
		SSL_set_SSL_CTX(ssl, ctx);
		return SSL_TLSEXT_ERR_OK;
	}
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	return t->fqdn != NULL ? SSL_TLSEXT_ERR_ALERT_FATAL
			       : SSL_TLSEXT_ERR_NOACK;
}

enum mtrk_err
tls_server_add_pem(
    struct tls_ctx *c, const struct tls_pem *pem, char *why, size_t why_size)
{
	static const unsigned char session_id[] = "mtrk";
	SSL_CTX *ctx =
	    c->n < PAIRS_MAX ? ssl_ctx_new(TLS_server_method()) : NULL;

	if (ctx == NULL) {
		snprintf(why, why_size, "TLS: %s", openssl_says());
		return MTRK_NOMEM;
	}
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_id_context(ctx, session_id, sizeof session_id - 1);
	/* sessions are resumed by tickets, which cost us no memory */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
	if (!load_pair(ctx, pem, why, why_size)) {
		SSL_CTX_free(ctx);
		return MTRK_IO;
	}
	c->ctx[c->n++] = ctx;
	return MTRK_OK;
}

enum mtrk_err
tls_server_empty(struct tls_ctx **out)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return MTRK_NOMEM;
	(*out)->users = 1;
	return MTRK_OK;
}

static bool
read_whole(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char bytes[4096];
	size_t n;
	bool ok;

	if (f == NULL)
		return false;
	while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
		buf_add(out, bytes, n);
	ok = !ferror(f) && out->err == MTRK_OK;
	fclose(f);
	return ok;
}

enum mtrk_err
tls_server_add(struct tls_ctx *ctx, const char *cert, const char *key,
    char *why, size_t why_size)
{
	struct buf c = BUF(PEM_MAX), k = BUF(PEM_MAX);
	enum mtrk_err err = MTRK_IO;
	struct tls_pem pem = { .cert_name = cert, .key_name = key };

	if (!read_whole(cert, &c)) {
		snprintf(why, why_size, "TLSCertificate %s: %m", cert);
	} else if (!read_whole(key, &k)) {
		snprintf(why, why_size, "TLSKey %s: %m", key);
	} else {
		pem.cert = buf_as_span(&c);
		pem.key = buf_as_span(&k);
		err = tls_server_add_pem(ctx, &pem, why, why_size);
	}
	if (k.n > 0)
		crypto_wipe(k.p, k.n);
	buf_free(&c);
	buf_free(&k);
	return err;
}

enum mtrk_err
tls_server_new(const char *cert, const char *key, struct tls_ctx **out,
    char *why, size_t why_size)
{
	enum mtrk_err err = tls_server_empty(out);

	if (err != MTRK_OK) {
		snprintf(why, why_size, "out of memory");
		return err;
	}
	err = tls_server_add(*out, cert, key, why, why_size);
	if (err != MTRK_OK)
		tls_ctx_free(out);
	return err;
}

bool
tls_server_covers(const struct tls_ctx *c, const char *fqdn)
{
	return choose(c, fqdn, NULL) != NULL;
}

struct tls *
tls_accept(struct tls_ctx *c, int fd, const char *fqdn)
{
	SSL_CTX *ctx = choose(c, fqdn, NULL);
	struct tls *t = calloc(1, sizeof *t);

	if (t == NULL || ctx == NULL || (t->ssl = SSL_new(ctx)) == NULL ||
	    (fqdn != NULL && (t->fqdn = strdup(fqdn)) == NULL) ||
	    SSL_set_fd(t->ssl, fd) != 1) {
		tls_free(&t);
		return NULL;
	}
	SSL_set_app_data(t->ssl, t);
	SSL_set_accept_state(t->ssl);
	t->chooses = c;
	c->users++;
	return t;
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

struct tls *
tls_connecting(struct tls_ctx *c, int fd, const char *name)
{
	struct tls *t = calloc(1, sizeof *t);

	if (t == NULL || (t->ssl = SSL_new(c->ctx[0])) == NULL ||
	    SSL_set_fd(t->ssl, fd) != 1 ||
	    (name != NULL && !expect_name(t->ssl, name))) {
		tls_free(&t);
		return NULL;
	}
	SSL_set_verify(t->ssl, SSL_VERIFY_NONE, NULL);
	SSL_set_connect_state(t->ssl);
	return t;
}

/* What only a handshake needs. */
static void
end_handshake(struct tls *t)
{
	free(t->fqdn);
	t->fqdn = NULL;
	if (t->chooses != NULL)
		ctx_release(t->chooses);
	t->chooses = NULL;
}

enum tls_step
tls_handshake(struct tls *t)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(t->ssl);
	if (rc == 1) {
		keep_verdict(t);
		end_handshake(t);
		return TLS_DONE;
	}
	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANTS_WRITE;
	default:
		t->why_not =
		    ERR_peek_error() != 0 ? openssl_says() : "connection lost";
		return TLS_FAILED;
	}
}

bool
tls_pending(const struct tls *t)
{
	return t != NULL && SSL_pending(t->ssl) > 0;
}

enum mtrk_err
tls_client_new(
    const char *ca_file, struct tls_ctx **out, char *why, size_t why_size)
{
	struct tls_ctx *c;

	if (tls_server_empty(out) != MTRK_OK ||
	    ((c = *out)->ctx[0] = ssl_ctx_new(TLS_client_method())) == NULL) {
		snprintf(why, why_size, "TLS: %s", openssl_says());
		tls_ctx_free(out);
		return MTRK_NOMEM;
	}
	c->n = 1;
	if (ca_file == NULL) {
		SSL_CTX_set_default_verify_paths(c->ctx[0]);
		return MTRK_OK;
	}
	if (SSL_CTX_load_verify_file(c->ctx[0], ca_file) == 1)
		return MTRK_OK;
	snprintf(why, why_size, "%s: %s", ca_file, openssl_says());
	tls_ctx_free(out);
	return MTRK_IO;
}

enum mtrk_err
tls_connect(struct tls_ctx *c, int fd, const char *name, struct tls **out,
    char *why, size_t why_size)
{
	struct tls *t = calloc(1, sizeof *t);

	*out = t;
	if (t == NULL || (t->ssl = SSL_new(c->ctx[0])) == NULL) {
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

bool
tls_peer_key(const struct tls *t, unsigned char out[TLS_KEY_LEN])
{
	X509 *cert = SSL_get1_peer_certificate(t->ssl);
	unsigned char *der = NULL;
	int n = cert != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der)
			     : -1;
	bool ok = n > 0 &&
	    EVP_Digest(der, (size_t)n, out, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	X509_free(cert);
	return ok;
}

/* errno as of a socket's; 0 at the peer's end. */
static ptrdiff_t
failed(const struct tls *t)
{
	int what = SSL_get_error(t->ssl, 0);

	if (what == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE)
		errno = EAGAIN;
	else if (what != SSL_ERROR_SYSCALL)
		errno = EPROTO;
	ERR_clear_error();
	return -1;
}

ptrdiff_t
tls_read(struct tls *t, void *p, size_t n)
{
	size_t got = 0;

	ERR_clear_error();
	return SSL_read_ex(t->ssl, p, n, &got) == 1 ? (ptrdiff_t)got
						    : failed(t);
}

ptrdiff_t
tls_write(struct tls *t, const void *p, size_t n)
{
	size_t sent = 0;

	ERR_clear_error();
	if (SSL_write_ex(t->ssl, p, n, &sent) == 1)
		return (ptrdiff_t)sent;
	(void)failed(t);
	return -1;
}

void
tls_free(struct tls **tp)
{
	struct tls *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	if (t->ssl != NULL && SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
	ERR_clear_error();
	end_handshake(t);
	SSL_free(t->ssl);
	free(t);
}
