#include "common/peer.h"

/* Letters, digits, hyphens, underscores and dots. */
static bool
is_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_' ||
			c == '.'))
			return false;
	}
	return s.n > 0 && s.p[0] != '.';
}

bool
peer_parse(struct span text, struct peer *out)
{
	*out = (struct peer){ 0 };
	if (!span_copy(out->text, sizeof out->text, text))
		return false;
	out->network = net_range_parse(text, &out->range);
	return out->network || is_name(text);
}

bool
peer_in_domain(struct span name, struct span domain)
{
	if (name.n > domain.n) {
		if (name.p[name.n - domain.n - 1] != '.')
			return false;
		name = span_from(name, name.n - domain.n);
	}
	return span_ieq(name, domain);
}

bool
peer_is(const struct peer *p, struct span name, struct span address)
{
	struct net_ip ip;

	if (span_starts(address, "IPv6:"))
		address = span_from(address, sizeof "IPv6:" - 1);
	if (p->network)
		return net_ip_parse(address, &ip) &&
		    net_range_has(&p->range, &ip);
	return peer_in_domain(name, span_of(p->text));
}
