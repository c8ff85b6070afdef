#include "milter/gate_listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"
#include "common/net.h"
#include "milter/gate_inbound.h"
#include "milter/proxy_header.h"

union address {
	struct sockaddr any;
	struct sockaddr_un local;
	struct sockaddr_storage room;
};

struct gate_listener {
	struct loop *loop;
	const struct conf_gate_listen *conf;
	struct tls_ctx **tls;
	union address server;
	size_t server_size;
	char mta[256 + CONF_LOCAL_MAX]; /* for the log */
	struct inbound_rules rules;
};

struct client {
	struct gate_listener *from;
	struct inbound machine;
	unsigned long id;
	char peer[LOOP_ADDRESS];
};

static unsigned long last_id;
static struct tls_ctx *towards_mta; /* trusts anybody: it is our own MTA */
static enum pump_ending ending;

static struct inbound_turn
turn_begin(struct pump *p)
{
	return (struct inbound_turn){
		.to_client = pump_out(p, SIDE_CLIENT),
		.to_server = pump_out(p, SIDE_SERVER),
	};
}

static void
turn_end(struct pump *p, const struct client *c, const struct inbound_turn *t)
{
	if (t->to_client->err != MTRK_OK || t->to_server->err != MTRK_OK)
		pump_drop(p, "out of memory");
	switch (t->wish) {
	case INBOUND_CLIENT_TLS:
		pump_starttls(p, SIDE_CLIENT, *c->from->tls, NULL);
		break;
	case INBOUND_SERVER_TLS:
		pump_starttls(p, SIDE_SERVER, towards_mta, NULL);
		break;
	case INBOUND_CLOSE:
		pump_close(p, t->why);
		break;
	case INBOUND_DROP:
		pump_drop(p, t->why);
		break;
	case INBOUND_GO:
		break;
	}
}

/* As an MTA that shuts down does.  A reply that is due may be the word that a
 * message was taken, which the client must get. */
static void
end_if_due(struct pump *p, void *user)
{
	struct client *c = user;
	struct inbound_turn t = turn_begin(p);

	if (ending == PUMP_ENDS_ALL ? c->machine.pending > 0
				    : !inbound_idle(&c->machine))
		return;
	inbound_no_server(&c->machine, &t, "we stop");
	turn_end(p, c, &t);
}

static size_t
on_input(struct pump *p, void *user, enum side from, struct span in)
{
	struct client *c = user;
	struct inbound_turn t = turn_begin(p);
	size_t used;

	if (ending == PUMP_ENDS_ALL && from == SIDE_CLIENT)
		return 0;
	used = from == SIDE_CLIENT ? inbound_from_client(&c->machine, in, &t)
				   : inbound_from_server(&c->machine, in, &t);

	turn_end(p, c, &t);
	if (ending != PUMP_GOES_ON && from == SIDE_SERVER && used == in.n &&
	    t.wish == INBOUND_GO)
		end_if_due(p, c);
	return used;
}

static void
on_server_event(struct pump *p, struct client *c, enum pump_event what)
{
	struct inbound_turn t = turn_begin(p);

	switch (what) {
	case PUMP_NOT_CONNECTED:
		log_warn("conn=%lu event=mta-down client=%s mta=%s text=\"%m\"",
		    c->id, c->peer, c->from->mta);
		inbound_no_server(&c->machine, &t, "the MTA is down");
		break;
	case PUMP_SECURED:
		inbound_server_secured(&c->machine, &t);
		break;
	case PUMP_TLS_FAILED:
		inbound_no_server(&c->machine, &t, "no TLS with the MTA");
		break;
	case PUMP_ENDED:
		pump_close(p, "closed by the MTA");
		break;
	case PUMP_CONNECTED:
		break;
	}
	turn_end(p, c, &t);
}

static void
on_event(struct pump *p, void *user, enum side side, enum pump_event what)
{
	struct client *c = user;

	if (side == SIDE_SERVER)
		on_server_event(p, c, what);
	else if (what == PUMP_SECURED)
		inbound_client_secured(&c->machine);
	else if (what == PUMP_TLS_FAILED)
		pump_drop(p, "handshake failed");
	else if (what == PUMP_ENDED) {
		inbound_client_ended(&c->machine);
		pump_finish(p, SIDE_SERVER);
	}
}

