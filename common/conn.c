#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/conn_private.h"
#include "common/log.h"

enum { ROUNDS = 4 /* reads in one turn, so that others get theirs */ };

static const struct {
	const char *name;
	bool reads; /* input is wanted */
	bool lines; /* ... and taken as lines */
	const char *too_late; /* what a passed limit means */
} waits[] = {
	[WAIT_REQUEST] = { "request", true, true, "idle" },
	[WAIT_LINE] = { "line", true, true, "request too slow" },
	[WAIT_ANSWER] = { "answer", false, false, "no answer in time" },
	[WAIT_PAUSE] = { "pause", false, false, NULL },
	[WAIT_FLUSH] = { "flush", false, false, "peer does not read" },
	[WAIT_LAST_FLUSH] = { "last-flush", false, false,
	    "peer does not read" },
	[WAIT_BEFORE_TLS] = { "before-tls", false, false,
	    "peer does not read" },
	[WAIT_TLS] = { "tls", true, false, "handshake too slow" },
	[WAIT_GONE] = { "gone", false, false, NULL },
};
_Static_assert(ARRAY_LEN(waits) == WAIT_COUNT, "a row for each");

static unsigned
limit_of(const struct conn *c)
{
	const struct protocol *p = c->protocol;

	switch (c->wait) {
	case WAIT_REQUEST:
		return p->idle_s;
	case WAIT_LINE:
		return p->line_s;
	case WAIT_ANSWER:
		return p->answer_s;
	case WAIT_PAUSE:
		return c->pause_s;
	case WAIT_TLS:
		return p->tls_s;
	case WAIT_GONE:
		return 0;
	default:
		return p->flush_s;
	}
}

static void
want(struct conn *c, bool write)
{
	unsigned what = (waits[c->wait].reads ? WATCH_READ : 0u) |
	    (write ? WATCH_WRITE : 0u);

	if (!watch_want(c->watch, what))
		log_err("conn=%lu event=watch text=\"out of memory\"", c->id);
}

/* The only way to change state: never without a deadline, never back from
 * the end. */
static void
conn_wait(struct conn *c, enum wait next)
{
	if (c->wait == WAIT_GONE)
		return;
	if (c->wait != next)
		log_debug("conn=%lu wait=%s next=%s", c->id,
		    waits[c->wait].name, waits[next].name);
	c->wait = next;
	alarm_set(c->late, limit_of(c));
	want(c, false);
}

void
conn_drop(struct conn *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
	conn_wait(c, WAIT_GONE);
}

static ptrdiff_t
put(struct conn *c, const char *p, size_t n)
{
	return c->secure ? tls_write(c->tls, p, n)
			 : send(c->fd, p, n, MSG_NOSIGNAL);
}

static ptrdiff_t
get(struct conn *c, char *p, size_t n)
{
	return c->secure ? tls_read(c->tls, p, n) : recv(c->fd, p, n, 0);
}

