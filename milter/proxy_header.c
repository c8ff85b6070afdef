#include "milter/proxy_header.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

enum {
	SIGNATURE = 12,
	HEAD = 16, /* signature, version and command, family, length */
	V2_LOCAL = 0x20,
	V2_PROXY = 0x21,
	TCP4 = 0x11,
	TCP6 = 0x21,
};

/* Where a socket address has its parts. */
static const struct family {
	sa_family_t family;
	unsigned char code;
	size_t address, address_n, port;
} families[] = {
	{ AF_INET, TCP4, offsetof(struct sockaddr_in, sin_addr),
	    sizeof(struct in_addr), offsetof(struct sockaddr_in, sin_port) },
	{ AF_INET6, TCP6, offsetof(struct sockaddr_in6, sin6_addr),
	    sizeof(struct in6_addr), offsetof(struct sockaddr_in6, sin6_port) },
};

static const struct family *
family_of(sa_family_t f)
{
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (families[i].family == f)
			return &families[i];
	return NULL;
}

/* Address, address, port, port. */
static size_t
put_pair(
    unsigned char *out, const struct family *f, const void *a, const void *b)
{
	const unsigned char *from[] = { a, b };

	for (size_t i = 0; i < 2; i++) {
		memcpy(
		    out + i * f->address_n, from[i] + f->address, f->address_n);
		memcpy(out + 2 * f->address_n + i * sizeof(in_port_t),
		    from[i] + f->port, sizeof(in_port_t));
	}
	return 2 * (f->address_n + sizeof(in_port_t));
}

size_t
proxy_header(const struct sockaddr *client, const struct sockaddr *here,
    unsigned char out[PROXY_HEADER_MAX])
{
	const struct family *f = client->sa_family == here->sa_family
	    ? family_of(client->sa_family)
	    : NULL;
	size_t n = f != NULL ? put_pair(out + HEAD, f, client, here) : 0;

	memcpy(out, "\r\n\r\n\0\r\nQUIT\n", SIGNATURE);
	out[12] = f != NULL ? V2_PROXY : V2_LOCAL;
	out[13] = f != NULL ? f->code : 0;
	out[14] = 0;
	out[15] = (unsigned char)n;
	return HEAD + n;
}
