#include "common/stream.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/crypto.h"

enum {
	WRITE_MAX = 1 << 20, /* of one stream_fmt(); ours */
	START_MS = 250, /* of one address before the next; RFC 8305 8 */
	ADDRESSES_MAX = 16, /* ours */
};

struct stream {
	int fd;
	struct tls *tls;
	unsigned timeout_s;
	int64_t end_ms; /* of all of it */
	size_t at, n; /* bytes[at..n) came and were not read yet */
	char bytes[STREAM_LINE_MAX + 2];
};

/* A socket on its way to be connected; -1: errno tells. */
static int
begin_connect(const struct addrinfo *a)
{
	int saved,
	    fd = socket(a->ai_family,
		a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

	if (fd == -1 || connect(fd, a->ai_addr, a->ai_addrlen) == 0 ||
	    errno == EINPROGRESS)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

struct connecting {
	const struct addrinfo *next; /* address to be tried; NULL: none */
	struct pollfd tries[ADDRESSES_MAX]; /* fd -1: it failed */
	nfds_t n, under_way;
	int err; /* of the last one that failed */
};

static void
try_next(struct connecting *c)
{
	int fd = begin_connect(c->next);

	c->next = c->n + 1 < ADDRESSES_MAX ? c->next->ai_next : NULL;
	c->tries[c->n++] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	if (fd == -1)
		c->err = errno;
	else
		c->under_way++;
}

/* The one that is connected; those that failed are closed. */
static int
take_connected(struct connecting *c)
{
	for (nfds_t i = 0; i < c->n; i++) {
		int fd = c->tries[i].fd, err = 0;
		socklen_t len = sizeof err;

		if (fd == -1 || c->tries[i].revents == 0)
			continue;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
			err = errno;
		c->tries[i].fd = -1;
		if (err == 0)
			return fd;
		close(fd);
		c->err = err;
		c->under_way--;
	}
	return -1;
}

/* Addresses in their order, each with a start before the next one (RFC 8305):
 * where IPv6 leads nowhere nobody waits for it.  errno tells. */
static int
connect_any(const struct addrinfo *list, unsigned timeout_s)
{
	struct connecting c = { .next = list, .err = ETIMEDOUT };
	const int64_t end_ms = clock_ms() + (int64_t)timeout_s * 1000;
	int64_t left_ms = 1;
	int fd = -1;

	while (fd == -1 && left_ms > 0 && (c.next != NULL || c.under_way > 0)) {
		if (c.next != NULL)
			try_next(&c);
		left_ms = end_ms - clock_ms();
		if (c.under_way == 0 || left_ms <= 0)
			continue;
		if (poll(c.tries, c.n,
			c.next != NULL && left_ms > START_MS
			    ? START_MS
			    : (int)left_ms) > 0)
			fd = take_connected(&c);
	}
	for (nfds_t i = 0; i < c.n; i++)
		if (c.tries[i].fd != -1)
			close(c.tries[i].fd);
	errno = c.under_way > 0 ? ETIMEDOUT : c.err;
	return fd;
}

enum mtrk_err
stream_connect(const char *host, uint16_t port, unsigned connect_s,
    unsigned timeout_s, struct stream **out, char *why, size_t why_size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char service[8];
	int rc, fd;

	*out = NULL;
	snprintf(service, sizeof service, "%u", port);
	if ((rc = getaddrinfo(host, service, &hints, &list)) != 0) {
		snprintf(why, why_size, "%s: %s", host, gai_strerror(rc));
		return MTRK_NOTFOUND;
	}
	fd = connect_any(list, connect_s < timeout_s ? connect_s : timeout_s);
	if (fd == -1)
		snprintf(why, why_size, "%s port %u: %m", host, port);
	freeaddrinfo(list);
	if (fd == -1)
		return MTRK_IO;
	if ((*out = calloc(1, sizeof **out)) == NULL) {
		close(fd);
		snprintf(why, why_size, "out of memory");
		return MTRK_NOMEM;
	}
	(*out)->fd = fd;
	(*out)->timeout_s = timeout_s;
	(*out)->end_ms = INT64_MAX;
	return MTRK_OK;
}

void
stream_within(struct stream *s, unsigned seconds)
{
	s->end_ms = clock_ms() + (int64_t)seconds * 1000;
}

/* When what begins now has to be over. */
static int64_t
end_of_step(const struct stream *s)
{
	int64_t end_ms = clock_ms() + (int64_t)s->timeout_s * 1000;

	return end_ms < s->end_ms ? end_ms : s->end_ms;
}

static bool
wait_until(const struct stream *s, short events, int64_t end_ms)
{
	struct pollfd p = { .fd = s->fd, .events = events };
	int64_t left_ms = end_ms - clock_ms();

	return left_ms > 0 && poll(&p, 1, (int)left_ms + 1) != 0;
}

static bool
may_come(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static enum mtrk_err
fill(struct stream *s, int64_t end_ms)
{
	ptrdiff_t got;

	memmove(s->bytes, s->bytes + s->at, s->n - s->at);
	s->n -= s->at;
	s->at = 0;
	if (s->n == sizeof s->bytes)
		return MTRK_TOOBIG;
	for (;;) {
		errno = 0;
		got = s->tls != NULL
		    ? tls_read(s->tls, s->bytes + s->n, sizeof s->bytes - s->n)
		    : recv(s->fd, s->bytes + s->n, sizeof s->bytes - s->n, 0);
		if (got >= 0)
			break;
		if (!may_come())
			return MTRK_IO;
		if (!wait_until(s, POLLIN, end_ms))
			return MTRK_BUSY;
	}
	s->n += (size_t)got;
	return got > 0 ? MTRK_OK : MTRK_NOTFOUND;
}

/* A line that is already there, without its end. */
static bool
take_line(struct stream *s, struct span *line)
{
	size_t have = s->n - s->at;
	const char *p = s->bytes + s->at;
	const char *lf = have > 0 ? memchr(p, '\n', have) : NULL;

	if (lf == NULL)
		return false;
	*line = (struct span){ p, (size_t)(lf - p) };
	s->at += line->n + 1;
	if (line->n > 0 && p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* The deadline is of the whole line: a byte now and then doesn't extend it. */
enum mtrk_err
stream_line(struct stream *s, struct span *line)
{
	const int64_t end_ms = end_of_step(s);
	enum mtrk_err err = MTRK_OK;

	*line = SPAN("");
	while (!take_line(s, line)) {
		if (clock_ms() > end_ms)
			return MTRK_BUSY;
		if ((err = fill(s, end_ms)) != MTRK_OK)
			return err;
	}
	return line->n > STREAM_LINE_MAX ? MTRK_TOOBIG : MTRK_OK;
}

enum mtrk_err
stream_write(struct stream *s, struct span text)
{
	while (text.n > 0) {
		ptrdiff_t put;

		errno = 0;
		put = s->tls != NULL
		    ? tls_write(s->tls, text.p, text.n)
		    : send(s->fd, text.p, text.n, MSG_NOSIGNAL);
		if (put == -1 && may_come()) {
			if (!wait_until(s, POLLOUT, end_of_step(s)))
				return MTRK_BUSY;
			continue;
		}
		if (put <= 0)
			return MTRK_IO;
		text = span_from(text, (size_t)put);
	}
	return MTRK_OK;
}

enum mtrk_err
stream_fmt(struct stream *s, const char *fmt, ...)
{
	char *text = NULL;
	enum mtrk_err err;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return MTRK_NOMEM;
	err = n > WRITE_MAX ? MTRK_TOOBIG
			    : stream_write(s, (struct span){ text, (size_t)n });
	crypto_wipe(text, (size_t)n); /* it may have been a secret */
	free(text);
	return err;
}

/* Why it came to nothing, or NULL. */
static const char *
handshake(struct stream *s, int64_t end_ms)
{
	const char *why_not = NULL;

	for (;;) {
		enum tls_step step = tls_handshake(s->tls);

		if (step == TLS_DONE)
			return NULL;
		if (step == TLS_FAILED) {
			(void)tls_verified(s->tls, &why_not);
			return why_not;
		}
		if (!wait_until(
			s, step == TLS_WANTS_READ ? POLLIN : POLLOUT, end_ms))
			return "the server is too slow";
	}
}

enum mtrk_err
stream_starttls(struct stream *s, struct tls_ctx *ctx, const char *name,
    char *why, size_t why_size)
{
	const char *why_not = "out of memory";

	if (s->n > s->at) {
		snprintf(why, why_size,
		    "the server sent more in clear behind STARTTLS");
		return MTRK_DENIED;
	}
	if ((s->tls = tls_connecting(ctx, s->fd, name)) != NULL)
		why_not = handshake(s, end_of_step(s));
	if (why_not == NULL)
		return MTRK_OK;
	snprintf(why, why_size, "TLS handshake: %s", why_not);
	tls_free(&s->tls);
	return MTRK_IO;
}

const struct tls *
stream_tls(const struct stream *s)
{
	return s->tls;
}

void
stream_close(struct stream **sp)
{
	struct stream *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	tls_free(&s->tls);
	close(s->fd);
	free(s);
}
