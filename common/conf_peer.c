#include "common/conf.h"

const char *
conf_peer_add(struct conf *c, struct span text)
{
	if (c->peers == CONF_PEER_MAX)
		return "too many TrackingPeer lines";
	if (!peer_parse(text, &c->peer[c->peers]))
		return "a host, a domain, an address or a network expected";
	c->peers++;
	return NULL;
}

bool
conf_tracks(const struct conf *c, struct span name, struct span address)
{
	for (size_t i = 0; i < c->peers; i++)
		if (peer_is(&c->peer[i], name, address))
			return true;
	return false;
}
