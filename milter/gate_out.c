#include "milter/gate_out.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/conf_address.h"
#include "common/log.h"
#include "common/net.h"
#include "milter/gate_book.h"
#include "milter/gate_next.h"
#include "milter/gate_outbound.h"

enum {
	QUEUE_ID_MAX = 63,
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
	struct gate_book *book;
	unsigned long talks; /* that there were */
	struct listener listeners[CONF_GATE_ROUTE_MAX];
	struct conf_hop pipe_hop;
	char pipe_id[QUEUE_ID_MAX + 1];
	bool pipe;
	enum pump_ending ending;
};

/* One conversation.  It lives until its pump is closed and no look-up is
 * pending. */
struct talk {
	struct gate_out *gate;
	const struct conf_hop *hop;
	struct pump *pump;
	struct outbound *machine;
	struct gate_page *page;
	struct next next;
	size_t at; /* of next.addresses: connected to, or tried */
	bool looking, connected;
	bool ended; /* the MTA says nothing more */
	unsigned long id;
};

static void
talk_free(struct talk *t)
{
	outbound_free(&t->machine);
	gate_page_free(&t->page);
	free(t);
}

/* ---- the pump's handler ---- */

static void
connect_at(struct talk *t)
{
	const struct next_address *a = &t->next.addresses[t->at];

	t->connected = false;
	outbound_next(t->machine, t->at + 1 < t->next.addresses_n);
	gate_page_host(t->page, a->host);
	pump_connect(
	    t->pump, (const struct sockaddr *)&a->sa, a->sa_size, NULL);
}

/* `code` and `status` in RFC 5321's and RFC 3463's words. */
static void
say_and_close(
    struct talk *t, const char *code, const char *status, const char *why)
{
	char host[QUOTED];

