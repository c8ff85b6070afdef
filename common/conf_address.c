#include "common/conf_address.h"

#include <string.h>

/* Behind the last colon stands a port; false: there is no colon. */
static bool
split_port(struct span text, struct span *host, struct span *port)
{
	size_t colon = text.n;

	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	*host = (struct span){ text.p, colon - 1 };
	*port = span_from(text, colon);
	return true;
}

static bool
drop_brackets(struct span *host)
{
	if (host->n <= 2 || host->p[0] != '[' || host->p[host->n - 1] != ']')
		return false;
	*host = (struct span){ host->p + 1, host->n - 2 };
	return true;
}

void
conf_print_listen(const struct conf_listen *l, FILE *out)
{
	bool v6 = strchr(l->host, ':') != NULL;

	fprintf(out, " %s%s%s:%u", v6 ? "[" : "", l->host, v6 ? "]" : "",
	    (unsigned)l->port);
}

static bool
is_host(struct span host, bool mx)
{
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] <= ' ' || host.p[i] > '~' || host.p[i] == '[' ||
		    host.p[i] == ']' || (host.p[i] == ':' && mx))
			return false;
	return host.n > 0;
}

bool
conf_parse_hop(struct span text, struct conf_hop *out)
{
	struct span host = text, port = SPAN("25");

	out->mx = !drop_brackets(&host);
	if (out->mx && split_port(text, &host, &port))
		out->mx = !drop_brackets(&host);
	/* Sendmail writes an IPv6 literal so */
	if (!out->mx && span_istarts(host, "IPv6:"))
		host = span_from(host, sizeof "IPv6:" - 1);
	if (span_ends(host, ".")) /* and a name that is absolute */
		host.n--;
	return is_host(host, out->mx) &&
	    span_copy(out->host, sizeof out->host, host) &&
	    span_number(port, 65535, &out->port) && out->port > 0;
}

void
conf_print_hop(const struct conf_hop *h, FILE *out)
{
	fprintf(out, " %s%s%s:%u", h->mx ? "" : "[", h->host, h->mx ? "" : "]",
	    (unsigned)h->port);
}
