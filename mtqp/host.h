/*
 * mtqp/host.h -- a host's name as people write it: one beyond ASCII, in UTF-8,
 * is taken as the DNS has it ("xn--...": IDNA2008, mapped by UTS 46).  The one
 * door to libidn2.
 */
#ifndef MTRK_MTQP_HOST_H
#define MTRK_MTQP_HOST_H

#include "common/uri.h"

/* Otherwise as hostport_parse(). */
enum mtrk_err host_parse(struct span, char host[HOST_MAX + 1], uint16_t *port);
/* The same without a port. */
bool host_name(struct span, char host[HOST_MAX + 1]);

const char *host_idn_version(void);

#endif
