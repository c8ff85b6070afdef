/*
 * common/net.h -- what a server asks of the socket layer.
 */
#ifndef MTRK_COMMON_NET_H
#define MTRK_COMMON_NET_H

#include <stddef.h>
#include <stdint.h>

struct sockaddr;

/* A listening, non-blocking socket on a numeric address, or -1 and errno
 * (EINVAL: no such address).  IPv6 sockets take IPv6 only. */
int net_listen(const char *host, uint16_t port);
/* What a server sets on an accepted socket; the peer's numeric address. */
void net_accepted(
    int fd, const struct sockaddr *, size_t, char *peer, size_t peer_size);
/* Raise the soft limit of descriptors to `n`, or as near as allowed. */
void net_allow_descriptors(unsigned n);

#endif
