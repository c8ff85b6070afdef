#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/tls_private.h"

enum { PEM_MAX = 1 << 20 /* octets of a file; ours */ };

const char *
tls_openssl_says(void)
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

void
tls_ctx_release(struct tls_ctx *c)
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
		tls_ctx_release(c);
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

/* Else OpenSSL would ask whoever is at the terminal. */
static int
no_passphrase(char *to, int size, int writes, void *asked)
{
	(void)to;
	(void)size;
	(void)writes;
	*(bool *)asked = true;
	return -1;
}

/* OpenSSL itself doesn't compare a key with a certificate of another kind:
 * RSA's, and one for ECDSA. */
static bool
use_key(SSL_CTX *ctx, struct span pem, bool *locked)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key =
	    PEM_read_bio_PrivateKey(in, NULL, no_passphrase, locked);
	bool ok = key != NULL &&
	    X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) == 1 &&
	    SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	BIO_free(in);
	return ok;
}

static bool
load_pair(SSL_CTX *ctx, const struct tls_pem *p, char *why, size_t size)
{
	bool locked = false;

	if (!use_chain(ctx, p->cert)) {
		snprintf(why, size, "certificate %s: %s", p->cert_name,
		    tls_openssl_says());
		return false;
	}
	if (use_key(ctx, p->key, &locked))
		return true;
	snprintf(why, size, "key %s (of %s): %s", p->key_name, p->cert_name,
	    locked ? "it has a passphrase, which nobody is there to give"
		   : tls_openssl_says());
	ERR_clear_error();
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

SSL_CTX *
tls_ctx_choose(const struct tls_ctx *c, const char *fqdn, const char *sni)
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
	if ((ctx = tls_ctx_choose(t->chooses, t->fqdn, sni)) != NULL) {
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
		snprintf(why, why_size, "TLS: %s", tls_openssl_says());
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
tls_ctx_new(struct tls_ctx **out)
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
		snprintf(why, why_size, "certificate %s: %m", cert);
	} else if (!read_whole(key, &k)) {
		snprintf(why, why_size, "key %s: %m", key);
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
	enum mtrk_err err = tls_ctx_new(out);

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
	return tls_ctx_choose(c, fqdn, NULL) != NULL;
}

enum mtrk_err
tls_client_new(
    const char *ca_file, struct tls_ctx **out, char *why, size_t why_size)
{
	struct tls_ctx *c;

	if (tls_ctx_new(out) != MTRK_OK ||
	    ((c = *out)->ctx[0] = ssl_ctx_new(TLS_client_method())) == NULL) {
		snprintf(why, why_size, "TLS: %s", tls_openssl_says());
		tls_ctx_free(out);
		return MTRK_NOMEM;
	}
	c->n = 1;
	if (ca_file == NULL) {
		SSL_CTX_set_default_verify_paths(c->ctx[0]);
		return MTRK_OK;
	}
	if (access(ca_file, R_OK) == -1)
		snprintf(why, why_size, "%s: %m", ca_file);
	else if (SSL_CTX_load_verify_file(c->ctx[0], ca_file) == 1)
		return MTRK_OK;
	else
		snprintf(why, why_size, "%s: %s", ca_file, tls_openssl_says());
	tls_ctx_free(out);
	return MTRK_IO;
}
