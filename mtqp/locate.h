/*
 * mtqp/locate.h -- from a host's name to the addresses where its tracking
 * server listens: SRV, then AAAA and A, or the host itself (RFC 3887 2).
 */
#ifndef MTRK_MTQP_LOCATE_H
#define MTRK_MTQP_LOCATE_H

#include "common/dns.h"
#include "common/uri.h"

enum { ENDPOINTS_MAX = 16, LOCATE_WHY_MAX = 400 };

struct endpoint {
	char address[HOST_MAX + 1]; /* numeric, or a name without a dot */
	uint16_t port;
	char target[HOST_MAX + 1]; /* the name it was found by */
};

/*
 * MTRK_OK: `list` is in the order in which to try them.  Otherwise `why`
 * tells: MTRK_NOTFOUND no such host; MTRK_DENIED the host has no tracking
 * server, or nothing public; MTRK_BUSY the DNS does not tell; MTRK_NOMEM.
 */
struct location {
	enum mtrk_err err;
	char why[LOCATE_WHY_MAX]; /* for people */
	struct endpoint list[ENDPOINTS_MAX];
	size_t n;
};

/*
 * SRV is asked when `port` is 0 and the host is a full name (A33); all its
 * targets are looked up at once.  Without `allow_private` addresses that are
 * not public are left out (A45).  `done` is called once, perhaps before this
 * returns, when *out is filled; until then whoever watches the dns works.
 */
void locate_start(struct dns *, const char *host, uint16_t port,
    bool allow_private, struct location *out, void (*done)(void *arg),
    void *arg);
/* The same, when it is done. */
enum mtrk_err locate(struct dns *, const char *host, uint16_t port,
    bool allow_private, struct location *out);

#endif
