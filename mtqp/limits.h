/*
 * mtqp/limits.h -- what one client address may do: connections at a time,
 * commands a minute, and questions without an answer before it has to wait.
 * Pure: the caller says what time it is, in milliseconds of a clock that never
 * goes back.
 *
 * An IPv4 address counts for itself.  An IPv6 address counts for its /64, and
 * for its /48, which may do LIMITS_SITE times as much.
 */
#ifndef MTRK_MTQP_LIMITS_H
#define MTRK_MTQP_LIMITS_H

#include "common/err.h"
#include "common/net.h"

enum {
	LIMITS_SITE = 4, /* ours */
	LIMITS_WAIT_MIN_S = 2, /* Dovecot's auth penalty: 2 s, doubled ... */
	LIMITS_WAIT_MAX_S = 15, /* ... up to 15 */
	LIMITS_FORGET_MS = 60000, /* half of the failures each minute; ours */
};

struct limits;
struct limits_conf { /* 0: no limit */
	uint64_t connections, commands_a_minute, failures;
};

/* Remembers about `addresses` of them; `seed` is random. */
enum mtrk_err limits_new(const struct limits_conf *, unsigned addresses,
    uint64_t seed, struct limits **out);
void limits_free(struct limits **); /* NULL is fine */

/* True: it may connect, and has; limits_closed() takes it back. */
bool limits_connect(struct limits *, const struct net_ip *, int64_t now_ms);
void limits_closed(struct limits *, const struct net_ip *);
/* True: it may give a command now, and has. */
bool limits_command(struct limits *, const struct net_ip *, int64_t now_ms);
/* It asked in vain: how many seconds until it gets the answer. */
unsigned limits_failure(struct limits *, const struct net_ip *, int64_t now_ms);

#endif
