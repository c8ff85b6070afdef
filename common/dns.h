/*
 * common/dns.h -- questions to the DNS: the one door to c-ares.
 *
 * Evented: one descriptor stands for all sockets and timers, so a program
 * with a loop watches dns_fd() and calls dns_work(); a program without one
 * calls dns_ask() as often as it likes and dns_wait() once.  Names are
 * absolute, no search list is tried.  One thread at a time.
 */
#ifndef MTRK_COMMON_DNS_H
#define MTRK_COMMON_DNS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "common/err.h"

enum {
	DNS_RECORDS_MAX = 64, /* of an answer, more are left out; ours */
	DNS_NAME_MAX = 255, /* RFC 1035 2.3.4 */
};

enum dns_type {
	DNS_SRV, /* RFC 2782 */
	DNS_MX, /* RFC 5321 5 */
	DNS_ADDRESS, /* AAAA and A in RFC 6724's order; /etc/hosts first */
};

struct dns_host { /* of SRV and MX, in the order of the reply */
	char name[DNS_NAME_MAX + 1]; /* "" is the root: target ".", null MX */
	uint16_t priority; /* MX: preference */
	uint16_t weight, port; /* SRV only */
};
struct dns_address {
	char text[INET6_ADDRSTRLEN]; /* numeric */
};

/*
 * err: MTRK_OK, and n > 0; MTRK_NOTFOUND: no such record, and `exists` says
 * if the name has others; MTRK_BUSY: no server told, or dns_wait() ran out of
 * time; MTRK_SYNTAX: not a name, or a reply that does not parse; MTRK_NOMEM.
 */
struct dns_answer {
	enum mtrk_err err;
	bool exists;
	const char *why; /* static; for people */
	size_t n;
	struct dns_host hosts[DNS_RECORDS_MAX];
	struct dns_address addresses[DNS_RECORDS_MAX];
};

struct dns;

/* `servers`: "ADDR[:PORT],..." instead of the system's, or NULL.  On failure
 * *out is NULL: MTRK_SYNTAX for bad `servers`, MTRK_IO. */
enum mtrk_err dns_open(const char *servers, struct dns **out);
void dns_close(struct dns **); /* what is pending is told MTRK_BUSY first */

/*
 * `done` is called once, perhaps before this returns; the answer dies when it
 * returns.  It may ask again, but not close.
 */
void dns_ask(struct dns *, enum dns_type, const char *name,
    void (*done)(void *arg, const struct dns_answer *), void *arg);
int dns_fd(const struct dns *); /* readable: call dns_work() */
void dns_work(struct dns *);

/* Until nothing is pending; after `timeout_ms` the rest is told MTRK_BUSY. */
void dns_wait(struct dns *, unsigned timeout_ms);

const char *dns_version(void);

#endif
