/*
 * Load for mtqpd, from one thread.
 *
 *	bench_mtqp fill STORE N		N messages "qNNNNNNNN@bench.example",
 *one recipient and one event each bench_mtqp ask PORT CONNECTIONS DEPTH SECONDS
 *N TRACKs of N messages at random, DEPTH of them under way on each connection;
 *					prints answers a second, and their size
 *	bench_mtqp idle PORT N [tls]	N greeted connections; then a line on
 *					standard output, and waits for one
 *	bench_mtqp add STORE RATE SECONDS	messages, evenly
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/store_private.h"
#include "common/tls.h"

#define SECRET "AAECAwQFBgcICQoLDA0ODw=="
enum {
	CONNS_MAX = 1000,
	DEPTH_MAX = 64,
	BATCH = 20000,
	CHUNK = 64 * 1024,
	SOURCES = 4, /* addresses to connect from, for enough ports */
};

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct message *
sample(unsigned long i)
{
	static struct recipient r = { .original_type = SPAN("rfc822"),
		.original = SPAN("recipient.of.the.message@example.org"),
		.address = SPAN("recipient.of.the.message@example.org"),
		.notify = NOTIFY_SUCCESS | NOTIFY_FAILURE };
	static char envid[32], queue_id[24];
	static struct message m;
	unsigned char secret[16];

	for (size_t k = 0; k < sizeof secret; k++)
		secret[k] = (unsigned char)k;
	snprintf(envid, sizeof envid, "q%08lu@bench.example", i);
	snprintf(queue_id, sizeof queue_id, "4Bq%010lu", i);
	m = (struct message){ .envid = span_of(envid),
		.arrival = time(NULL),
		.instance = SPAN("default"),
		.queue_id = span_of(queue_id),
		.sender = SPAN("sender.of.the.message@bench.example"),
		.client = SPAN("client.bench.example [192.0.2.17]"),
		.recipients = &r,
		.n_recipients = 1 };
	if (crypto_sha1(secret, sizeof secret, m.certifier) != MTRK_OK)
		die("sha1");
	return &m;
}

static struct store *
open_store(const char *dir)
{
	char why[STORE_WHY_MAX];
	struct store *s;

	if (store_open(dir, STORE_WRITE, 1ull << 36, &s, why) == MTRK_OK)
		return s;
	fprintf(stderr, "%s\n", why);
	exit(1);
}

/* As common/store.c's add_message(), many in one transaction. */
static void
put(struct txn *t, uint64_t number, const struct message *m)
{
	static const struct event sent = { .kind = EVENT_ACTION,
		.action = ACTION_RELAYED,
		.status = { 2, 1, 9 },
		.remote_mta = SPAN("mx1.mail.example.org"),
		.text = SPAN("250 2.0.0 Ok: queued as 4BqXyZ12345z9Nk") };
	struct number_key key = number_key(number);
	struct index_key by_envid = envid_key(m->envid, number);
	struct index_key by_queue = queue_key(m->instance, m->queue_id, number);
	struct event e = sent;
	struct buf record = BUF(4096);

	record_put_message(&record, m);
	txn_append(t, TABLE_MESSAGE, KEY(key), buf_as_span(&record));
	txn_put(t, TABLE_ENVID, index_span(&by_envid), SPAN(""));
	txn_put(t, TABLE_QUEUE, index_span(&by_queue), SPAN(""));
	e.time = m->arrival;
	add_event(t, number, &e);
	buf_free(&record);
}

static void
fill(const char *dir, unsigned long n)
{
	struct store *s = open_store(dir);

	for (unsigned long i = 0; i < n;) {
		struct txn t = txn_write(s->db);
		uint64_t number = next_number(&t, TABLE_MESSAGE);

		for (unsigned k = 0; k < BATCH && i < n; k++, i++)
			put(&t, number++, sample(i));
		if (txn_end(&t) != MTRK_OK)
			die("fill");
	}
	store_close(&s);
}

static void
add(const char *dir, unsigned rate, double seconds)
{
	enum { TICKS = 50 };
	struct store *s = open_store(dir);
	double begin = now();
	unsigned long done = 0;

	while (now() < begin + seconds) {
		unsigned long due = (unsigned long)((now() - begin) * rate);
		struct txn t = txn_write(s->db);
		uint64_t number = next_number(&t, TABLE_MESSAGE);

		for (; done < due; done++)
			put(&t, number++, sample(90000000 + done));
		if (txn_end(&t) != MTRK_OK)
			die("add");
		usleep(1000000 / TICKS);
	}
	printf("%.0f\n", (double)done / (now() - begin));
	store_close(&s);
}

struct peer {
	int fd;
	unsigned tail; /* how many octets of "\r\n.\r\n" were seen */
	size_t queued, sent;
	char out[DEPTH_MAX * 80];
};

static struct peer peers[CONNS_MAX];
static unsigned long messages, answers, octets;

static int
dial(unsigned port, unsigned source)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source % SOURCES) };
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (fd == -1 || bind(fd, (struct sockaddr *)&from, sizeof from) == -1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof to) == -1)
		die("connect");
	return fd;
}

