#include "common/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	WRITE_MAX = 1 << 20, /* of one stream_fmt(); ours */
	CONNECT_S = 20, /* then the next address has its turn; ours */
};

struct stream {
	int fd;
	struct tls *tls;
	unsigned timeout_s;
	size_t at, n; /* bytes[at..n) came and were not read yet */
	char bytes[STREAM_LINE_MAX + 2];
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* connect(2) with a deadline; errno tells. */
static bool
connect_in(int fd, const struct addrinfo *a, unsigned timeout_s)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int err = 0;
	socklen_t len = sizeof err;

	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return true;
	if (errno != EINPROGRESS)
		return false;
	if (poll(&p, 1, (int)timeout_s * 1000) != 1) {
		errno = ETIMEDOUT;
		return false;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		return false;
	errno = err;
	return err == 0;
}

static bool
set_timeouts(int fd, unsigned timeout_s)
{
	const struct timeval t = { .tv_sec = (time_t)timeout_s };
	int flags = fcntl(fd, F_GETFL);

	return flags != -1 && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) == 0;
}

static int
connect_any(const struct addrinfo *list, unsigned timeout_s)
{
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		int fd = socket(a->ai_family,
		    a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    a->ai_protocol);
		int saved;

		if (fd == -1)
			continue;
		if (connect_in(
			fd, a, timeout_s < CONNECT_S ? timeout_s : CONNECT_S) &&
		    set_timeouts(fd, timeout_s))
			return fd;
		saved = errno;
		close(fd);
		errno = saved;
	}
	return -1;
}

enum mtrk_err
stream_connect(const char *host, uint16_t port, unsigned timeout_s,
    struct stream **out, char *why, size_t why_size)
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
	fd = connect_any(list, timeout_s);
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
	return MTRK_OK;
}

static enum mtrk_err
fill(struct stream *s)
{
	ptrdiff_t got;

	memmove(s->bytes, s->bytes + s->at, s->n - s->at);
	s->n -= s->at;
	s->at = 0;
	if (s->n == sizeof s->bytes)
		return MTRK_TOOBIG;
	do {
		errno = 0;
		got = s->tls != NULL
		    ? tls_read(s->tls, s->bytes + s->n, sizeof s->bytes - s->n)
		    : recv(s->fd, s->bytes + s->n, sizeof s->bytes - s->n, 0);
	} while (got == -1 && errno == EINTR);
	if (got > 0) {
		s->n += (size_t)got;
		return MTRK_OK;
	}
	if (got == 0)
		return MTRK_NOTFOUND;
	return errno == EAGAIN || errno == EWOULDBLOCK ? MTRK_BUSY : MTRK_IO;
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
	const int64_t end_ms = now_ms() + (int64_t)s->timeout_s * 1000;
	enum mtrk_err err = MTRK_OK;

	*line = SPAN("");
	while (!take_line(s, line)) {
		if (now_ms() > end_ms)
			return MTRK_BUSY;
		if ((err = fill(s)) != MTRK_OK)
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
		if (put == -1 && errno == EINTR)
			continue;
		if (put <= 0)
			return errno == EAGAIN || errno == EWOULDBLOCK
			    ? MTRK_BUSY
			    : MTRK_IO;
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

size_t
stream_pending(const struct stream *s)
{
	return s->n - s->at;
}

enum mtrk_err
stream_starttls(struct stream *s, struct tls_ctx *ctx, const char *name,
    char *why, size_t why_size)
{
	if (stream_pending(s) > 0) {
		snprintf(why, why_size,
		    "the server sent more in clear behind STARTTLS");
		return MTRK_DENIED;
	}
	return tls_connect(ctx, s->fd, name, &s->tls, why, why_size);
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
