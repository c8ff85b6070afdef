#include "common/conf_gate.h"

#include <string.h>

#include "common/conf_address.h"

#define UNIX "unix:" /* a path follows, in place of an address */

static const char *const modes[] = {
	[GATE_PLAIN] = "plain",
	[GATE_PROXY] = "proxy",
	[GATE_TRANSPARENT] = "transparent",
};

static bool
parse_mode(struct span text, enum conf_gate_mode *out)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (span_iis(text, modes[i])) {
			*out = (enum conf_gate_mode)i;
			return true;
		}
	return false;
}

static const char *
parse_address(struct span text, struct conf_listen *l)
{
	return conf_parse_listen(text, l)
	    ? NULL
	    : "a numeric address and a port expected";
}

/* MTA:PORT, or unix:/PATH */
static const char *
parse_backend(struct span text, struct conf_gate_listen *g)
{
	g->local[0] = '\0';
	if (!span_istarts(text, UNIX))
		return parse_address(text, &g->to);
	text = span_from(text, sizeof UNIX - 1);
	return text.n > 1 && text.p[0] == '/' &&
		span_copy(g->local, sizeof g->local, text)
	    ? NULL
	    : "unix: and a path of at most 107 octets expected";
}

static const char *
check_transparent(const struct conf_gate_listen *g)
{
	if (g->local[0] != '\0')
		return "transparent needs an address: a path has no client's"
		       " address to connect from";
	return (strchr(g->at.host, ':') == NULL) ==
		(strchr(g->to.host, ':') == NULL)
	    ? NULL
	    : "transparent needs two addresses of one kind";
}

/* ADDR:PORT MTA plain|proxy|transparent [tls] */
const char *
conf_gate_listen_add(struct conf *c, struct span text)
{
	struct conf_gate_listen *g = &c->gate_listen[c->gate_listens];
	struct span at, to, mode, tls;
	const char *why;

	if (c->gate_listens == CONF_LISTEN_MAX)
		return "too many GateListen lines";
	span_split(text, ' ', &at, &to);
	span_split(span_trim(to), ' ', &to, &mode);
	span_split(span_trim(mode), ' ', &mode, &tls);
	tls = span_trim(tls);
	if ((why = parse_address(at, &g->at)) != NULL ||
	    (why = parse_backend(to, g)) != NULL)
		return why;
	if (!parse_mode(mode, &g->mode) || (tls.n > 0 && !span_iis(tls, "tls")))
		return "plain, proxy or transparent expected, then tls or"
		       " nothing";
	g->tls = tls.n > 0;
	if (g->mode == GATE_TRANSPARENT && (why = check_transparent(g)) != NULL)
		return why;
	c->gate_listens++;
	return NULL;
}

const char *
conf_gate_tls_add(struct conf *c, struct span text)
{
	struct conf_gate_tls *t = &c->gate_tls[c->gate_tlses];
	struct span certificate, key;

	if (c->gate_tlses == CONF_GATE_TLS_MAX)
		return "too many GateTLS lines";
	span_split(text, ' ', &certificate, &key);
	key = span_trim(key);
	if (key.n == 0 ||
	    !span_copy(t->certificate, sizeof t->certificate, certificate) ||
	    !span_copy(t->key, sizeof t->key, key))
		return "CERTIFICATE KEY expected";
	c->gate_tlses++;
	return NULL;
}

const char *
conf_gate_route_add(struct conf *c, struct span text)
{
	struct conf_gate_route *r = &c->gate_route[c->gate_routes];
	struct span listen, hop;
	const char *why;

	if (c->gate_routes == CONF_GATE_ROUTE_MAX)
		return "too many GateRoute lines";
	span_split(text, ' ', &listen, &hop);
	if ((why = parse_address(listen, &r->listen)) != NULL)
		return why;
	if (!conf_parse_hop(span_trim(hop), &r->hop))
		return "a next hop expected: HOST, HOST:PORT or [HOST]:PORT";
	c->gate_routes++;
	return NULL;
}

static void
print_listen(const struct conf_gate_listen *g, FILE *out)
{
	fprintf(out, "GateListen");
	conf_print_listen(&g->at, out);
	if (g->local[0] != '\0')
		fprintf(out, " " UNIX "%s", g->local);
	else
		conf_print_listen(&g->to, out);
	fprintf(out, " %s%s\n", modes[g->mode], g->tls ? " tls" : "");
}

void
conf_gate_print(const struct conf *c, FILE *out)
{
	for (size_t i = 0; i < c->gate_listens; i++)
		print_listen(&c->gate_listen[i], out);
	for (size_t i = 0; i < c->gate_tlses; i++)
		fprintf(out, "GateTLS %s %s\n", c->gate_tls[i].certificate,
		    c->gate_tls[i].key);
	for (size_t i = 0; i < c->gate_routes; i++) {
		fprintf(out, "GateRoute");
		conf_print_listen(&c->gate_route[i].listen, out);
		conf_print_hop(&c->gate_route[i].hop, out);
		fprintf(out, "\n");
	}
}
