/*
 * mtqp/certificates.h -- the certificates that mtrk.conf names: TLSCertificate
 * with TLSKey, then every TLSAlso, read through a keeper so that they can be
 * read again after the rights are gone.
 */
#ifndef MTRK_MTQP_CERTIFICATES_H
#define MTRK_MTQP_CERTIFICATES_H

#include "common/conf.h"
#include "common/keeper.h"
#include "common/tls.h"

enum { CERTIFICATES_WHY_MAX = 2304 };

/* NULL in *out where no certificate is configured. */
enum mtrk_err certificates_keeper(const struct conf *, struct keeper **out);
/* All of them, or none and `why` names the file. */
enum mtrk_err certificates_load(
    const struct conf *, struct keeper *, struct tls_ctx **out, char *why);

#endif