static bool
may_come(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* True: all that was queued has been sent. */
static bool
send_queued(struct conn *c)
{
	while (conn_queued(c) > 0) {
		ptrdiff_t n = put(c, c->out.p + c->sent, conn_queued(c));

		if (n > 0) {
			c->sent += (size_t)n;
			continue;
		}
		if (n == -1 && may_come())
			want(c, true);
		else
			conn_drop(c, "connection lost");
		return false;
	}
	conn_give_back(c);
	return true;
}

/* Everything queued has been sent. */
static void
after_sent(struct conn *c)
{
	switch (c->wait) {
	case WAIT_FLUSH:
		conn_wait(c, WAIT_REQUEST);
		watch_wake(c->watch);
		break;
	case WAIT_LAST_FLUSH:
		conn_wait(c, WAIT_GONE);
		break;
	case WAIT_BEFORE_TLS:
		c->secure = true;
		conn_wait(c, WAIT_TLS);
		break;
	default:
		want(c, false);
		break;
	}
}

static void
flush(struct conn *c)
{
	if (c->out.err != MTRK_OK)
		conn_drop(c, "out of memory");
	/* in a handshake or a pause, what is queued has to wait too */
	if (c->wait != WAIT_TLS && c->wait != WAIT_PAUSE &&
	    c->wait != WAIT_GONE && send_queued(c))
		after_sent(c);
	conn_account(c);
}

void
conn_close(struct conn *c)
{
	if (c->why == NULL)
		c->why = "closed by us";
	conn_wait(c, WAIT_LAST_FLUSH);
	conn_written(c);
}

void
conn_written(struct conn *c)
{
	if (!c->serving)
		flush(c);
}

void
conn_write(struct conn *c, struct span text)
{
	if (c->wait == WAIT_GONE)
		return;
	buf_span(conn_out(c), text);
	conn_written(c);
}

void
conn_starttls(struct conn *c, struct tls_ctx *ctx, const char *fqdn)
{
	if (c->behind > 0)
		conn_drop(c, "octets in clear behind STARTTLS");
	else if ((c->tls = tls_accept(ctx, c->fd, fqdn)) == NULL)
		conn_drop(c, "no TLS to be had");
	else
		conn_wait(c, WAIT_BEFORE_TLS);
	conn_written(c);
}

void
conn_pause(struct conn *c, unsigned seconds)
{
	if (c->wait == WAIT_REQUEST || c->wait == WAIT_LINE) {
		c->pause_s = seconds;
		conn_wait(c, WAIT_PAUSE);
	}
}

void
conn_hold(struct conn *c)
{
	conn_wait(c, WAIT_ANSWER);
}

void
conn_resume(struct conn *c)
{
	if (c->wait != WAIT_ANSWER)
		return;
	conn_wait(c, WAIT_REQUEST);
	conn_written(c);
	watch_wake(c->watch);
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

const struct net_ip *
conn_ip(const struct conn *c)
{
	return &c->ip;
}

const struct tls *
conn_tls(const struct conn *c)
{
	return c->secure ? c->tls : NULL;
}

static void
conn_unmake(struct conn *c)
{
	tls_free(&c->tls);
	watch_free(&c->watch);
	alarm_free(&c->late);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

static void
conn_free(struct conn *c)
{
	const struct protocol *p = c->protocol;
	struct loop *l = c->loop;

	if (c->user != NULL)
		p->closed(c, c->user, c->why);
	LIST_REMOVE(c, others);
	l->held -= c->counted;
	l->room->held -= c->counted;
	conn_unmake(c);
	loop_left(l, p);
}

static bool
takes_lines(const struct conn *c)
{
	return waits[c->wait].lines;
}

static void
wait_for_more(struct conn *c, size_t left, bool took)
{
	if (conn_queued(c) > LOOP_OUTPUT_MAX)
		conn_wait(c, WAIT_FLUSH);
	else if (left == 0 && !c->lines.discarding)
		conn_wait(c, WAIT_REQUEST);
	else if (took || c->wait != WAIT_LINE)
		conn_wait(c, WAIT_LINE); /* from its first octet on */
}

/* Hand over the lines among `n` octets of the loop's input, in order, as long
 * as the peer reads the answers; what is left over is kept. */
static void
serve(struct conn *c, size_t n)
{
	char *input = c->loop->input;
	size_t at = 0, used;
	bool took = false;

	while (takes_lines(c) && conn_queued(c) <= LOOP_OUTPUT_MAX) {
		struct span line = { input, 0 };
		enum line what = lines_next(&c->lines,
		    (struct span){ input + at, n - at }, &used, &line);

		at += used;
		c->behind = n - at;
		if (what == LINE_MORE)
			break;
		c->protocol->line(c, c->user, what, line);
		took = true;
	}
	if (takes_lines(c))
		wait_for_more(c, n - at, took);
	if (c->wait != WAIT_GONE && c->wait != WAIT_LAST_FLUSH)
		buf_add(&c->in, input + at, n - at);
	explicit_bzero(input, n); /* it may have held a secret */
}

/* False: that was all, for now or for ever. */
static bool
take_some(struct conn *c)
{
	size_t had = conn_unkeep(c), room = LOOP_READ;
	ptrdiff_t n = 0;

	if (had <= LOOP_READ)
		n = get(c, c->loop->input + had, room);
	if (n == -1 && !may_come()) {
		conn_drop(c, "connection lost");
		return false;
	}
	serve(c, had + (n > 0 ? (size_t)n : 0));
	if (n == 0 && had <= LOOP_READ && takes_lines(c)) {
		if (c->why == NULL)
			c->why = "closed by the peer";
		conn_close(c);
	}
	return n == (ptrdiff_t)room || (n > 0 && tls_pending(conn_tls(c)));
}

static void
take_lines(struct conn *c)
{
	bool more = true;

	c->serving = true;
	for (unsigned i = 0; more && takes_lines(c) && i < ROUNDS; i++)
		more = take_some(c);
	c->serving = false;
	flush(c);
	if (more && takes_lines(c))
		watch_wake(c->watch);
}

static void
handshake(struct conn *c)
{
	switch (tls_handshake(c->tls)) {
	case TLS_DONE:
		conn_wait(c, WAIT_REQUEST);
		c->protocol->secured(c, c->user);
		watch_wake(
		    c->watch); /* more may have come with its last octets */
		break;
	case TLS_WANTS_READ:
		watch_want(c->watch, WATCH_READ);
		break;
	case TLS_WANTS_WRITE:
		watch_want(c->watch, WATCH_WRITE);
		break;
	case TLS_FAILED:
		conn_drop(c, "handshake failed");
	}
}

/* Its time is over: first for what it waited for, then for the memory. */
static void
on_late(void *arg)
{
	struct conn *c = arg;

	if (c->wait == WAIT_GONE) {
		conn_free(c);
	} else if (c->wait == WAIT_PAUSE) {
		conn_wait(c, WAIT_REQUEST);
		flush(c);
		watch_wake(c->watch);
	} else {
		conn_drop(c, waits[c->wait].too_late);
	}
}

static void
on_ready(void *arg, unsigned what)
{
	struct conn *c = arg;

	if (c->wait == WAIT_TLS)
		handshake(c);
	else if (what == WATCH_WRITE)
		flush(c);
	else if (takes_lines(c))
		take_lines(c);
}

static void
refuse(int fd, const struct protocol *p, const char *why)
{
	static struct log_limit often;
	unsigned long missed;

	if (log_allow(&often, 60, &missed))
		log_warn("event=refused protocol=%s text=\"%s\" missed=%lu",
		    p->name, why, missed);
	if (p->refusal != NULL)
		(void)!write(fd, p->refusal, strlen(p->refusal));
	close(fd);
}

static struct conn *
conn_new(struct loop *l, const struct protocol *p, int fd)
{
	struct conn *c = calloc(1, sizeof *c);

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->loop = l;
	c->protocol = p;
	c->fd = fd;
	c->lines.max = p->line_max;
	c->in = BUF(2 * (size_t)LOOP_READ);
	c->out = BUF(SIZE_MAX);
	c->id = ++l->room->last_id;
	c->watch = watch_new(l, fd, on_ready, c);
	c->late = alarm_new(l, on_late, c);
	if (c->watch == NULL || c->late == NULL) {
		conn_unmake(c);
		return NULL;
	}
	LIST_INSERT_HEAD(&l->conns, c, others);
	return c;
}

static void
miss(const struct protocol *p, void *arg, const struct net_ip *ip)
{
	if (p->missed != NULL)
		p->missed(arg, ip);
}

static void
begin(struct conn *c, void *arg)
{
	conn_wait(c, WAIT_REQUEST);
	c->serving = true;
	if ((c->user = c->protocol->opened(c, arg)) == NULL) {
		miss(c->protocol, arg, &c->ip);
		conn_drop(c, "not wanted");
	}
	c->serving = false;
	flush(c);
}

void
conn_accepted(struct loop *l, const struct protocol *p, void *arg, int fd,
    const struct sockaddr *peer, size_t peer_len)
{
	struct net_ip ip = net_ip_of(peer);
	const char *why = NULL;
	struct conn *c;

	if (++l->room->conns[p->aside] > l->room->conns_max[p->aside])
		why = "too many connections";
	else if (p->refuses != NULL)
		why = p->refuses(arg, &ip);
	if (why != NULL) {
		refuse(fd, p, why);
		loop_left(l, p);
	} else if ((c = conn_new(l, p, fd)) == NULL) {
		miss(p, arg, &ip);
		loop_left(l, p);
	} else {
		c->ip = ip;
		net_accepted(fd, peer, peer_len, c->peer, sizeof c->peer);
		begin(c, arg);
	}
}

void
conns_drain(struct loop *l)
{
	struct conn *c;

	LIST_FOREACH(c, &l->conns, others)
		if (c->wait == WAIT_TLS || c->wait == WAIT_BEFORE_TLS)
			conn_drop(c, "we stop");
		else
			conn_close(c);
}

void
conns_free(struct loop *l)
{
	struct conn *c;

	while ((c = LIST_FIRST(&l->conns)) != NULL)
		conn_free(c); /* NOLINT(clang-analyzer-unix.Malloc) */
}
