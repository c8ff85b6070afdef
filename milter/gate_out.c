#include "milter/gate_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/conf_address.h"
#include "common/log.h"
#include "common/net.h"
#include "common/store.h"
#include "milter/gate_message.h"
#include "milter/gate_next.h"
#include "milter/gate_outbound.h"
#include "milter/gate_pump.h"

enum {
	STORE_AGAIN_S = 60, /* ours: a store that was not there */
	STORE_WAIT_MS = 250, /* ours: the MTA's log must not be first */
	LOG_EVERY_S = 60,
	QUEUE_ID_MAX = 63,
	EVENTS_MAX = 64, /* ours: written at once */
	QUOTED = 256,
};

struct listener {
	struct gate_out *gate;
	const struct conf_hop *hop;
};

struct gate_out {
	struct loop *loop;
	const struct conf *conf;
	struct dns *dns;
	struct tls_ctx *tls; /* NULL: none to be had */
	struct store *store; /* NULL: not there */
	time_t store_tried;
	struct gate_out_numbers numbers;
	struct listener listeners[CONF_GATE_ROUTE_MAX];
	struct conf_hop pipe_hop;
	char pipe_id[QUEUE_ID_MAX + 1];
	bool pipe;
};

/* What a next hop took and the store does not know yet. */
struct taken {
	struct event event;
	char hop[REMOTE_MAX + 1], address[ADDRESS_MAX + 1];
	char words[EVENT_TEXT_MAX + 1];
};

/* One conversation.  It lives until its pump is closed and no look-up is
 * pending. */
struct talk {
	struct gate_out *gate;
	const struct conf_hop *hop;
	struct pump *pump;
	struct outbound *machine;
	struct gate_message *message;
	struct next next;
	size_t at; /* of next.addresses: connected to, or tried */
	bool looking, connected;
	bool ended; /* the MTA says nothing more */
	char envid[ENVID_MAX + 1];
	struct taken *taken; /* EVENTS_MAX; NULL: none yet */
	size_t taken_n;
	unsigned long id;
};

static struct log_limit no_store, not_written;

static void
talk_free(struct talk *t)
{
	outbound_free(&t->machine);
	gate_message_free(&t->message);
	free(t->taken);
	free(t);
}

/* A store that can't be had costs tracking, never mail. */
static bool
have_store(struct gate_out *g)
{
	char why[STORE_WHY_MAX];
	unsigned long missed;
	time_t now = time(NULL);

	if (g->store != NULL)
		return true;
	if (g->store_tried != 0 && now - g->store_tried < STORE_AGAIN_S)
		return false;
	g->store_tried = now;
	if (store_open(g->conf->store, STORE_WRITE, g->conf->store_limit,
		&g->store, why) == MTRK_OK)
		return true;
	if (log_allow(&no_store, LOG_EVERY_S, &missed))
		log_err(
		    "event=store text=\"%s\" mail=\"goes on, untracked\"", why);
	return false;
}

/* ---- the machine's doors ---- */

static void
write_taken(struct talk *t)
{
	const struct message m = { .number = gate_message_number(t->message),
		.envid = span_of(t->envid) };
	struct event events[EVENTS_MAX];
	enum mtrk_err err;
	unsigned long missed;

	if (t->taken_n == 0)
		return;
	for (size_t i = 0; i < t->taken_n; i++)
		events[i] = t->taken[i].event;
	err = store_hand(t->gate->store, &m, events, t->taken_n, STORE_WAIT_MS);
	if (err != MTRK_OK && err != MTRK_BUSY) {
		t->gate->numbers.unrecorded += t->taken_n;
		if (log_allow(&not_written, LOG_EVERY_S, &missed))
			log_err("event=store text=\"%s\" unrecorded=%llu",
			    mtrk_err_text(err),
			    (unsigned long long)t->gate->numbers.unrecorded);
	}
	t->taken_n = 0;
}

