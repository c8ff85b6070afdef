#include "milter/gate_pump.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"
#include "milter/gate_end.h"

struct pump {
	LIST_ENTRY(pump) others;
	struct loop *loop;
	const struct pump_handler *handler;
	void *user;
	struct end end[SIDES];
	struct alarm *alarm;
	time_t moved; /* when something last did */
	unsigned limit_s; /* that the alarm is set for */
	/* A server's socket whose queue is full: asked again, until
	 * `connect_by` (TCP would do that by itself) */
	const struct sockaddr *full;
	size_t full_size;
	time_t connect_by;
	const char *why;
	bool closing, gone;
};

static LIST_HEAD(, pump) pumps = LIST_HEAD_INITIALIZER(pumps);
static unsigned pumps_n;

/* One thread, one turn at a time: what a turn reads and writes passes through
 * these, and only what can't be sent at once is kept by its pump. */
static char read_here[PUMP_READ];
static struct buf turn_out[SIDES] = { { .max = SIZE_MAX / 2 },
	{ .max = SIZE_MAX / 2 } };
static struct pump *turn_of;

static enum side
side_of(const struct end *e)
{
	return e == &e->pump->end[SIDE_CLIENT] ? SIDE_CLIENT : SIDE_SERVER;
}

static struct end *
other(struct end *e)
{
	return &e->pump->end[side_of(e) == SIDE_CLIENT ? SIDE_SERVER
						       : SIDE_CLIENT];
}

static time_t
now_s(void)
{
	return (time_t)(clock_coarse_ms() / 1000);
}

void
pump_drop(struct pump *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	p->gone = true;
}

void
pump_close(struct pump *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	p->closing = true;
}

static bool
in_handshake(const struct end *e)
{
	return e->doing == BEFORE_TLS || e->doing == HANDSHAKE;
}

static bool
in_any_handshake(const struct pump *p)
{
	return in_handshake(&p->end[SIDE_CLIENT]) ||
	    in_handshake(&p->end[SIDE_SERVER]);
}

static void settle(struct pump *);
static void on_in(void *arg, unsigned what);
static void on_out(void *arg, unsigned what);

static void
on_both(void *arg, unsigned what)
{
	(what == WATCH_READ ? on_in : on_out)(arg, what);
}

/* ---- what the handler is told ---- */

static void
tell(struct end *e, enum pump_event what)
{
	struct pump *p = e->pump;

	p->moved = now_s();
	p->handler->event(p, p->user, side_of(e), what);
	other(e)->look = true;
}

/* Fresh octets, behind those that are held if there are such. */
static void
show(struct end *e, struct span fresh)
{
	struct pump *p = e->pump;
	struct span all = fresh;
	size_t n;

	e->look = false;
	if (e->held.n > 0) {
		buf_span(&e->held, fresh);
		all = buf_as_span(&e->held);
	}
	if (all.n == 0)
		return;
	n = p->handler->input(p, p->user, side_of(e), all);
	if (n > 0)
		other(e)->look = other(e)->held.n > 0;
	if (e->held.n > 0)
		buf_drop(&e->held, n);
	else if (n < fresh.n)
		buf_span(&e->held, span_from(fresh, n));
	if (e->held.n == 0 && e->held.p != NULL)
		buf_free(&e->held);
	if (e->held.err != MTRK_OK)
		pump_drop(p, "out of memory");
}

/* ---- TLS ---- */

void
pump_starttls(
    struct pump *p, enum side side, struct tls_ctx *ctx, const char *name)
{
	struct end *e = &p->end[side];

	e->next_tls = side == SIDE_CLIENT ? tls_accept(ctx, e->in_fd, NULL)
					  : tls_connecting(ctx, e->in_fd, name);
	if (e->next_tls == NULL)
		pump_drop(p, "no TLS to be had");
	e->doing = BEFORE_TLS;
}

