#include "milter/gate_next.h"

#include <stdlib.h>

#include "common/crypto.h"
#include "common/net.h"

static void ask_addresses(struct next *);

static bool
is_own(const struct next *n, const struct dns_host *h)
{
	return n->own != NULL && span_iis(span_of(h->name), n->own);
}

static int
by_preference(const void *a, const void *b)
{
	const struct dns_host *x = a, *y = b;

	return x->priority != y->priority ? (int)x->priority - (int)y->priority
					  : (int)x->weight - (int)y->weight;
}

void
next_order(struct next *n, const struct dns_answer *a)
{
	struct dns_host sorted[DNS_RECORDS_MAX];
	unsigned char dice[DNS_RECORDS_MAX] = { 0 };
	unsigned limit = UINT16_MAX + 1u;

	crypto_random(dice, sizeof dice);
	for (size_t i = 0; i < a->n; i++) {
		sorted[i] = a->hosts[i];
		sorted[i].weight = dice[i]; /* MX has none of its own */
		if (is_own(n, &a->hosts[i]) && a->hosts[i].priority < limit)
			limit = a->hosts[i].priority;
	}
	qsort(sorted, a->n, sizeof sorted[0], by_preference);
	n->hosts_n = 0;
	for (size_t i = 0; i < a->n && n->hosts_n < NEXT_HOSTS_MAX; i++)
		if (sorted[i].priority < limit)
			span_copy(n->hosts[n->hosts_n++], DNS_NAME_MAX + 1,
			    span_of(sorted[i].name));
}

/* Looked up, and there will never be mail for it. */
static void
no_mail(struct next *n, const char *code, const char *why)
{
	n->err = MTRK_NOTFOUND;
	n->code = code;
	n->why = why;
	n->done(n->arg);
}

static void
finish(struct next *n, enum mtrk_err err, const char *why)
{
	n->err = n->addresses_n > 0 ? MTRK_OK : err;
	n->why = why;
	n->done(n->arg);
}

static void
add_address(struct next *n, const char *text)
{
	struct next_address *a = &n->addresses[n->addresses_n];

	a->host = n->hosts[n->host];
	a->sa_size =
	    (socklen_t)net_address(text, (uint16_t)n->hop->port, &a->sa);
	if (a->sa_size > 0)
		n->addresses_n++;
}

static void
have_addresses(void *arg, const struct dns_answer *a)
{
	struct next *n = arg;

	for (size_t i = 0; a->err == MTRK_OK && i < a->n &&
	     n->addresses_n < NEXT_ADDRESSES_MAX;
	     i++)
		add_address(n, a->addresses[i].text);
	if (a->err != MTRK_OK && n->err != MTRK_BUSY) {
		n->err = a->err; /* what may pass counts more */
		n->why = a->why;
	}
	n->host++;
	ask_addresses(n);
}

static void
ask_addresses(struct next *n)
{
	if (n->host < n->hosts_n)
		dns_ask(
		    n->dns, DNS_ADDRESS, n->hosts[n->host], have_addresses, n);
	else
		finish(n, n->err != MTRK_OK ? n->err : MTRK_NOTFOUND, n->why);
}

static void
only_host(struct next *n)
{
	n->hosts_n = 1;
	span_copy(n->hosts[0], sizeof n->hosts[0], span_of(n->hop->host));
}

/* No MX: the name itself is the host; "." alone: it takes no mail (RFC 7505);
 * only ourselves, or those behind us: it would come back. */
static void
have_mx(void *arg, const struct dns_answer *a)
{
	struct next *n = arg;

	if (a->err == MTRK_OK)
		next_order(n, a);
	else if (a->err == MTRK_NOTFOUND && a->exists)
		only_host(n);
	else {
		finish(n, a->err, a->why);
		return;
	}
	if (n->hosts_n == 0)
		no_mail(n, "554 5.4.6", "its mail would come back to us");
	else if (n->hosts[0][0] == '\0')
		no_mail(n, "556 5.1.10", "it takes no mail (null MX)");
	else
		ask_addresses(n);
}

void
next_find(struct next *n, struct dns *dns, const struct conf_hop *hop,
    const char *own, void (*done)(void *arg), void *arg)
{
	*n = (struct next){ .dns = dns,
		.hop = hop,
		.own = own,
		.code = "554 5.1.2",
		.why = "no address",
		.done = done,
		.arg = arg };
	if (hop->mx) {
		dns_ask(dns, DNS_MX, hop->host, have_mx, n);
		return;
	}
	only_host(n);
	if (!net_is_address(hop->host)) {
		ask_addresses(n);
		return;
	}
	add_address(n, hop->host);
	finish(n, MTRK_OK, "");
}