static bool
door_mail(void *arg, struct span envid, struct span sender, struct mtrk *mark,
    bool *give)
{
	struct talk *t = arg;
	struct gate_out *g = t->gate;
	const struct retention keep = { g->conf->retention_s,
		g->conf->retention_limit_s };

	*give = false;
	write_taken(t); /* of the message before */
	if (!span_copy(t->envid, sizeof t->envid, envid) || !have_store(g))
		return false;
	gate_message_begin(t->message, span_of(g->pipe_id), sender);
	if (store_find(g->store, envid, gate_message_offer, t->message) !=
		MTRK_OK ||
	    !gate_message_found(t->message))
		return false;
	*give = gate_message_mark(t->message, &keep, time(NULL), mark);
	return true;
}

static bool
door_rcpt(void *arg, struct span original, struct span address, uint32_t *index)
{
	const struct talk *t = arg;

	return gate_message_rcpt(t->message, original, address, index);
}

static struct span
keep(char *buf, size_t size, struct span s)
{
	if (s.n >= size)
		s.n = size - 1;
	span_copy(buf, size, s);
	return span_of(buf);
}

/* The name that a tracker can ask: the host's, as the DNS knows it; of a bare
 * address, what the host calls itself. */
static struct span
remote_name(const struct talk *t, struct span hop)
{
	const char *host = t->next.addresses[t->at].host;
	const char *last = strrchr(host, '.');
	bool numeric = strchr(host, ':') != NULL ||
	    (last != NULL && last[1] >= '0' && last[1] <= '9');

	return numeric && hop.n > 0 ? hop : span_of(host);
}

static void
door_taken(void *arg, uint32_t index, struct span address, bool transferred,
    struct span hop, struct span words)
{
	struct talk *t = arg;
	struct taken *k;

	if (t->taken == NULL &&
	    (t->taken = calloc(EVENTS_MAX, sizeof *t->taken)) == NULL) {
		t->gate->numbers.unrecorded++;
		return;
	}
	if (t->taken_n == EVENTS_MAX)
		write_taken(t);
	k = &t->taken[t->taken_n++];
	k->event = (struct event){
		.recipient = index,
		.time = time(NULL),
		.action = transferred ? ACTION_TRANSFERRED : ACTION_RELAYED,
		/* A21; T22: 2.1.9 is for relayed alone */
		.status = transferred ? STATUS(2, 4, 0) : STATUS(2, 1, 9),
		.remote_mta = keep(k->hop, sizeof k->hop, remote_name(t, hop)),
		.text = keep(k->words, sizeof k->words, words),
	};
	if (!gate_message_is_own(t->message, index, address))
		k->event.address = keep(k->address, sizeof k->address, address);
	if (transferred)
		t->gate->numbers.transferred++;
	else
		t->gate->numbers.relayed++;
}

/* ---- the pump's handler ---- */

static void
connect_at(struct talk *t)
{
	const struct next_address *a = &t->next.addresses[t->at];

	t->connected = false;
	pump_connect(
	    t->pump, (const struct sockaddr *)&a->sa, a->sa_size, NULL);
}

/* "code" in RFC 5321's and RFC 3463's words. */
static void
say_and_close(struct talk *t, const char *code, const char *why)
{
	buf_fmt(pump_out(t->pump, SIDE_CLIENT), "%s %s: %s\r\n", code,
	    t->hop->host, why);
	pump_close(t->pump, "no connection to the next hop");
}

static bool
next_address(struct talk *t)
{
	if (t->at + 1 >= t->next.addresses_n)
		return false;
	t->at++;
	connect_at(t);
	return true;
}

static void
move_output(struct talk *t)
{
	struct buf *mta = outbound_to_mta(t->machine),
		   *hop = outbound_to_hop(t->machine);

	write_taken(t); /* before the MTA can log it */
	if (mta->n > 0)
		buf_span(pump_out(t->pump, SIDE_CLIENT), buf_as_span(mta));
	if (hop->n > 0)
		buf_span(pump_out(t->pump, SIDE_SERVER), buf_as_span(hop));
	buf_free(mta);
	buf_free(hop);
}

static void begin_handshake(struct talk *);