static void
begin_handshake(struct end *e)
{
	if (e->held.n > 0) {
		pump_drop(e->pump, "octets in clear behind STARTTLS");
		return;
	}
	e->tls = e->next_tls;
	e->next_tls = NULL;
	e->pump->moved = now_s();
	e->doing = HANDSHAKE;
}

static unsigned
handshake(struct end *e)
{
	switch (tls_handshake(e->tls)) {
	case TLS_WANTS_READ:
		return WATCH_READ;
	case TLS_WANTS_WRITE:
		return WATCH_WRITE;
	case TLS_DONE:
		e->doing = OPEN;
		tell(e, PUMP_SECURED);
		return 0;
	default:
		e->doing = DEAD;
		tell(e, PUMP_TLS_FAILED);
		return 0;
	}
}

const char *
pump_why_not(const struct pump *p, enum side side)
{
	const struct tls *tls = p->end[side].tls;
	const char *why_not = NULL;

	if (tls != NULL && tls_verified(tls, &why_not))
		return NULL;
	return why_not != NULL ? why_not : "too slow";
}

/* ---- a turn ---- */

static unsigned
limit_of(const struct pump *p)
{
	const struct end *c = &p->end[SIDE_CLIENT], *s = &p->end[SIDE_SERVER];

	if (p->full != NULL)
		return PUMP_AGAIN_S;
	if (s->doing == CONNECTING)
		return PUMP_CONNECT_S;
	if (in_handshake(s))
		return PUMP_HOP_TLS_S;
	if (in_handshake(c))
		return PUMP_TLS_S;
	if ((c->queue.n > 0 || s->queue.n > 0) &&
	    (p->closing || c->ended || s->ended))
		return PUMP_FLUSH_S;
	return PUMP_IDLE_S;
}

/* Of a client a part is answered here, so that it must take what it has caused.
 * A server that takes nothing is heard all the same: it may say why. */
static bool
wants_input(struct end *e)
{
	return e->doing == OPEN && !e->ended && !e->pump->closing &&
	    !in_any_handshake(e->pump) && e->held.n < PUMP_HELD_MAX &&
	    other(e)->queue.n < PUMP_QUEUE_MAX &&
	    (side_of(e) == SIDE_SERVER || e->queue.n < PUMP_QUEUE_MAX);
}

static void
receive(struct end *e)
{
	ptrdiff_t n = end_receive(e, read_here, sizeof read_here);

	if (n > 0) {
		e->pump->moved = now_s();
		show(e, (struct span){ read_here, (size_t)n });
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		e->ended = true;
		e->look = e->held.n > 0;
		if (n < 0)
			end_dead(e);
	}
}

/* Everything that can be done now, in the order in which one thing leads to
 * the next.  True: something was. */
static bool
step(struct end *e)
{
	struct buf *fresh = &turn_out[side_of(e)];

	if (end_flush(e, fresh))
		e->pump->moved = now_s();
	if (fresh->err != MTRK_OK || e->queue.err != MTRK_OK)
		pump_drop(e->pump, "out of memory");
	if (e->pump->gone)
		return false;
	if (e->doing == BEFORE_TLS && e->queue.n == 0) {
		begin_handshake(e);
		return true;
	}
	if (in_any_handshake(e->pump) || e->pump->closing)
		return false;
	if (e->look) {
		show(e, (struct span){ NULL, 0 });
		return true;
	}
	if (wants_input(e) && tls_pending(e->tls)) {
		receive(e);
		return true;
	}
	if (e->failed) {
		e->failed = false;
		errno = e->err;
		tell(e, PUMP_NOT_CONNECTED);
		return true;
	}
	if (e->ended && !e->told) {
		e->told = true;
		tell(e, PUMP_ENDED);
		e->look = e->held.n > 0;
		return true;
	}
	if (e->finish && other(e)->held.n == 0)
		end_finish(e);
	return false;
}