	buf_fmt(pump_out(t->pump, SIDE_CLIENT), "%s%s %s: %s\r\n", code, status,
	    t->hop->host, why);
	log_warn("gate=%lu event=no-connection next_hop=\"%s\" port=%" PRIu64
		 " text=\"%s\" reply=\"%s%s\"",
	    t->id, log_quote(span_of(t->hop->host), host, sizeof host),
	    t->hop->port, why, code, status);
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
move(struct talk *t, struct buf *from, enum side to)
{
	if (from->n > 0)
		buf_span(pump_out(t->pump, to), buf_as_span(from));
	buf_free(from);
}

/* What has happened is in the store before the MTA can log it.  False: the MTA
 * gets nothing before on_written(). */
static bool
move_output(struct talk *t)
{
	move(t, outbound_to_hop(t->machine), SIDE_SERVER);
	if (!gate_page_write(t->page))
		return false;
	move(t, outbound_to_mta(t->machine), SIDE_CLIENT);
	return true;
}

static void begin_handshake(struct talk *);

static const char *
host_quoted(const struct talk *t, char *buf, size_t size)
{
	const char *host = t->at < t->next.addresses_n
	    ? t->next.addresses[t->at].host
	    : t->hop->host;

	return log_quote(span_of(host), buf, size);
}

/* What is required says so itself, at the end. */
static void
tls_failed(struct talk *t, const char *why)
{
	char host[QUOTED];

	if (t->gate->conf->hop_tls != OUTBOUND_TLS_VERIFY)
		log_warn("gate=%lu event=tls host=\"%s\" text=\"%s\""
			 " mail=\"goes in clear\"",
		    t->id, host_quoted(t, host, sizeof host), why);
	outbound_tls_failed(t->machine, why);
}

/* Each wish is fulfilled once: doing it changes it. */
static void
settle(struct talk *t)
{
	if (!move_output(t))
		return;
	switch (outbound_wish(t->machine)) {
	case OUTBOUND_HANDSHAKE:
		begin_handshake(t);
		break;
	case OUTBOUND_AGAIN:
		connect_at(t);
		outbound_reconnected(t->machine);
		break;
	case OUTBOUND_NEXT:
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
	tls_failed(t, "no TLS to be had");
	settle(t);
}

static void
on_written(void *arg)
{
	struct talk *t = arg;

	settle(t);
	pump_start(t->pump);
}

/* The MTA tries again, and loses nothing: only the word that a message was
 * taken must still reach it. */
static void
end_if_due(struct pump *p, void *user)
{
	struct talk *t = user;

	(void)p;
	if (outbound_wish(t->machine) == OUTBOUND_CLOSE ||
	    (t->gate->ending == PUMP_ENDS_ALL
		    ? outbound_awaits_verdict(t->machine)
		    : !outbound_idle(t->machine)))
		return;
	outbound_end(t->machine, "4.3.2 the gate is being stopped");
	settle(t);
}

static size_t
on_input(struct pump *p, void *user, enum side from, struct span in)
{
	struct talk *t = user;
	bool ok;

	if (from == SIDE_CLIENT
		? !outbound_wants_mta(t->machine) ||
		    t->gate->ending == PUMP_ENDS_ALL
		: outbound_to_mta(t->machine)->n > OUTBOUND_INPUT_MAX)
		return 0;
	ok = from == SIDE_CLIENT ? outbound_from_mta(t->machine, in)
				 : outbound_from_hop(t->machine, in);
	if (!ok) {
		pump_drop(p, "out of memory");
		return in.n;
	}
	settle(t);
	if (from == SIDE_SERVER && t->gate->ending != PUMP_GOES_ON &&
	    outbound_wish(t->machine) == OUTBOUND_GO)
		end_if_due(p, t);
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
	say_and_close(t, "421", " 4.4.1", why);
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
		outbound_secured(t->machine, pump_why_not(p, SIDE_SERVER));
		settle(t);
		break;
	case PUMP_TLS_FAILED:
		tls_failed(t, pump_why_not(p, SIDE_SERVER));
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
log_end(const struct talk *t, const char *why)
{
	struct outbound_numbers n = outbound_numbers(t->machine);
	const char *words, *detail;
	char host[QUOTED];

	if (outbound_gave_up(t->machine, &words, &detail))
		log_warn(
		    "gate=%lu event=gave-up host=\"%s\" reply=\"421 %s%s%s\"",
		    t->id, host_quoted(t, host, sizeof host), words,
		    *detail != '\0' ? ": " : "", detail);
	log_debug("gate=%lu event=close host=\"%s\" marked=%u unmarked=%u"
		  " refused=%u why=\"%s\"",
	    t->id, log_quote(span_of(t->hop->host), host, sizeof host),
	    n.marked, n.unmarked, n.refused, why);
}

static void
on_closed(struct pump *p, void *user, const char *why)
{
	struct talk *t = user;

	(void)p;
	log_end(t, why);
	t->pump = NULL;
	if (t->gate->pipe)
		loop_stop(t->gate->loop);
	if (!t->looking)
		talk_free(t);
}

static const struct pump_handler handler = { on_input, on_event, on_closed };

void
gate_out_end(struct gate_out *g, enum pump_ending how)
{
	g->ending = how;
	pump_each(&handler, end_if_due);
}

/* ---- from the start of a conversation to its connection ---- */

/* In pipe mode the MTA leaves finding the host to us, and so the verdict that
 * there is none; a route's next hop is the administrator's to correct. */
static void
say_no_next(struct talk *t)
{
	const char *code = t->next.code; /* "554 5.1.2" */

	if (t->next.err != MTRK_NOTFOUND)
		say_and_close(t, "421", " 4.4.3", t->next.why);
	else if (t->gate->pipe)
		say_and_close(t, code, "", t->next.why);
	else
		say_and_close(
		    t, "421 4", code + sizeof "554 5" - 1, t->next.why);
}

static void
have_next(void *arg)
{
	struct talk *t = arg;

	t->looking = false;
	if (t->pump == NULL) {
		talk_free(t);
		return;
	}
	if (t->next.addresses_n > 0)
		connect_at(t);
	else
		say_no_next(t);
	pump_start(t->pump);
}

static struct talk *
talk_new(struct gate_out *g, const struct conf_hop *hop)
{
	struct talk *t = calloc(1, sizeof *t);
	struct outbound_doors doors;

	if (t == NULL)
		return NULL;
	t->gate = g;
	t->hop = hop;
	t->id = ++g->talks;
	if ((t->page = gate_page_new(g->book, on_written, t)) != NULL) {
		doors = gate_page_doors(t->page);
		t->machine =
		    outbound_new(&doors, (enum outbound_tls)g->conf->hop_tls);
	}
	if (t->machine == NULL) {
		talk_free(t);
		return NULL;
	}
	return t;
}

/* Takes the descriptors, also when it fails. */
static bool
start_talk(struct gate_out *g, const struct conf_hop *hop, int in, int out)
{
	struct talk *t = talk_new(g, hop);

	if (t != NULL) {
		t->pump = pump_new(g->loop, in, out, &handler, t);
	} else {
		close(in);
		if (out != in)
			close(out);
	}
	if (t == NULL || t->pump == NULL) {
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
	if ((g->book = gate_book_new(l, conf, g->pipe_id)) == NULL) {
		gate_out_free(out);
		snprintf(why, GATE_OUT_WHY, "out of memory");
		return MTRK_NOMEM;
	}
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
	gate_book_open(g->book);
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
	gate_book_free(&g->book);
	free(g);
}
