#include "common/crypto.h"

#include <pthread.h>
#include <string.h>

#include "common/openssl.h"

enum { NONCES = 1536 /* octets that a thread gets ready at a time; ours */ };

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