/* Up to the greeting's dot. */
static void
greeted(int fd)
{
	char text[512];
	size_t n = 0;

	while (n < 3 || memcmp(text + n - 3, ".\r\n", 3) != 0) {
		ssize_t got = read(fd, text + n, sizeof text - n);

		if (got <= 0)
			die("greeting");
		n += (size_t)got;
	}
}

static void
question(struct peer *p)
{
	static const char line[] =
	    "TRACK q00000000@bench.example " SECRET "\r\n";
	static uint64_t seed = 88172645463325252u;
	char *at = p->out + p->queued;
	unsigned long i;

	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	i = seed % messages;
	memcpy(at, line, sizeof line - 1);
	for (unsigned k = 14; i > 0; i /= 10)
		at[k--] = (char)('0' + i % 10);
	p->queued += sizeof line - 1;
}

static void
send_questions(struct peer *p)
{
	ssize_t n = send(p->fd, p->out, p->queued, MSG_NOSIGNAL);

	if (n != (ssize_t)p->queued)
		die("send"); /* so little always fits */
	p->queued = 0;
}

/* How many answers end among these octets. */
static unsigned
ends(struct peer *p, const char *text, size_t n)
{
	static const char end[] = "\r\n.\r\n";
	unsigned found = 0;
	size_t at = 0;

	while (p->tail > 0 && at < n) { /* begun in the octets before */
		if (text[at] != end[p->tail]) {
			p->tail = 0;
			break;
		}
		at++;
		if (++p->tail == 5) {
			p->tail = 0;
			found++;
		}
	}
	for (;;) {
		const char *hit = memmem(text + at, n - at, end, 5);

		if (hit == NULL)
			break;
		found++;
		at = (size_t)(hit - text) + 5;
	}
	for (unsigned k = 4; k > 0; k--)
		if (n - at >= k && memcmp(text + n - k, end, k) == 0) {
			p->tail = k;
			break;
		}
	return found;
}

static void
take(struct peer *p)
{
	static char text[CHUNK];
	ssize_t n = recv(p->fd, text, sizeof text, MSG_DONTWAIT);
	unsigned found;

	if (n <= 0)
		die("recv");
	octets += (size_t)n;
	found = ends(p, text, (size_t)n);
	answers += found;
	for (unsigned i = 0; i < found; i++)
		question(p);
	if (found > 0)
		send_questions(p);
}

static void
ask(unsigned port, unsigned conns, unsigned depth, double seconds)
{
	struct epoll_event events[CONNS_MAX];
	int loop = epoll_create1(0);
	double begin, end;

	for (unsigned i = 0; i < conns; i++) {
		struct epoll_event e = { .events = EPOLLIN,
			.data.ptr = &peers[i] };

		peers[i].fd = dial(port, 0);
		greeted(peers[i].fd);
		if (epoll_ctl(loop, EPOLL_CTL_ADD, peers[i].fd, &e) == -1)
			die("epoll");
	}
	begin = now();
	for (unsigned i = 0; i < conns; i++) {
		for (unsigned k = 0; k < depth; k++)
			question(&peers[i]);
		send_questions(&peers[i]);
	}
	while ((end = now()) < begin + seconds) {
		int n = epoll_wait(loop, events, CONNS_MAX, 1000);

		for (int i = 0; i < n; i++)
			take(events[i].data.ptr);
	}
	printf("%.0f %.0f\n", (double)answers / (end - begin),
	    (double)octets / (double)(answers > 0 ? answers : 1));
}

static void
secure(int fd, struct tls_ctx *ctx)
{
	struct tls *tls = tls_connecting(ctx, fd, "mtqp.example.org");
	char text[512];

	if (tls == NULL || tls_handshake(tls) != TLS_DONE ||
	    tls_read(tls, text, sizeof text) <= 0) {
		fprintf(stderr, "no TLS\n");
		exit(1);
	}
}

static void
idle(unsigned port, unsigned n, bool with_tls)
{
	struct rlimit many = { n + 100, n + 100 };
	struct tls_ctx *ctx = NULL;
	char why[512], line[8];

	if (setrlimit(RLIMIT_NOFILE, &many) == -1)
		die("descriptors");
	if (with_tls && tls_client_new(NULL, &ctx, why, sizeof why) != MTRK_OK)
		die(why);
	for (unsigned i = 0; i < n; i++) {
		int fd = dial(port, i);

		if (with_tls)
			secure(fd, ctx);
		else
			greeted(fd);
	}
	puts("ready");
	fflush(stdout);
	if (fgets(line, sizeof line, stdin) == NULL)
		exit(0);
}

static unsigned
number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "fill") == 0) {
		fill(argv[2], number(argv[3]));
	} else if (argc == 5 && strcmp(argv[1], "add") == 0) {
		add(argv[2], number(argv[3]), number(argv[4]));
	} else if (argc >= 4 && strcmp(argv[1], "idle") == 0) {
		idle(number(argv[2]), number(argv[3]), argc > 4);
	} else if (argc == 7 && strcmp(argv[1], "ask") == 0 &&
	    number(argv[3]) <= CONNS_MAX && number(argv[4]) <= DEPTH_MAX) {
		messages = strtoul(argv[6], NULL, 10);
		ask(number(argv[2]), number(argv[3]), number(argv[4]),
		    strtod(argv[5], NULL));
	} else {
		return 64;
	}
	return 0;
}
