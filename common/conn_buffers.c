#include <string.h>

#include "common/conn_private.h"

size_t
conn_queued(const struct conn *c)
{
	return c->out.n - c->sent;
}

size_t
conn_unkeep(struct conn *c)
{
	size_t n = c->in.n;

	if (n > 0) {
		memcpy(c->loop->input, c->in.p, n);
		explicit_bzero(c->in.p, n);
		buf_free(&c->in);
	}
	return n;
}

static void
count_buffers(struct conn *c)
{
	size_t now = c->in.cap + c->out.cap;

	if (now == c->counted)
		return;
	c->loop->held += now - c->counted;
	c->loop->room->held += now - c->counted;
	c->counted = now;
}

static void
drop_with_buffers(struct conn *c, const char *why)
{
	conn_drop(c, why);
	buf_free(&c->in);
	buf_free(&c->out);
	c->sent = 0;
	count_buffers(c);
}

/* Who holds the most has to go, not who happens to come: down to a bit below
 * the limit, so that this isn't for every octet. */
static void
drop_greediest(struct loop *l)
{
	size_t limit = l->room->held_max, enough = limit - limit / 16, most = 0;
	struct conn *c;

	LIST_FOREACH(c, &l->conns, others)
		most = c->counted > most ? c->counted : most;
	LIST_FOREACH(c, &l->conns, others)
		if (l->room->held > enough && c->counted > most / 2)
			drop_with_buffers(c, "too much memory in buffers");
}

bool
conns_account(struct loop *l)
{
	const struct loop_room *r = l->room;

	if (r->held <= r->held_max)
		return true;
	if (l->held < r->held_max / r->loops_n)
		return false;
	drop_greediest(l);
	return true;
}

void
conn_account(struct conn *c)
{
	count_buffers(c);
	if (!conns_account(c->loop))
		loop_wake_others(c->loop);
}

void
conn_give_back(struct conn *c)
{
	struct loop *l = c->loop;

	if (l->spare.p == NULL && c->out.cap <= LOOP_SPARE_MAX) {
		l->spare = c->out;
		l->spare.n = 0;
		l->spare.err = MTRK_OK;
		c->out = BUF(SIZE_MAX);
	} else {
		buf_free(&c->out);
	}
	c->sent = 0;
}

struct buf *
conn_out(struct conn *c)
{
	if (c->out.p == NULL && c->loop->spare.p != NULL) {
		c->out = c->loop->spare;
		c->loop->spare = BUF(SIZE_MAX);
	}
	return &c->out;
}