static void
on_closed(struct pump *p, void *user, const char *why)
{
	struct client *c = user;
	const struct inbound *i = &c->machine;

	(void)p;
	log_info("conn=%lu event=close client=%s tls=%s marked=%lu refused=%lu"
		 " why=\"%s\"",
	    c->id, c->peer, i->client_tls ? "yes" : "no", i->marked, i->refused,
	    why);
	inbound_end(&c->machine);
	free(c);
}

static const struct pump_handler handler = {
	.input = on_input,
	.event = on_event,
	.closed = on_closed,
};

void
gate_listen_end(enum pump_ending how)
{
	ending = how;
	pump_each(&handler, end_if_due);
}

/* A header without an address would make the client one of the MTA's own. */
static void
greet_mta(struct pump *p, int fd, const struct sockaddr *peer)
{
	unsigned char header[PROXY_HEADER_MAX];
	union address here = { .room = { 0 } };
	socklen_t size = sizeof here;

	if (getsockname(fd, &here.any, &size) == -1 ||
	    here.any.sa_family != peer->sa_family) {
		pump_drop(p, "no address of its own");
		return;
	}
	buf_add(pump_out(p, SIDE_SERVER), header,
	    proxy_header(peer, &here.any, header));
}

static void
refuse(int fd)
{
	static const char words[] = "421 4.3.2 Too many connections\r\n";
	static struct log_limit often;
	unsigned long missed;

	if (log_allow(&often, 60, &missed))
		log_warn("event=refused text=\"too many connections\""
			 " missed=%lu",
		    missed);
	(void)!write(fd, words, sizeof words - 1);
	close(fd);
}

static void
on_accepted(void *arg, int fd, const struct sockaddr *peer, size_t peer_size)
{
	struct gate_listener *l = arg;
	struct client *c;
	struct pump *p;

	if (pump_count() >= GATE_CLIENTS_MAX ||
	    (c = calloc(1, sizeof *c)) == NULL) {
		refuse(fd);
		return;
	}
	c->from = l;
	c->id = ++last_id;
	net_accepted(fd, peer, peer_size, c->peer, sizeof c->peer);
	inbound_start(&c->machine, &l->rules);
	if ((p = pump_new(l->loop, fd, fd, &handler, c)) == NULL) {
		free(c);
		return;
	}
	pump_connect(p, &l->server.any, l->server_size,
	    l->conf->mode == GATE_TRANSPARENT ? peer : NULL);
	if (l->conf->mode == GATE_PROXY)
		greet_mta(p, fd, peer);
	if (l->conf->tls)
		pump_starttls(p, SIDE_CLIENT, *l->tls, NULL);
	pump_start(p);
}

static size_t
local_address(const char *path, union address *out)
{
	out->local.sun_family = AF_UNIX;
	snprintf(out->local.sun_path, sizeof out->local.sun_path, "%s", path);
	return sizeof out->local;
}

static void
find_mta(struct gate_listener *l)
{
	const struct conf_gate_listen *row = l->conf;

	if (row->local[0] != '\0') {
		l->server_size = local_address(row->local, &l->server);
		snprintf(l->mta, sizeof l->mta, "%s", row->local);
		return;
	}
	l->server_size =
	    net_address(row->to.host, (uint16_t)row->to.port, &l->server.room);
	snprintf(l->mta, sizeof l->mta, "%s:%u", row->to.host,
	    (unsigned)row->to.port);
}

enum mtrk_err
gate_listen(struct loop *loop, const struct conf *conf,
    const struct conf_gate_listen *row, struct tls_ctx **tls,
    struct gate_listener **out)
{
	struct gate_listener *l = calloc(1, sizeof *l);
	char why[256];

	*out = l;
	if (l == NULL)
		return MTRK_NOMEM;
	l->loop = loop;
	l->conf = row;
	l->tls = tls;
	find_mta(l);
	l->rules.tls = *tls != NULL;
	l->rules.server_tls = conf->gate_backend_tls;
	snprintf(
	    l->rules.name, sizeof l->rules.name, "%s", conf->reporting_mta);
	if (conf->gate_backend_tls && towards_mta == NULL &&
	    tls_client_new(NULL, &towards_mta, why, sizeof why) != MTRK_OK)
		return MTRK_NOMEM;
	return loop_accept(
	    loop, row->at.host, (uint16_t)row->at.port, on_accepted, l);
}

void
gate_listener_free(struct gate_listener **lp)
{
	free(*lp);
	*lp = NULL;
	tls_ctx_free(&towards_mta);
}
