/*
 * milter/gate_next.h -- a next hop by name, and the hosts and addresses that
 * it stands for (RFC 5321 5).
 */
#ifndef MTRK_MILTER_GATE_NEXT_H
#define MTRK_MILTER_GATE_NEXT_H

#include <sys/socket.h>

#include "common/conf.h"
#include "common/dns.h"

enum {
	NEXT_HOSTS_MAX = 16, /* ours: MX hosts that are tried */
	NEXT_ADDRESSES_MAX = 32, /* ours: of all of them */
};

struct next_address {
	struct sockaddr_storage sa;
	socklen_t sa_size;
	const char *host; /* whose it is: in `hosts` */
};

/* One look-up: the hosts in the order to try, then their addresses. */
struct next {
	struct dns *dns;
	const struct conf_hop *hop;
	const char *own; /* this host's name: no mail to ourselves */
	char hosts[NEXT_HOSTS_MAX][DNS_NAME_MAX + 1];
	size_t hosts_n, host; /* `host`: whose addresses are asked now */
	struct next_address addresses[NEXT_ADDRESSES_MAX];
	size_t addresses_n;
	enum mtrk_err err;
	const char *code; /* static: reply and status for MTRK_NOTFOUND */
	const char *why; /* static; for people */
	void (*done)(void *arg);
	void *arg;
};

/*
 * Fill `n` and call done(arg), perhaps before this returns.  Then either
 * there are addresses, or `err` says MTRK_NOTFOUND (no such next hop, for
 * good) or something that may pass.  `dns` may not be closed before.
 */
void next_find(struct next *, struct dns *, const struct conf_hop *,
    const char *own, void (*done)(void *arg), void *arg);

/* MX hosts in the order to try: by preference, equal ones at random; none
 * that is no better than `own`.  Pure, but for chance. */
void next_order(struct next *, const struct dns_answer *);

#endif
