#include "milter/proxy_header.h"

#include <netinet/in.h>
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

/* Address, address, port, port. */
static void
put_pair(unsigned char *out, const void *a, const void *b, size_t n,
    const void *port_a, const void *port_b)
{
	memcpy(out, a, n);
	memcpy(out + n, b, n);
	memcpy(out + 2 * n, port_a, 2);
	memcpy(out + 2 * n + 2, port_b, 2);
}

size_t
proxy_header(const struct sockaddr *client, const struct sockaddr *here,
    unsigned char out[PROXY_HEADER_MAX])
{
	struct sockaddr_in a, b;
	struct sockaddr_in6 c, d;
	size_t n = 0;

	memcpy(out, "\r\n\r\n\0\r\nQUIT\n", SIGNATURE);
	out[12] = V2_LOCAL;
	out[13] = 0;
	if (client->sa_family == here->sa_family) {
		if (client->sa_family == AF_INET) {
			out[12] = V2_PROXY;
			out[13] = TCP4;
			memcpy(&a, client, sizeof a);
			memcpy(&b, here, sizeof b);
			n = 2 * sizeof a.sin_addr + 4;
			put_pair(out + HEAD, &a.sin_addr, &b.sin_addr,
			    sizeof a.sin_addr, &a.sin_port, &b.sin_port);
		} else if (client->sa_family == AF_INET6) {
			out[12] = V2_PROXY;
			out[13] = TCP6;
			memcpy(&c, client, sizeof c);
			memcpy(&d, here, sizeof d);
			n = 2 * sizeof c.sin6_addr + 4;
			put_pair(out + HEAD, &c.sin6_addr, &d.sin6_addr,
			    sizeof c.sin6_addr, &c.sin6_port, &d.sin6_port);
		}
	}
	out[14] = 0;
	out[15] = (unsigned char)n;
	return HEAD + n;
}
