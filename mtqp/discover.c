#include "mtqp/discover.h"

#include <stdlib.h>
#include <string.h>

#include "common/net.h"

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

static bool
is_v6(const struct dns_address *a)
{
	return strchr(a->text, ':') != NULL;
}

void
discover_mix(struct dns_address *a, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		size_t other = i;
		struct dns_address found;

		while (other < n && is_v6(&a[other]) == is_v6(&a[i - 1]))
			other++;
		if (other == n)
			return;
		found = a[other];
		memmove(&a[i + 1], &a[i], (other - i) * sizeof *a);
		a[i] = found;
	}
}

bool
discover_is_fqdn(const char *host)
{
	const char *dot = strchr(host, '.');

	return dot != NULL && dot != host && dot[1] != '\0' &&
	    !net_is_address(host);
}

/* IANA's special-purpose registries, without the documentation networks,
 * which labs use. */
static const char *const private4[] = { "0.0.0.0/8", "10.0.0.0/8",
	"100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4", NULL };
static const char *const private6[] = {
	"::/80", /* ::, ::1 and the obsolete IPv4-compatible ones */
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
	"64:ff9b:1::/48", /* RFC 8215 */
	NULL
};

static bool
within(const struct net_ip *ip, const char *const *ranges)
{
	struct net_range r;

	for (; *ranges != NULL; ranges++)
		if (net_range_parse(span_of(*ranges), &r) &&
		    net_range_has(&r, ip))
			return true;
	return false;
}

/* Where IPv4 stands inside IPv6: NAT64 (RFC 6052), 6to4. */
static void
unwrap_ipv4(struct net_ip *ip)
{
	static const struct {
		const char *prefix[2];
		size_t at;
	} rows[] = { { { "64:ff9b::/96" }, 12 }, { { "2002::/16" }, 2 } };
	struct net_ip inner = { { [10] = 0xff, [11] = 0xff } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (within(ip, rows[i].prefix)) {
			memcpy(inner.b + 12, ip->b + rows[i].at, 4);
			*ip = inner;
			return;
		}
}

bool
discover_is_private(const char *address)
{
	struct net_ip ip;

	if (!net_ip_parse(span_of(address), &ip))
		return true;
	unwrap_ipv4(&ip);
	return within(&ip, net_ip_is_v4(&ip) ? private4 : private6);
}
