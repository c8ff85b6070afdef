#include "common/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "common/log.h"
#include "common/loop_private.h"
#include "common/net.h"

enum {
	SPARE_FDS = 64, /* ours: store, log, listeners, signals */
};

/* What a connection is waiting for; nothing else decides what it may do. */
enum wait {
	WAIT_REQUEST, /* the first octet of a line */
	WAIT_LINE, /* the rest of it */
	WAIT_FLUSH, /* that the peer reads: too much is queued */
	WAIT_LAST_FLUSH, /* the same, and then the end */
	WAIT_BEFORE_TLS, /* the same, and then a handshake */
	WAIT_TLS, /* the handshake */
	WAIT_GONE, /* its memory is freed by the next turn of the loop */
	WAIT_COUNT
};

static const struct {
	const char *name;
	bool reads; /* input is wanted */
	const char *too_late; /* what a passed limit means */
} waits[] = {
	[WAIT_REQUEST] = { "request", true, "idle" },
	[WAIT_LINE] = { "line", true, "request too slow" },
	[WAIT_FLUSH] = { "flush", false, "peer does not read" },
	[WAIT_LAST_FLUSH] = { "last-flush", false, "peer does not read" },
	[WAIT_BEFORE_TLS] = { "before-tls", false, "peer does not read" },
	[WAIT_TLS] = { "tls", true, "handshake too slow" },
	[WAIT_GONE] = { "gone", false, NULL },
};
_Static_assert(ARRAY_LEN(waits) == WAIT_COUNT, "a row for each");

struct conn {
	LIST_ENTRY(conn) others;
	struct loop *loop;
	const struct protocol *protocol;
	void *user;
	struct bufferevent *io;
	struct event *deadline;
	struct tls_ctx *tls; /* of the handshake to come; borrowed */
	enum wait wait;
	struct lines lines;
	const char *why; /* it ended */
	unsigned long id;
	char peer[LOOP_ADDRESS];
};

static unsigned
limit_of(const struct conn *c)
{
	const struct protocol *p = c->protocol;

	switch (c->wait) {
	case WAIT_REQUEST:
		return p->idle_s;
	case WAIT_LINE:
		return p->line_s;
	case WAIT_TLS:
		return p->tls_s;
	case WAIT_GONE:
		return 0;
	default:
		return p->flush_s;
	}
}

/* The only way to change state: never without a deadline, never back from
 * the end. */
static void
conn_wait(struct conn *c, enum wait next)
{
	struct timeval limit = { 0 };

	if (c->wait == WAIT_GONE)
		return;
	if (c->wait != next)
		log_debug("conn=%lu wait=%s next=%s", c->id,
		    waits[c->wait].name, waits[next].name);
	c->wait = next;
	limit.tv_sec = limit_of(c);
	evtimer_add(c->deadline, &limit);
	if (waits[next].reads)
		bufferevent_enable(c->io, EV_READ);
	else
		bufferevent_disable(c->io, EV_READ);
}

void
conn_drop(struct conn *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
	conn_wait(c, WAIT_GONE);
}

static size_t
queued(const struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->io));
}

void
conn_close(struct conn *c)
{
	if (c->why == NULL)
		c->why = "closed by us";
	conn_wait(c, queued(c) > 0 ? WAIT_LAST_FLUSH : WAIT_GONE);
}

void
conn_write(struct conn *c, struct span text)
{
	if (c->wait == WAIT_GONE)
		return;
	if (bufferevent_write(c->io, text.p, text.n) == -1)
		conn_drop(c, "out of memory");
}

unsigned long
conn_id(const struct conn *c)
{
	return c->id;
}

const char *
conn_peer(const struct conn *c)
{
	return c->peer;
}

static void
conn_free(struct conn *c)
{
	if (c->user != NULL)
		c->protocol->closed(c, c->user, c->why);
	LIST_REMOVE(c, others);
	c->loop->conns_n--;
	if (c->loop->draining && c->loop->conns_n == 0)
		event_base_loopbreak(c->loop->base);
	event_free(c->deadline);
	bufferevent_free(c->io);
	free(c);
}