/* Each wish is fulfilled once: doing it changes it. */
static void
settle(struct talk *t)
{
	move_output(t);
	switch (outbound_wish(t->machine)) {
	case OUTBOUND_HANDSHAKE:
		begin_handshake(t);
		break;
	case OUTBOUND_AGAIN:
		connect_at(t);
		outbound_reconnected(t->machine);
		break;
	case OUTBOUND_NEXT:
		outbound_next(t->machine, t->at + 2 < t->next.addresses_n);
		next_address(t);
		break;
	case OUTBOUND_CLOSE:
		pump_close(t->pump, "over");
		break;
	case OUTBOUND_GO:
		if (t->ended && outbound_drained(t->machine))
			pump_finish(t->pump, SIDE_SERVER);
		break;
	}
}

static void
begin_handshake(struct talk *t)
{
	outbound_shaking(t->machine);
	if (t->gate->tls != NULL) {
		pump_starttls(t->pump, SIDE_SERVER, t->gate->tls,
		    t->next.addresses[t->at].host);
		return;
	}
	outbound_tls_failed(t->machine);
	settle(t);
}

static size_t
on_input(struct pump *p, void *user, enum side from, struct span in)
{
	struct talk *t = user;
	bool ok;

	if (from == SIDE_CLIENT && !outbound_wants_mta(t->machine))
		return 0;
	ok = from == SIDE_CLIENT ? outbound_from_mta(t->machine, in)
				 : outbound_from_hop(t->machine, in);
	if (!ok) {
		pump_drop(p, "out of memory");
		return in.n;
	}
	settle(t);
	return in.n;
}

static void
not_connected(struct talk *t)
{
	char why[QUOTED];

	if (t->connected || outbound_owes(t->machine)) {
		outbound_hop_closed(t->machine);
		settle(t);
		return;
	}
	if (next_address(t))
		return;
	snprintf(why, sizeof why, "%m");
	say_and_close(t, "421 4.4.1", why);
}

static void
on_event(struct pump *p, void *user, enum side side, enum pump_event what)
{
	struct talk *t = user;

	switch (what) {
	case PUMP_CONNECTED:
		t->connected = true;
		break;
	case PUMP_NOT_CONNECTED:
		not_connected(t);
		break;
	case PUMP_SECURED:
		outbound_secured(t->machine, pump_verified(p, SIDE_SERVER));
		settle(t);
		break;
	case PUMP_TLS_FAILED:
		outbound_tls_failed(t->machine);
		settle(t);
		break;
	case PUMP_ENDED:
		if (side == SIDE_CLIENT)
			t->ended = true;
		else
			outbound_hop_closed(t->machine);
		settle(t);
		break;
	}
}

static void
on_closed(struct pump *p, void *user, const char *why)
{
	struct talk *t = user;
	struct outbound_numbers n = outbound_numbers(t->machine);

	(void)p;
	t->gate->numbers.unmarked += n.unmarked;
	t->gate->numbers.refused += n.refused;
	log_debug("gate=%lu event=close host=%s marked=%u unmarked=%u"
		  " refused=%u why=\"%s\"",
	    t->id, t->hop->host, n.marked, n.unmarked, n.refused, why);
	t->pump = NULL;
	if (t->gate->pipe)
		loop_stop(t->gate->loop);
	if (!t->looking)
		talk_free(t);
}

static const struct pump_handler handler = { on_input, on_event, on_closed };

/* ---- from the start of a conversation to its connection ---- */

/* In pipe mode the MTA leaves finding the host to us, and so the verdict that
 * there is none; a route's next hop is the administrator's to correct. */
static void
have_next(void *arg)
{
	struct talk *t = arg;
	bool gone = t->gate->pipe && t->next.err == MTRK_NOTFOUND;

	t->looking = false;
	if (t->pump == NULL) {
		talk_free(t);
		return;
	}
	if (t->next.addresses_n > 0) {
		outbound_next(t->machine, t->next.addresses_n > 1);
		connect_at(t);
	} else
		say_and_close(t, gone ? "554 5.1.2" : "421 4.4.3", t->next.why);
	pump_start(t->pump);
}

