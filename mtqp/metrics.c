#include "mtqp/metrics.h"

#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 * 1024, PATIENCE_S = 5 };

static const struct {
	const char *name, *type, *help;
} metrics[METRIC_COUNT] = {
	[METRIC_CONNECTIONS] = { "connections_total", "counter",
	    "Connections accepted" },
	[METRIC_REFUSED] = { "refused_total", "counter",
	    "Connections refused, one address having too many, or too many"
	    " commands" },
	[METRIC_HANDSHAKES] = { "tls_handshakes_total", "counter",
	    "TLS handshakes completed" },
	[METRIC_COMMANDS] = { "commands_total", "counter",
	    "Lines received, commands or not" },
	[METRIC_BAD] = { "bad_commands_total", "counter",
	    "Lines answered -BAD" },
	[METRIC_LIMITED] = { "limited_total", "counter",
	    "Commands refused, one address giving too many" },
	[METRIC_DELAYED] = { "delayed_total", "counter",
	    "Answers delayed, one address asking in vain too often" },
	[METRIC_ANSWERED] = { "answered_total", "counter",
	    "Questions answered with tracking information" },
	[METRIC_NOINFO] = { "noinfo_total", "counter",
	    "Questions about unknown or expired messages, or with a wrong"
	    " secret" },
	[METRIC_TLS_REQUIRED] = { "tls_required_total", "counter",
	    "Questions refused for want of TLS" },
	[METRIC_UNAVAILABLE] = { "unavailable_total", "counter",
	    "Questions that failed by our own fault" },
	[METRIC_CHAINED] = { "chained_total", "counter",
	    "Questions put to other servers" },
	[METRIC_CHAIN_FAILED] = { "chain_failed_total", "counter",
	    "Of these, without an answer" },
	[METRIC_RELOADS] = { "reloads_total", "counter",
	    "Times that certificates were read again" },
	[METRIC_OPEN] = { "connections_open", "gauge", "Connections now" },
};

static atomic_ullong values[METRIC_COUNT];

void
metric_add(enum metric m)
{
	atomic_fetch_add_explicit(&values[m], 1, memory_order_relaxed);
}

void
metric_set(enum metric m, uint64_t value)
{
	values[m] = value;
}

/* Prometheus' text format 0.0.4 */
static void
write_all(struct buf *out)
{
	for (size_t i = 0; i < METRIC_COUNT; i++)
		buf_fmt(out,
		    "# HELP mtqpd_%s %s\n# TYPE mtqpd_%s %s\nmtqpd_%s %llu\n",
		    metrics[i].name, metrics[i].help, metrics[i].name,
		    metrics[i].type, metrics[i].name,
		    (unsigned long long)values[i]);
}

static void *
opened(struct conn *c, void *arg)
{
	(void)c;
	return arg;
}

static void
closed(struct conn *c, void *user, const char *why)
{
	(void)c;
	(void)user;
	(void)why;
}

/* The empty line ends a request; what is asked for makes no difference. */
static void
on_line(struct conn *c, void *user, enum line what, struct span line)
{
	struct buf body = BUF(ANSWER_MAX);
	const struct metrics_source *source = user;

	if (what == LINE_OK && line.n > 0)
		return;
	source->refresh();
	write_all(&body);
	buf_fmt(conn_out(c),
	    "HTTP/1.0 200 OK\r\n"
	    "Content-Type: text/plain; version=0.0.4\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
	    body.n);
	conn_write(c, buf_as_span(&body));
	conn_close(c);
	buf_free(&body);
}

const struct protocol metrics_http = {
	.name = "metrics",
	.aside = true,
	.line_max = 4000, /* LOOP_LINE_MAX, about */
	.idle_s = 10,
	.line_s = 10,
	.flush_s = 10,
	.opened = opened,
	.line = on_line,
	.closed = closed,
};

static int
connect_to(const char *path)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (span_copy(a.sun_path, sizeof a.sun_path, span_of(path)) &&
	    setsockopt(
		fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
	    connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
each_line(struct span text,
    void (*each)(struct span name, uint64_t value, void *arg), void *arg)
{
	struct span line, name, number;
	uint64_t value;

	while (text.n > 0) {
		span_split(text, '\n', &line, &text);
		if (span_starts(line, "mtqpd_") &&
		    span_split(line, ' ', &name, &number) &&
		    span_number(number, UINT64_MAX, &value))
			each(name, value, arg);
	}
}

enum mtrk_err
metrics_fetch(const char *path,
    void (*each)(struct span name, uint64_t value, void *arg), void *arg)
{
	static const char ask[] = "GET /metrics HTTP/1.0\r\n\r\n";
	struct buf answer = BUF(ANSWER_MAX);
	char bytes[4096];
	ssize_t n = -1;
	int fd = connect_to(path);

	if (fd != -1 && write(fd, ask, sizeof ask - 1) == sizeof ask - 1)
		while ((n = read(fd, bytes, sizeof bytes)) > 0)
			buf_add(&answer, bytes, (size_t)n);
	if (fd != -1)
		close(fd);
	if (n == 0)
		each_line(buf_as_span(&answer), each, arg);
	buf_free(&answer);
	return n == 0 ? MTRK_OK : MTRK_IO;
}