/* Its time is over: first for what it waited for, then for the memory. */
static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->wait == WAIT_GONE)
		conn_free(c);
	else
		conn_drop(c, waits[c->wait].too_late);
}

/* Hand over one line, or its fault.  False: there is none yet. */
static bool
take_line(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->io);
	char copy[LOOP_LINE_MAX];
	struct span have, line = { copy, 0 };
	enum line what;
	size_t used;

	have.n = evbuffer_get_length(in);
	have.p = (const char *)evbuffer_pullup(in, -1);
	what = lines_next(&c->lines, have, &used, &line);
	if (what == LINE_OK && line.n > 0)
		memcpy(copy, line.p, line.n);
	line.p = copy;
	evbuffer_drain(in, used);
	if (what == LINE_MORE)
		return false;
	c->protocol->line(c, c->user, what, line);
	explicit_bzero(copy, line.n); /* it may have held a secret */
	return true;
}

static bool
takes_lines(const struct conn *c)
{
	return c->wait == WAIT_REQUEST || c->wait == WAIT_LINE;
}

/* Lines in order, as long as the peer reads the answers. */
static void
take_lines(struct conn *c)
{
	bool took = false;

	while (takes_lines(c) && queued(c) <= LOOP_OUTPUT_MAX && take_line(c))
		took = true;
	if (!takes_lines(c))
		return;
	if (queued(c) > LOOP_OUTPUT_MAX)
		conn_wait(c, WAIT_FLUSH);
	else if (c->lines.discarding ||
	    evbuffer_get_length(bufferevent_get_input(c->io)) > 0) {
		/* the deadline counts from the first octet */
		if (took || c->wait != WAIT_LINE)
			conn_wait(c, WAIT_LINE);
	} else
		conn_wait(c, WAIT_REQUEST);
}

static void
on_input(struct bufferevent *io, void *arg)
{
	(void)io;
	take_lines(arg);
}

static void on_event(struct bufferevent *, short what, void *arg);
static void on_sent(struct bufferevent *, void *arg);

static void
use_io(struct conn *c, struct bufferevent *io)
{
	c->io = io;
	bufferevent_setcb(io, on_input, on_sent, on_event, c);
	/* twice a line: enough to see that one is too long */
	bufferevent_setwatermark(io, EV_READ, 0, 2 * (c->protocol->line_max));
	bufferevent_enable(io, EV_WRITE);
}

/* On a bufferevent of its own; what was buffered in clear dies with the old
 * one (A44). */
