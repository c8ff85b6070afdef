/* common/openssl.h -- the one door to OpenSSL: for crypto.c and tls*.c. */
#ifndef MTRK_COMMON_OPENSSL_H
#define MTRK_COMMON_OPENSSL_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#endif
