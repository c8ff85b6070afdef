#include "mtqp/discover.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static void
swap(struct dns_host *a, struct dns_host *b)
{
	struct dns_host kept = *a;

	*a = *b;
	*b = kept;
}

/* Those of weight 0 first, as RFC 2782 arranges them before each draw. */
static int
by_priority(const void *a, const void *b)
{
	const struct dns_host *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->weight > 0) - (y->weight > 0);
}

/* Move one of [0..n) to the front: the first whose running sum of weights
 * reaches the number drawn. */
static void
draw_first(struct dns_host *h, size_t n,
    uint32_t (*dice)(void *arg, uint32_t most), void *arg)
{
	uint32_t sum = 0, wanted;
	size_t i;

	for (i = 0; i < n; i++)
		sum += h[i].weight;
	wanted = dice(arg, sum);
	for (i = 0, sum = h[0].weight; sum < wanted; sum += h[i].weight)
		i++;
	/* one by one: those of weight 0 must stay in front of the rest */
	for (; i > 0; i--)
		swap(&h[i], &h[i - 1]);
}

enum mtrk_err
discover_order(struct dns_host *h, size_t *n,
    uint32_t (*dice)(void *arg, uint32_t most), void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (h[i].name[0] != '\0')
			h[kept++] = h[i];
	*n = kept;
	if (kept == 0)
		return MTRK_DENIED;
	qsort(h, kept, sizeof *h, by_priority);
	for (size_t i = 0; i < kept; i++) {
		size_t same = 1;

		while (i + same < kept && h[i + same].priority == h[i].priority)
			same++;
		draw_first(h + i, same, dice, arg);
	}
	return MTRK_OK;
}

bool
discover_is_fqdn(const char *host)
{
	unsigned char ip[16];
	const char *dot = strchr(host, '.');

	return dot != NULL && dot != host && dot[1] != '\0' &&
	    inet_pton(AF_INET, host, ip) != 1 &&
	    inet_pton(AF_INET6, host, ip) != 1;
}

struct network {
	unsigned char octets[16];
	unsigned bits;
};

/* IANA's special-purpose registries, without the documentation networks,
 * which labs use. */
static const struct network private4[] = { { { 0 }, 8 }, { { 10 }, 8 },
	{ { 100, 64 }, 10 }, { { 127 }, 8 }, { { 169, 254 }, 16 },
	{ { 172, 16 }, 12 }, { { 192, 0, 0 }, 24 }, { { 192, 168 }, 16 },
	{ { 224 }, 4 }, { { 240 }, 4 } };
static const struct network private6[] = {
	{ { 0 }, 80 }, /* ::, ::1 and the obsolete IPv4-compatible ones */
	{ { 0xfc }, 7 }, { { 0xfe, 0x80 }, 10 }, { { 0xfe, 0xc0 }, 10 },
	{ { 0xff }, 8 },
	{ { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48 } /* RFC 8215 */
};

static bool
within(const unsigned char *ip, const struct network *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned whole = list[i].bits / 8, rest = list[i].bits % 8;
		unsigned mask = 0xffU << (8 - rest) & 0xffU;

		if (memcmp(ip, list[i].octets, whole) == 0 &&
		    ((ip[whole] ^ list[i].octets[whole]) & mask) == 0)
			return true;
	}
	return false;
}

/* Where IPv4 stands inside IPv6: mapped, NAT64 (RFC 6052), 6to4. */
static const unsigned char *
inner_ipv4(const unsigned char ip[16])
{
	static const struct {
		struct network prefix;
		size_t at;
	} rows[] = {
		{ { { [10] = 0xff, [11] = 0xff }, 96 }, 12 },
		{ { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },
		{ { { 0x20, 0x02 }, 16 }, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (within(ip, &rows[i].prefix, 1))
			return ip + rows[i].at;
	return NULL;
}

bool
discover_is_private(const char *address)
{
	unsigned char ip[16] = { 0 };
	const unsigned char *ipv4 = ip;

	if (inet_pton(AF_INET, address, ip) != 1) {
		if (inet_pton(AF_INET6, address, ip) != 1)
			return true;
		ipv4 = inner_ipv4(ip);
		if (ipv4 == NULL)
			return within(ip, private6, ARRAY_LEN(private6));
	}
	return within(ipv4, private4, ARRAY_LEN(private4));
}