static void
begin_tls(struct conn *c)
{
	evutil_socket_t fd = bufferevent_getfd(c->io);
	struct ssl_st *ssl = tls_server_ssl(c->tls);
	struct bufferevent *io;

	io = ssl == NULL
	    ? NULL
	    : bufferevent_openssl_socket_new(c->loop->base, fd, ssl,
		  BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (io == NULL) {
		conn_drop(c, "no TLS to be had");
		return;
	}
	bufferevent_setfd(c->io, -1); /* the socket has moved */
	bufferevent_free(c->io);
	bufferevent_openssl_set_allow_dirty_shutdown(io, 1);
	use_io(c, io);
	conn_wait(c, WAIT_TLS);
}

void
conn_starttls(struct conn *c, struct span last_words, struct tls_ctx *ctx)
{
	if (evbuffer_get_length(bufferevent_get_input(c->io)) > 0) {
		conn_drop(c, "octets in clear behind STARTTLS");
		return;
	}
	conn_write(c, last_words);
	c->tls = ctx;
	conn_wait(c, WAIT_BEFORE_TLS);
}

/* Everything queued has been sent. */
static void
on_sent(struct bufferevent *io, void *arg)
{
	struct conn *c = arg;

	(void)io;
	switch (c->wait) {
	case WAIT_FLUSH:
		conn_wait(c, WAIT_REQUEST);
		take_lines(c);
		break;
	case WAIT_LAST_FLUSH:
		conn_wait(c, WAIT_GONE);
		break;
	case WAIT_BEFORE_TLS:
		begin_tls(c);
		break;
	default:
		break;
	}
}

static void
on_event(struct bufferevent *io, short what, void *arg)
{
	struct conn *c = arg;

	if (what & BEV_EVENT_CONNECTED && c->wait == WAIT_TLS) {
		conn_wait(c, WAIT_REQUEST);
		c->protocol->secured(c, c->user);
	} else if (what & BEV_EVENT_EOF) {
		take_lines(c); /* what came in front is still answered */
		if (c->why == NULL)
			c->why = "closed by the peer";
		conn_close(c);
	} else if (what & BEV_EVENT_ERROR) {
		conn_drop(c,
		    c->wait == WAIT_TLS ? "handshake failed"
					: "connection lost");
	}
	(void)io;
}

static void
refuse(evutil_socket_t fd, const struct protocol *p)
{
	static struct log_limit often;
	unsigned long missed;

	if (log_allow(&often, 60, &missed))
		log_warn("event=refused protocol=%s text=\"too many"
			 " connections\" missed=%lu",
		    p->name, missed);
	(void)!write(fd, p->refusal, strlen(p->refusal));
	evutil_closesocket(fd);
}

/* Takes the socket, also when it fails. */
static struct conn *
conn_new(struct loop *l, const struct protocol *p, evutil_socket_t fd)
{
	struct conn *c = calloc(1, sizeof *c);
	struct bufferevent *io;

	io = bufferevent_socket_new(l->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (io == NULL || c == NULL ||
	    (c->deadline = evtimer_new(l->base, on_deadline, c)) == NULL) {
		if (io != NULL)
			bufferevent_free(io);
		else
			evutil_closesocket(fd);
		free(c);
		return NULL;
	}
	c->loop = l;
	c->protocol = p;
	c->lines.max = p->line_max;
	c->id = ++l->last_id;
	use_io(c, io);
	LIST_INSERT_HEAD(&l->conns, c, others);
	l->conns_n++;
	return c;
}

static void
on_accept(void *arg, int fd, const struct sockaddr *peer, size_t peer_size)
{
	struct source *s = arg;
	struct conn *c;

	if (s->loop->conns_n >= s->loop->conns_max) {
		refuse(fd, s->protocol);
		return;
	}
	if ((c = conn_new(s->loop, s->protocol, fd)) == NULL)
		return;
	net_accepted(fd, peer, peer_size, c->peer, sizeof c->peer);
	conn_wait(c, WAIT_REQUEST);
	if ((c->user = s->protocol->opened(c, s->arg)) == NULL)
		conn_drop(c, "not wanted");
}

enum mtrk_err
loop_listen(struct loop *l, const char *host, uint16_t port,
    const struct protocol *p, void *arg)
{
	return loop_source_listen(l, host, port, p, on_accept, arg);
}

enum mtrk_err
loop_new(unsigned conns_max, struct loop **out)
{
	struct loop *l = calloc(1, sizeof *l);

	*out = NULL;
	if (l == NULL || (l->base = event_base_new()) == NULL) {
		free(l);
		return MTRK_NOMEM;
	}
	LIST_INIT(&l->conns);
	LIST_INIT(&l->sources);
	l->conns_max = conns_max;
	net_allow_descriptors(conns_max + SPARE_FDS);
	*out = l;
	return MTRK_OK;
}

void
loop_free(struct loop **loop)
{
	struct loop *l = *loop;
	struct conn *c, *next;

	*loop = NULL;
	if (l == NULL)
		return;
	for (c = LIST_FIRST(&l->conns); c != NULL; c = next) {
		next = LIST_NEXT(c, others);
		conn_free(c);
	}
	loop_sources_free(l);
	event_base_free(l->base);
	free(l);
}

enum mtrk_err
loop_run(struct loop *l)
{
	return event_base_dispatch(l->base) == -1 ? MTRK_IO : MTRK_OK;
}

void
loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

void
loop_drain(struct loop *l)
{
	struct conn *c;

	l->draining = true;
	loop_deaf(l);
	LIST_FOREACH(c, &l->conns, others)
	if (c->wait == WAIT_TLS || c->wait == WAIT_BEFORE_TLS)
		conn_drop(c, "we stop");
	else
		conn_close(c);
	if (l->conns_n == 0)
		loop_stop(l);
}

const char *
loop_version(void)
{
	return event_get_version();
}
