/*
 * milter/proxy_header.h -- the header that tells a server behind a proxy whom
 * it talks to: PROXY protocol, version 2
 * (haproxy.org/download/2.6/doc/proxy-protocol.txt, 2.2).  Pure.
 */
#ifndef MTRK_MILTER_PROXY_HEADER_H
#define MTRK_MILTER_PROXY_HEADER_H

#include <stddef.h>

struct sockaddr;

enum { PROXY_HEADER_MAX = 16 + 36 };

/* Both of one family, IPv4 or IPv6.  Returns the header's length; of any other
 * family: "LOCAL", without addresses. */
size_t proxy_header(const struct sockaddr *client, const struct sockaddr *here,
    unsigned char out[PROXY_HEADER_MAX]);

#endif
