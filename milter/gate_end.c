#include "milter/gate_end.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"

void
end_forget(struct end *e)
{
	if (e->out != e->in)
		watch_free(&e->out);
	watch_free(&e->in);
	e->out = NULL;
	tls_free(&e->tls);
	tls_free(&e->next_tls);
	if (e->in_fd != -1)
		close(e->in_fd);
	if (e->out_fd != -1 && e->out_fd != e->in_fd)
		close(e->out_fd);
	e->in_fd = e->out_fd = -1;
	buf_free(&e->held);
	buf_free(&e->queue);
}

void
end_clear(struct end *e, struct pump *p, size_t held_max)
{
	*e = (struct end){ .pump = p,
		.in_fd = -1,
		.out_fd = -1,
		.held = BUF(held_max),
		.queue = BUF(SIZE_MAX / 2) };
}

/* Takes the descriptors, also when it fails. */
bool
end_open(struct end *e, struct loop *l, int in, int out, enum end_doing doing,
    void (*ready)(void *, unsigned))
{
	e->in_fd = in;
	e->out_fd = out;
	e->doing = doing;
	e->in = watch_new(l, in, ready, e);
	e->out = in == out ? e->in : watch_new(l, out, ready, e);
	return e->in != NULL && e->out != NULL;
}

static ptrdiff_t
end_send(struct end *e, const char *p, size_t n)
{
	if (e->tls != NULL)
		return tls_write(e->tls, p, n);
	if (e->in_fd == e->out_fd)
		return send(e->out_fd, p, n, MSG_NOSIGNAL);
	return write(e->out_fd, p, n);
}

ptrdiff_t
end_receive(struct end *e, char *p, size_t n)
{
	if (e->tls != NULL)
		return tls_read(e->tls, p, n);
	if (e->in_fd == e->out_fd)
		return recv(e->in_fd, p, n, 0);
	return read(e->in_fd, p, n);
}

void
end_dead(struct end *e)
{
	e->doing = DEAD;
	e->ended = true;
	e->look = e->held.n > 0;
}

/* How many octets the peer took.  One that has closed may have said why, and
 * that is still to be read: it is only deaf. */
static size_t
push(struct end *e, struct span bytes)
{
	size_t sent = 0;

	while (sent < bytes.n) {
		ptrdiff_t n = end_send(e, bytes.p + sent, bytes.n - sent);

		if (n <= 0 && errno == EINTR)
			continue;
		if (n <= 0 && errno != EAGAIN)
			e->deaf = true;
		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	return sent;
}

/* Send what is queued, then what this turn has written. */
bool
end_flush(struct end *e, struct buf *fresh)
{
	bool open = !e->deaf && (e->doing == OPEN || e->doing == BEFORE_TLS);
	size_t before = e->queue.n + fresh->n, n;

	if (open && e->queue.n > 0) {
		n = push(e, buf_as_span(&e->queue));
		buf_drop(&e->queue, n);
	}
	n = open && !e->deaf && e->queue.n == 0 && fresh->n > 0
	    ? push(e, buf_as_span(fresh))
	    : 0;
	if (e->deaf || e->doing == DEAD)
		buf_free(&e->queue);
	else if (fresh->n > n) /* adding nothing would allocate */
		buf_span(&e->queue, span_from(buf_as_span(fresh), n));
	buf_cut(fresh, 0);
	if (e->queue.n == 0 && e->queue.err == MTRK_OK)
		buf_free(&e->queue);
	return e->queue.n < before;
}

void
end_finish(struct end *e)
{
	if (e->finished || e->queue.n > 0 || e->doing != OPEN)
		return;
	e->finished = true;
	if (e->in_fd == e->out_fd) {
		shutdown(e->out_fd, SHUT_WR);
		return;
	}
	watch_free(&e->out);
	close(e->out_fd);
	e->out_fd = -1;
}