static void
want(struct end *e, unsigned in_handshake_wants)
{
	unsigned what = 0;
	bool out =
	    e->queue.n > 0 && (e->doing == OPEN || e->doing == BEFORE_TLS);

	if (e->in == NULL)
		return;
	if (e->doing == HANDSHAKE)
		what = in_handshake_wants;
	else if (e->doing == CONNECTING || (out && e->in == e->out))
		what = WATCH_WRITE;
	if (wants_input(e))
		what |= WATCH_READ;
	if (!watch_want(e->in, what) ||
	    (e->out != NULL && e->out != e->in &&
		!watch_want(e->out, out ? WATCH_WRITE : 0)))
		pump_drop(e->pump, "out of memory");
}

static bool
all_sent(const struct end *e)
{
	return e->queue.n == 0 || e->doing == DEAD || e->doing == NOT_THERE ||
	    e->doing == CONNECTING ||
	    (side_of(e) == SIDE_SERVER && e->ended); /* it has said its last */
}

static void
pump_free(struct pump *p)
{
	LIST_REMOVE(p, others);
	pumps_n--;
	for (int i = 0; i < SIDES; i++)
		end_forget(&p->end[i]);
	alarm_free(&p->alarm);
	p->handler->closed(p, p->user, p->why != NULL ? p->why : "closed");
	free(p);
}

static void
set_alarm(struct pump *p)
{
	unsigned limit = limit_of(p);

	if (limit == p->limit_s)
		return;
	p->limit_s = limit;
	alarm_set(p->alarm, limit);
}

/* What failed for one is forgotten with it. */
static void
end_turn(void)
{
	turn_of = NULL;
	for (int i = 0; i < SIDES; i++)
		if (turn_out[i].err != MTRK_OK)
			buf_free(&turn_out[i]);
		else
			buf_cut(&turn_out[i], 0);
}

/* The end of every turn: nothing is left that could be done at once. */
static void
settle(struct pump *p)
{
	struct end *c = &p->end[SIDE_CLIENT], *s = &p->end[SIDE_SERVER];
	unsigned wants[SIDES] = { 0 };
	bool again = true;

	while (again && !p->gone) {
		again = step(c);
		again = (!p->gone && step(s)) || again;
		for (int i = 0; i < SIDES && !p->gone; i++)
			if (p->end[i].doing == HANDSHAKE) {
				wants[i] = handshake(&p->end[i]);
				again = again || p->end[i].doing != HANDSHAKE;
			}
	}
	if (p->closing && all_sent(c) && all_sent(s))
		p->gone = true;
	if (!p->gone) {
		want(c, wants[SIDE_CLIENT]);
		want(s, wants[SIDE_SERVER]);
		set_alarm(p);
	}
	end_turn();
	if (p->gone)
		pump_free(p);
}

static void
on_in(void *arg, unsigned what)
{
	struct end *e = arg;

	(void)what;
	turn_of = e->pump;
	if (wants_input(e))
		receive(e);
	settle(e->pump);
}

static void
end_connected(struct end *e)
{
	int err = net_connected(e->out_fd);

	e->doing = err == 0 ? OPEN : DEAD;
	errno = err;
	tell(e, err == 0 ? PUMP_CONNECTED : PUMP_NOT_CONNECTED);
}

static void
on_out(void *arg, unsigned what)
{
	struct end *e = arg;

	(void)what;
	turn_of = e->pump;
	if (e->doing == CONNECTING)
		end_connected(e);
	settle(e->pump);
}

/* unix(7): where TCP waits for room in the listener's queue, this is EAGAIN. */
static void
begin_connect(struct pump *p, const struct sockaddr *to, size_t to_size,
    const struct sockaddr *from)
{
	struct end *e = &p->end[SIDE_SERVER];
	int fd = net_connect(to, to_size, from);

	p->full = NULL;
	if (fd != -1) {
		if (!end_open(e, p->loop, fd, fd, CONNECTING, on_both))
			pump_drop(p, "out of memory");
	} else if (errno == EAGAIN && to->sa_family == AF_UNIX &&
	    now_s() < p->connect_by) {
		p->full = to;
		p->full_size = to_size;
		e->doing = CONNECTING;
	} else {
		e->doing = NOT_THERE;
		e->failed = true;
		e->err = errno;
	}
}

