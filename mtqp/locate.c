#include "mtqp/locate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/net.h"
#include "mtqp/discover.h"

enum { WAIT_MS = 40000 /* for locate(), SRV and addresses; ours */ };

_Static_assert((int)HOST_MAX >= (int)DNS_NAME_MAX, "every target fits");

/* A name that may have addresses. */
struct target {
	struct locating *of;
	char name[HOST_MAX + 1];
	uint16_t port;
	enum mtrk_err err;
	const char *why; /* static */
	struct dns_address addresses[DNS_RECORDS_MAX];
	size_t n;
};

struct locating {
	struct dns *dns;
	char name[HOST_MAX + 16]; /* of the SRV records */
	bool allow_private;
	struct location *out;
	size_t hidden; /* private, left out */
	void (*done)(void *arg);
	void *arg;
	struct target targets[DNS_RECORDS_MAX]; /* in the order of trying */
	size_t n, asked, pending;
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
	struct endpoint *e = &l->out->list[l->out->n];

	if (l->out->n == ENDPOINTS_MAX)
		return;
	if (!l->allow_private && discover_is_private(address)) {
		l->hidden++;
		return;
	}
	*e = (struct endpoint){ .port = port };
	if (span_copy(e->address, sizeof e->address, span_of(address)) &&
	    span_copy(e->target, sizeof e->target, span_of(target)))
		l->out->n++;
}

static void
fail(struct locating *l, enum mtrk_err err, const char *name, const char *why)
{
	l->out->err = err;
	snprintf(l->out->why, LOCATE_WHY_MAX, "%s%s%s", name,
	    name[0] != '\0' ? ": " : "", why);
}

static void
finish(struct locating *l)
{
	void (*done)(void *) = l->done;
	void *arg = l->arg;

	if (l->out->n > 0) {
		l->out->err = MTRK_OK;
		l->out->why[0] = '\0';
	} else if (l->hidden > 0) {
		fail(l, MTRK_DENIED, "",
		    "has only private addresses, asked with --allow-private");
	}
	free(l);
	done(arg);
}

static void ask_targets(struct locating *);

/* A target without an address is no reason not to try the next. */
static void
take_targets(struct locating *l)
{
	for (size_t i = 0; i < l->asked; i++) {
		const struct target *t = &l->targets[i];

		for (size_t k = 0; k < t->n; k++)
			add(l, t->addresses[k].text, t->port, t->name);
		if (t->err != MTRK_OK)
			fail(l, t->err, t->name, t->why);
	}
	if (l->out->n + l->hidden == 0 && l->asked < l->n)
		ask_targets(l);
	else
		finish(l);
}

static void
got_addresses(void *arg, const struct dns_answer *a)
{
	struct target *t = arg;

	t->err = a->err;
	t->why = a->why;
	t->n = a->err == MTRK_OK ? a->n : 0;
	memcpy(t->addresses, a->addresses, t->n * sizeof *t->addresses);
	discover_mix(t->addresses, t->n);
	if (--t->of->pending == 0)
		take_targets(t->of);
}

static void
add_target(struct locating *l, const char *name, uint16_t port)
{
	struct target *t = &l->targets[l->n];

	*t = (struct target){ .of = l, .port = port };
	if (span_copy(t->name, sizeof t->name, span_of(name)))
		l->n++;
}

/* Some at a time: a stranger's SRV records are not to make hundreds of
 * questions at once. */
static void
ask_targets(struct locating *l)
{
	const size_t first = l->asked;
	const size_t n =
	    l->n - first < ENDPOINTS_MAX ? l->n - first : ENDPOINTS_MAX;

	l->asked += n;
	l->pending = n; /* the last one may finish, and *l is no more */
	for (size_t i = 0; i < n; i++)
		dns_ask(l->dns, DNS_ADDRESS, l->targets[first + i].name,
		    got_addresses, &l->targets[first + i]);
}

static void
got_srv(void *arg, const struct dns_answer *a)
{
	struct locating *l = arg;
	struct dns_host hosts[DNS_RECORDS_MAX];
	size_t n = a->n;

	/* a DNS that fails is not a DNS that says no (RFC 2782) */
	if (a->err == MTRK_NOTFOUND || a->err == MTRK_SYNTAX) {
		add_target(l, l->name + strlen("_mtqp._tcp."), MTQP_PORT);
		ask_targets(l);
		return;
	}
	memcpy(hosts, a->hosts, sizeof hosts);
	if (a->err != MTRK_OK) {
		fail(l, a->err, l->name, a->why);
	} else if (discover_order(hosts, &n, dice, NULL) != MTRK_OK) {
		fail(l, MTRK_DENIED, "",
		    "has no tracking server (SRV target \".\")");
	} else {
		for (size_t i = 0; i < n; i++)
			add_target(l, hosts[i].name, hosts[i].port);
		ask_targets(l);
		return;
	}
	finish(l);
}

void
locate_start(struct dns *dns, const char *host, uint16_t port,
    bool allow_private, struct location *out, void (*done)(void *arg),
    void *arg)
{
	struct locating *l = calloc(1, sizeof *l);

	*out = (struct location){ .err = MTRK_NOMEM, .why = "out of memory" };
	if (l == NULL) {
		done(arg);
		return;
	}
	*l = (struct locating){ .dns = dns,
		.allow_private = allow_private,
		.out = out,
		.done = done,
		.arg = arg };
	snprintf(l->name, sizeof l->name, "_mtqp._tcp.%s", host);
	if (net_is_address(host) || strchr(host, '.') == NULL) {
		/* a short name is the system's to look up */
		add(l, host, port != 0 ? port : MTQP_PORT, host);
		finish(l);
	} else if (port != 0) {
		add_target(l, host, port);
		ask_targets(l);
	} else {
		dns_ask(dns, DNS_SRV, l->name, got_srv, l);
	}
}

static void
nothing(void *arg)
{
	(void)arg;
}

enum mtrk_err
locate(struct dns *dns, const char *host, uint16_t port, bool allow_private,
    struct location *out)
{
	locate_start(dns, host, port, allow_private, out, nothing, NULL);
	dns_wait(dns, WAIT_MS);
	return out->err;
}