static bool
start_talk(struct gate_out *g, const struct conf_hop *hop, int in, int out)
{
	const struct outbound_doors doors = { door_mail, door_rcpt, door_taken,
		NULL };
	struct talk *t = calloc(1, sizeof *t);
	struct outbound_doors mine = doors;

	mine.arg = t;
	if (t != NULL) {
		t->gate = g;
		t->hop = hop;
		t->id = ++g->numbers.connections;
		t->message = gate_message_new(g->conf->hide_forwarding != 0);
		t->machine =
		    outbound_new(&mine, (enum outbound_tls)g->conf->hop_tls);
	}
	if (t == NULL || t->message == NULL || t->machine == NULL ||
	    (t->pump = pump_new(g->loop, in, out, &handler, t)) == NULL) {
		log_err("event=gate text=\"out of memory\"");
		if (t != NULL)
			talk_free(t);
		return false;
	}
	t->looking = true;
	next_find(&t->next, g->dns, hop, g->conf->reporting_mta, have_next, t);
	return true;
}

static void
on_accepted(void *arg, int fd, const struct sockaddr *peer, size_t peer_size)
{
	const struct listener *l = arg;
	char address[LOOP_ADDRESS];

	net_accepted(fd, peer, peer_size, address, sizeof address);
	start_talk(l->gate, l->hop, fd, fd);
}

enum mtrk_err
gate_out_listen(struct gate_out *g, char *why)
{
	for (size_t i = 0; i < g->conf->gate_routes; i++) {
		const struct conf_gate_route *r = &g->conf->gate_route[i];

		g->listeners[i] = (struct listener){ g, &r->hop };
		if (loop_accept(g->loop, r->listen.host,
			(uint16_t)r->listen.port, on_accepted,
			&g->listeners[i]) == MTRK_OK)
			continue;
		snprintf(why, GATE_OUT_WHY, "GateRoute %s port %u: %m",
		    r->listen.host, (unsigned)r->listen.port);
		return MTRK_IO;
	}
	return MTRK_OK;
}

static bool
unblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags != -1 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) != -1;
}

enum mtrk_err
gate_out_pipe(struct gate_out *g, const char *host, const char *queue_id)
{
	if (!conf_parse_hop(span_of(host), &g->pipe_hop) ||
	    !span_copy(g->pipe_id, sizeof g->pipe_id, span_of(queue_id)))
		return MTRK_SYNTAX;
	g->pipe = true;
	if (!unblock(STDIN_FILENO) || !unblock(STDOUT_FILENO))
		return MTRK_IO;
	return start_talk(g, &g->pipe_hop, STDIN_FILENO, STDOUT_FILENO)
	    ? MTRK_OK
	    : MTRK_NOMEM;
}

static void
on_dns(void *arg)
{
	dns_work(arg);
}

enum mtrk_err
gate_out_new(
    struct loop *l, const struct conf *conf, struct gate_out **out, char *why)
{
	const char *ca = conf->hop_ca[0] != '\0' ? conf->hop_ca : NULL;
	struct gate_out *g = calloc(1, sizeof *g);

	*out = g;
	if (g == NULL) {
		snprintf(why, GATE_OUT_WHY, "out of memory");
		return MTRK_NOMEM;
	}
	g->loop = l;
	g->conf = conf;
	if (tls_client_new(ca, &g->tls, why, GATE_OUT_WHY) != MTRK_OK) {
		gate_out_free(out);
		return MTRK_IO;
	}
	if (dns_open(NULL, &g->dns) != MTRK_OK ||
	    loop_watch(l, dns_fd(g->dns), on_dns, g->dns) != MTRK_OK) {
		snprintf(why, GATE_OUT_WHY, "DNS: %m");
		gate_out_free(out);
		return MTRK_IO;
	}
	return MTRK_OK;
}

void
gate_out_begin(struct gate_out *g)
{
	have_store(g);
}

void
gate_out_free(struct gate_out **gp)
{
	struct gate_out *g = *gp;

	*gp = NULL;
	if (g == NULL)
		return;
	dns_close(&g->dns);
	tls_ctx_free(&g->tls);
	store_close(&g->store);
	free(g);
}

struct gate_out_numbers
gate_out_numbers(const struct gate_out *g)
{
	return g->numbers;
}
