/*
 * mtqp/discover.h -- which servers answer for a host, from its SRV records
 * (RFC 3887 2, RFC 2782), and which addresses a stranger may not send us to
 * (A45).  Pure: the DNS, the dice and the sockets are the caller's.
 */
#ifndef MTRK_MTQP_DISCOVER_H
#define MTRK_MTQP_DISCOVER_H

#include "common/dns.h"

/*
 * Put SRV records into the order in which to try them (RFC 2782 "Usage
 * rules"): by priority, and at random by weight within one.  `dice` gives a
 * number in 0..most, each equally often.  Targets "." are left out; MTRK_DENIED
 * if nothing else is there: the service is not offered (Q2a).
 */
enum mtrk_err discover_order(struct dns_host *, size_t *n,
    uint32_t (*dice)(void *arg, uint32_t most), void *arg);

/* RFC 8305 4: IPv6 and IPv4 in turn, beginning with the first one's kind, so
 * that where one of them leads nowhere the other is next. */
void discover_mix(struct dns_address *, size_t n);

/* True if the name can have SRV records: two labels or more, no address. */
bool discover_is_fqdn(const char *host);

/*
 * Not the public Internet: this host, private, link-local, shared and
 * multicast networks, and IPv4 of these kinds inside IPv6.  What is no
 * numeric address is private too.
 */
bool discover_is_private(const char *address);

#endif
