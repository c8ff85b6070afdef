/*
 * tests/lib/nameserver.h -- a real DNS server on loopback: dnsmasq.
 */
#ifndef MTRK_TESTS_NAMESERVER_H
#define MTRK_TESTS_NAMESERVER_H

#include <sys/types.h>

#include "common/dns.h"

struct nameserver {
	pid_t pid;
	char address[32]; /* "127.0.0.1:PORT", for dns_open() */
};

/* `options` are dnsmasq's, ended by NULL; ready to answer when it returns.
 * A failure fails the test. */
void nameserver_start(struct nameserver *, const char *const *options);
void nameserver_stop(struct nameserver *);

/* One question, and its answer or MTRK_BUSY. */
enum mtrk_err ask_dns(struct dns *, enum dns_type, const char *name,
    unsigned timeout_ms, struct dns_answer *out);

#endif