/* The limit counts from what last moved. */
static void
on_alarm(void *arg)
{
	struct pump *p = arg;
	struct end *s = &p->end[SIDE_SERVER];
	time_t over = now_s() - p->moved;

	if (p->full != NULL) {
		turn_of = p;
		p->limit_s = 0;
		begin_connect(p, p->full, p->full_size, NULL);
		settle(p);
		return;
	}
	if (over < (time_t)p->limit_s) {
		alarm_set(p->alarm, p->limit_s - (unsigned)over);
		return;
	}
	turn_of = p;
	if (s->doing == CONNECTING) {
		s->doing = DEAD;
		errno = ETIMEDOUT;
		tell(s, PUMP_NOT_CONNECTED);
		p->limit_s = 0;
	} else if (in_handshake(s)) {
		s->doing = DEAD;
		tell(s, PUMP_TLS_FAILED);
		p->limit_s = 0;
	} else
		pump_drop(p,
		    in_any_handshake(p)              ? "handshake too slow"
			: p->limit_s == PUMP_FLUSH_S ? "peer does not read"
						     : "idle");
	settle(p);
}

/* ---- what handlers call ---- */

struct buf *
pump_out(struct pump *p, enum side side)
{
	return turn_of == p ? &turn_out[side] : &p->end[side].queue;
}

void
pump_connect(struct pump *p, const struct sockaddr *to, size_t to_size,
    const struct sockaddr *from)
{
	struct end *e = &p->end[SIDE_SERVER];

	end_forget(e);
	end_clear(&p->end[SIDE_SERVER], p, PUMP_HELD_MAX + PUMP_READ);
	if (turn_of == p)
		buf_cut(&turn_out[SIDE_SERVER], 0);
	p->connect_by = now_s() + PUMP_CONNECT_S;
	begin_connect(p, to, to_size, from);
}

void
pump_start(struct pump *p)
{
	turn_of = p;
	for (int i = 0; i < SIDES; i++)
		p->end[i].look = p->end[i].held.n > 0;
	settle(p);
}

void
pump_finish(struct pump *p, enum side side)
{
	p->end[side].finish = true;
}

void
pump_drop_all(const char *why)
{
	while (!LIST_EMPTY(&pumps)) {
		pump_drop(LIST_FIRST(&pumps), why);
		settle(LIST_FIRST(&pumps));
	}
}

unsigned
pump_count(void)
{
	return pumps_n;
}

void
pump_each(
    const struct pump_handler *handler, void (*each)(struct pump *, void *user))
{
	struct pump *p, *next;

	for (p = LIST_FIRST(&pumps); p != NULL; p = next) {
		next = LIST_NEXT(p, others);
		if (p->handler != handler)
			continue;
		turn_of = p;
		each(p, p->user);
		settle(p);
	}
}

struct pump *
pump_new(struct loop *l, int in, int out, const struct pump_handler *handler,
    void *user)
{
	struct pump *p = calloc(1, sizeof *p);
	bool ok = p != NULL;

	if (!ok) {
		close(in);
		if (out != in)
			close(out);
		return NULL;
	}
	p->loop = l;
	p->handler = handler;
	p->user = user;
	p->moved = now_s();
	end_clear(&p->end[SIDE_CLIENT], p, PUMP_HELD_MAX + PUMP_READ);
	end_clear(&p->end[SIDE_SERVER], p, PUMP_HELD_MAX + PUMP_READ);
	ok = end_open(&p->end[SIDE_CLIENT], l, in, out, OPEN, on_both) &&
	    (p->alarm = alarm_new(l, on_alarm, p)) != NULL;
	if (!ok) {
		end_forget(&p->end[SIDE_CLIENT]);
		free(p);
		return NULL;
	}
	LIST_INSERT_HEAD(&pumps, p, others);
	pumps_n++;
	return p;
}
