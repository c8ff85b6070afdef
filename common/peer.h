/*
 * common/peer.h -- other servers as the configuration names them: a host or
 * a domain with all that is below it, an address, a network.
 */
#ifndef MTRK_COMMON_PEER_H
#define MTRK_COMMON_PEER_H

#include "common/net.h"

enum { PEER_TEXT_MAX = 255 /* RFC 1035 2.3.4 */ };

struct peer {
	char text[PEER_TEXT_MAX + 1]; /* as written */
	bool network;
	struct net_range range; /* of a network */
};

/* "mx.x.test", "x.test", "192.0.2.1", "192.0.2.0/24", "2001:db8::/32".
 * False: none of these. */
bool peer_parse(struct span, struct peer *out);
/* Either may be empty; an address comes without brackets. */
bool peer_is(const struct peer *, struct span name, struct span address);
/* "x.test" and "mx.x.test" are in "x.test". */
bool peer_in_domain(struct span name, struct span domain);

#endif
