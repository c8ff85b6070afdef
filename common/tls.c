#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/net.h"
#include "common/tls_private.h"

struct tls *
tls_accept(struct tls_ctx *c, int fd, const char *fqdn)
{
	SSL_CTX *ctx = tls_ctx_choose(c, fqdn, NULL);
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
	if (net_is_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(
			   SSL_get0_param(ssl), name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return SSL_set_tlsext_host_name(ssl, name) == 1 &&
	    SSL_set1_host(ssl, name) == 1;
}

/* Of nobody OpenSSL says X509_V_OK, too: SSL_get_verify_result(3). */
static void
keep_verdict(struct tls *t)
{
	const bool nobody = SSL_get0_peer_certificate(t->ssl) == NULL;
	long verdict = SSL_get_verify_result(t->ssl);

	t->verified = !nobody && verdict == X509_V_OK;
	t->why_not = t->verified ? NULL
	    : nobody             ? "it has none"
				 : X509_verify_cert_error_string(verdict);
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
		tls_ctx_release(t->chooses);
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
		t->why_not = ERR_peek_error() != 0 ? tls_openssl_says()
						   : "connection lost";
		return TLS_FAILED;
	}
}

bool
tls_pending(const struct tls *t)
{
	return t != NULL && SSL_pending(t->ssl) > 0;
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
