#include "mtqp/locate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/crypto.h"
#include "mtqp/discover.h"

enum {
	WAIT_MS = 20000, /* for one name; ours */
	TARGETS_S = 40, /* for all targets of a host, or a stranger's DNS that
			   never answers would hold us for long; ours */
};

struct locating {
	struct dns *dns;
	bool allow_private;
	struct endpoint *out;
	size_t n, hidden; /* hidden: private, left out */
	char *why;
};

/* No modulo: the few highest numbers would come too often. */
static uint32_t
dice(void *arg, uint32_t most)
{
	const uint32_t sides = most + 1, fair = UINT32_MAX - UINT32_MAX % sides;
	uint32_t r = 0;

	(void)arg;
	do
		if (crypto_random(&r, sizeof r) != MTRK_OK)
			return 0;
	while (r >= fair);
	return r % sides;
}

static void
add(struct locating *l, const char *address, uint16_t port, const char *target)
{
	struct endpoint *e = &l->out[l->n];

	if (l->n == ENDPOINTS_MAX)
		return;
	if (!l->allow_private && discover_is_private(address)) {
		l->hidden++;
		return;
	}
	*e = (struct endpoint){ .port = port };
	if (span_copy(e->address, sizeof e->address, span_of(address)) &&
	    span_copy(e->target, sizeof e->target, span_of(target)))
		l->n++;
}

static enum mtrk_err
add_addresses(struct locating *l, const char *name, uint16_t port)
{
	struct dns_answer a;

	if (dns_get(l->dns, DNS_ADDRESS, name, WAIT_MS, &a) != MTRK_OK) {
		snprintf(l->why, LOCATE_WHY_MAX, "%s: %s", name, a.why);
		return a.err;
	}
	for (size_t i = 0; i < a.n; i++)
		add(l, a.addresses[i].text, port, name);
	return MTRK_OK;
}

/* A target without an address is no reason not to try the next. */
static enum mtrk_err
add_targets(struct locating *l, struct dns_answer *a)
{
	const time_t end = time(NULL) + TARGETS_S;
	enum mtrk_err err = MTRK_OK;

	if (discover_order(a->hosts, &a->n, dice, NULL) != MTRK_OK) {
		snprintf(l->why, LOCATE_WHY_MAX,
		    "has no tracking server (SRV target \".\")");
		return MTRK_DENIED;
	}
	for (size_t i = 0; i < a->n && l->n < ENDPOINTS_MAX && time(NULL) < end;
	     i++) {
		enum mtrk_err one =
		    add_addresses(l, a->hosts[i].name, a->hosts[i].port);

		if (one != MTRK_OK)
			err = one;
	}
	return l->n + l->hidden > 0 ? MTRK_OK : err;
}

static enum mtrk_err
by_name(struct locating *l, const char *host)
{
	struct dns_answer a;
	char name[HOST_MAX + 16];
	enum mtrk_err err;

	snprintf(name, sizeof name, "_mtqp._tcp.%s", host);
	err = dns_get(l->dns, DNS_SRV, name, WAIT_MS, &a);
	if (err == MTRK_OK)
		return add_targets(l, &a);
	/* a DNS that fails is not a DNS that says no (RFC 2782) */
	if (err == MTRK_NOTFOUND || err == MTRK_SYNTAX)
		return add_addresses(l, host, MTQP_PORT);
	snprintf(l->why, LOCATE_WHY_MAX, "%s: %s", name, a.why);
	return err;
}

static bool
is_numeric(const char *host)
{
	unsigned char ip[16];

	return inet_pton(AF_INET, host, ip) == 1 ||
	    inet_pton(AF_INET6, host, ip) == 1;
}

enum mtrk_err
locate(struct dns *dns, const char *host, uint16_t port, bool allow_private,
    struct endpoint out[ENDPOINTS_MAX], size_t *n, char *why)
{
	struct locating l = { dns, allow_private, out, 0, 0, why };
	const uint16_t or_own = port != 0 ? port : MTQP_PORT;
	enum mtrk_err err = MTRK_OK;

	why[0] = '\0';
	if (is_numeric(host) || strchr(host, '.') == NULL)
		/* a short name is the system's to look up */
		add(&l, host, or_own, host);
	else if (port != 0)
		err = add_addresses(&l, host, port);
	else
		err = by_name(&l, host);
	*n = l.n;
	if (err != MTRK_OK || l.n > 0)
		return err;
	snprintf(why, LOCATE_WHY_MAX,
	    "has only private addresses, asked with --allow-private");
	return MTRK_DENIED;
}
