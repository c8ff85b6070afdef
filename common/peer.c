#include "common/peer.h"

#include <arpa/inet.h>
#include <string.h>

enum { ADDRESS_TEXT = 64, MAPPED_BITS = 96 };

/* IPv4 in the low part of ::ffff:0:0/96. */
static bool
parse_address(struct span text, unsigned char out[16], bool *v4)
{
	char copy[ADDRESS_TEXT];

	if (!span_copy(copy, sizeof copy, text))
		return false;
	memset(out, 0, 16);
	out[10] = out[11] = 0xff;
	*v4 = inet_pton(AF_INET, copy, out + 12) == 1;
	return *v4 || inet_pton(AF_INET6, copy, out) == 1;
}

static bool
parse_network(struct span text, struct peer *out)
{
	struct span address, length;
	bool v4, has_length = span_split(text, '/', &address, &length);
	uint64_t bits;

	if (!parse_address(address, out->address, &v4))
		return false;
	bits = v4 ? 32 : 128;
	if (has_length && !span_number(length, bits, &bits))
		return false;
	out->bits = (unsigned)bits + (v4 ? MAPPED_BITS : 0);
	return true;
}

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
	out->network = parse_network(text, out);
	return out->network || is_name(text);
}

static bool
in_network(const struct peer *p, const unsigned char address[16])
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	return memcmp(p->address, address, whole) == 0 &&
	    (rest == 0 ||
		((p->address[whole] ^ address[whole]) >> (8 - rest)) == 0);
}

static bool
in_domain(struct span name, struct span domain)
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
	unsigned char bytes[16];
	bool v4;

	if (span_starts(address, "IPv6:"))
		address = span_from(address, sizeof "IPv6:" - 1);
	if (p->network)
		return parse_address(address, bytes, &v4) &&
		    in_network(p, bytes);
	return in_domain(name, span_of(p->text));
}
