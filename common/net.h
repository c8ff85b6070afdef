/*
 * common/net.h -- what a server asks of the socket layer.
 */
#ifndef MTRK_COMMON_NET_H
#define MTRK_COMMON_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/span.h"

struct sockaddr;
struct sockaddr_storage;

/* A listening, non-blocking socket on a numeric address, or -1 and errno
 * (EINVAL: no such address).  IPv6 sockets take IPv6 only. */
int net_listen(const char *host, uint16_t port);
/* The same at a path (ENAMETOOLONG: longer than unix(7) has it), where a
 * socket that was left is removed. */
int net_listen_local(const char *path);

/* An address in 16 octets, IPv4 as ::ffff:a.b.c.d; zero: neither. */
struct net_ip {
	unsigned char b[16];
};
struct net_ip net_ip_of(const struct sockaddr *);
/* As it is written; false: not a numeric address. */
bool net_ip_parse(struct span, struct net_ip *);
bool net_is_address(const char *);
/* The same with a port, for connect(2): its size; 0: not an address. */
size_t net_address(const char *, uint16_t port, struct sockaddr_storage *out);
/* Addresses whose first `bits` are those of `ip`. */
struct net_range {
	struct net_ip ip;
	unsigned bits; /* of the 16 octets */
};
/* "192.0.2.0/24", "2001:db8::/32", "192.0.2.1".  False: none of these. */
bool net_range_parse(struct span, struct net_range *);
bool net_range_has(const struct net_range *, const struct net_ip *);
struct net_ip net_ip_cut(const struct net_ip *, unsigned bits); /* rest is 0 */
bool net_ip_is_v4(const struct net_ip *);

/* What a server sets on an accepted socket; the peer's numeric address, or
 * "unknown". */
void net_accepted(
    int fd, const struct sockaddr *, size_t, char *peer, size_t peer_size);
/*
 * Begin to connect; the non-blocking socket is writable once that has ended,
 * well or not.  From the address of `from`, which may be another host's
 * (IP_TRANSPARENT, needs CAP_NET_ADMIN), unless it is NULL.  -1 and errno.
 */
int net_connect(
    const struct sockaddr *to, size_t to_size, const struct sockaddr *from);
int net_connected(int fd); /* 0, or the errno of why not */
/* Raise the soft limit of descriptors to `n`, or as near as allowed. */
void net_allow_descriptors(unsigned n);

#endif
