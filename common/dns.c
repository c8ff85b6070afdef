#include "common/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/span.h"

enum {
	TRY_MS = 3000, /* the first try of a server; doubled for the second */
	TRIES = 2,
	EVENTS = 16, /* taken at a time */
};

struct dns {
	ares_channel channel;
	int epoll, timer;
	size_t pending;
};

struct question {
	struct dns *dns;
	enum dns_type type;
	void (*done)(void *arg, const struct dns_answer *);
	void *arg;
};

/* c-ares' sockets come and go below our epoll descriptor. */
static void
watch(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *dns = arg;
	struct epoll_event e = { .data.fd = fd,
		.events = (readable ? (uint32_t)EPOLLIN : 0) |
		    (writable ? (uint32_t)EPOLLOUT : 0) };

	if (e.events == 0)
		epoll_ctl(dns->epoll, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(dns->epoll, EPOLL_CTL_MOD, fd, &e) == -1)
		epoll_ctl(dns->epoll, EPOLL_CTL_ADD, fd, &e);
}

/* The next moment at which c-ares wants to give up on a server. */
static void
set_timer(struct dns *dns)
{
	struct itimerspec t = { 0 };
	struct timeval tv, *next = ares_timeout(dns->channel, NULL, &tv);

	if (next != NULL) {
		t.it_value.tv_sec = next->tv_sec;
		/* 0 would mean never */
		t.it_value.tv_nsec = next->tv_usec * 1000 + 1;
	}
	timerfd_settime(dns->timer, 0, &t, NULL);
}

static enum mtrk_err
open_channel(struct dns *dns, const char *servers)
{
	struct ares_options o = { .flags = ARES_FLAG_NOSEARCH,
		.timeout = TRY_MS,
		.tries = TRIES,
		.sock_state_cb = watch,
		.sock_state_cb_data = dns };

	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return MTRK_IO;
	if (ares_init_options(&dns->channel, &o,
		ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		    ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS) {
		ares_library_cleanup();
		return MTRK_IO;
	}
	if (servers != NULL &&
	    ares_set_servers_ports_csv(dns->channel, servers) != ARES_SUCCESS)
		return MTRK_SYNTAX;
	return MTRK_OK;
}

enum mtrk_err
dns_open(const char *servers, struct dns **out)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct dns *dns = calloc(1, sizeof *dns);
	enum mtrk_err err;

	*out = NULL;
	if (dns == NULL)
		return MTRK_NOMEM;
	dns->epoll = epoll_create1(EPOLL_CLOEXEC);
	dns->timer =
	    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	e.data.fd = dns->timer;
	if (dns->epoll == -1 || dns->timer == -1 ||
	    epoll_ctl(dns->epoll, EPOLL_CTL_ADD, dns->timer, &e) == -1)
		err = MTRK_IO;
	else
		err = open_channel(dns, servers);
	if (err != MTRK_OK)
		dns_close(&dns);
	*out = dns;
	return err;
}

void
dns_close(struct dns **dns)
{
	if (*dns == NULL)
		return;
	if ((*dns)->channel != NULL) {
		ares_destroy((*dns)->channel);
		ares_library_cleanup();
	}
	if ((*dns)->timer != -1)
		close((*dns)->timer);
	if ((*dns)->epoll != -1)
		close((*dns)->epoll);
	free(*dns);
	*dns = NULL;
}

static void
take_status(struct dns_answer *a, int status)
{
	static const struct {
		int status;
		enum mtrk_err err;
		const char *why;
	} rows[] = {
		{ ARES_SUCCESS, MTRK_OK, NULL },
		{ ARES_ENOTFOUND, MTRK_NOTFOUND, "no such name in the DNS" },
		{ ARES_ENODATA, MTRK_NOTFOUND, "no such record in the DNS" },
		{ ARES_EBADNAME, MTRK_SYNTAX, "not a name for the DNS" },
		{ ARES_EBADRESP, MTRK_SYNTAX, "the DNS's reply is damaged" },
		{ ARES_ENOMEM, MTRK_NOMEM, "out of memory" },
		{ ARES_ETIMEOUT, MTRK_BUSY, "the DNS does not answer" },
		{ ARES_ECONNREFUSED, MTRK_BUSY,
		    "no DNS server to be reached, or it failed" },
		{ ARES_ESERVFAIL, MTRK_BUSY, "the DNS server failed" },
		{ ARES_EREFUSED, MTRK_BUSY, "the DNS server refused" },
		{ ARES_ECANCELLED, MTRK_BUSY, "the DNS is too slow" },
		{ -1, MTRK_BUSY, "the DNS lookup failed" }, /* the rest */
	};
	size_t i = 0;

	while (rows[i].status != status && rows[i].status != -1)
		i++;
	a->err = rows[i].err;
	a->why = rows[i].why;
	a->exists = status == ARES_SUCCESS || status == ARES_ENODATA;
}

static struct dns_host *
add_host(struct dns_answer *a, const char *name)
{
	struct dns_host *h = &a->hosts[a->n];

	if (a->n == DNS_RECORDS_MAX ||
	    !span_copy(h->name, sizeof h->name, span_of(name)))
		return NULL;
	a->n++;
	return h;
}

static int
read_srv(const unsigned char *bytes, int n, struct dns_answer *a)
{
	struct ares_srv_reply *list = NULL, *r;
	int status = ares_parse_srv_reply(bytes, n, &list);
	struct dns_host *h;

	for (r = list; r != NULL; r = r->next)
		if ((h = add_host(a, r->host)) != NULL) {
			h->priority = r->priority;
			h->weight = r->weight;
			h->port = r->port;
		}
	ares_free_data(list);
	return status;
}

static int
read_mx(const unsigned char *bytes, int n, struct dns_answer *a)
{
	struct ares_mx_reply *list = NULL, *r;
	int status = ares_parse_mx_reply(bytes, n, &list);
	struct dns_host *h;

	for (r = list; r != NULL; r = r->next)
		if ((h = add_host(a, r->host)) != NULL)
			h->priority = r->priority;
	ares_free_data(list);
	return status;
}

static void
tell(struct question *q, struct dns_answer *a, int status)
{
	if (status == ARES_SUCCESS && a->n == 0)
		status = ARES_ENODATA;
	take_status(a, status);
	q->dns->pending--;
	q->done(q->arg, a);
	free(q);
}

static void
got_hosts(void *arg, int status, int timeouts, unsigned char *bytes, int n)
{
	struct question *q = arg;
	struct dns_answer a = { .n = 0 };

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = q->type == DNS_SRV ? read_srv(bytes, n, &a)
					    : read_mx(bytes, n, &a);
	tell(q, &a, status);
}

static void
got_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *list)
{
	struct question *q = arg;
	struct dns_answer a = { .n = 0 };
	struct ares_addrinfo_node *node = list != NULL ? list->nodes : NULL;

	(void)timeouts;
	for (; node != NULL && a.n < DNS_RECORDS_MAX; node = node->ai_next) {
		const void *octets = node->ai_family == AF_INET6
		    ? (const void *)&(
			  (const struct sockaddr_in6 *)(const void *)
			      node->ai_addr)
			  ->sin6_addr
		    : (const void *)&((const struct sockaddr_in *)(const void *)
					  node->ai_addr)
			  ->sin_addr;

		if (inet_ntop(node->ai_family, octets, a.addresses[a.n].text,
			sizeof a.addresses[a.n].text) != NULL)
			a.n++;
	}
	ares_freeaddrinfo(list);
	tell(q, &a, status);
}

void
dns_ask(struct dns *dns, enum dns_type type, const char *name,
    void (*done)(void *arg, const struct dns_answer *), void *arg)
{
	const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct question *q = malloc(sizeof *q);
	struct dns_answer a = { .n = 0 };

	if (q == NULL) {
		take_status(&a, ARES_ENOMEM);
		done(arg, &a);
		return;
	}
	*q = (struct question){ dns, type, done, arg };
	dns->pending++;
	if (type == DNS_ADDRESS)
		ares_getaddrinfo(
		    dns->channel, name, NULL, &hints, got_addresses, q);
	else
		ares_query(dns->channel, name, ns_c_in,
		    type == DNS_SRV ? ns_t_srv : ns_t_mx, got_hosts, q);
	set_timer(dns);
}

int
dns_fd(const struct dns *dns)
{
	return dns->epoll;
}

void
dns_work(struct dns *dns)
{
	struct epoll_event e[EVENTS];
	int n = epoll_wait(dns->epoll, e, EVENTS, 0);

	for (int i = 0; i < n; i++) {
		int fd = e[i].data.fd;
		bool ours = fd == dns->timer;
		/* an error or hang-up is for both to find */
		bool in = !ours && e[i].events != EPOLLOUT;
		bool out = !ours && e[i].events != EPOLLIN;

		ares_process_fd(dns->channel, in ? fd : ARES_SOCKET_BAD,
		    out ? fd : ARES_SOCKET_BAD);
	}
	set_timer(dns);
}

void
dns_wait(struct dns *dns, unsigned timeout_ms)
{
	struct pollfd p = { .fd = dns->epoll, .events = POLLIN };
	const int64_t end_ms = clock_ms() + timeout_ms;
	int64_t left_ms = timeout_ms;

	while (dns->pending > 0 && left_ms > 0) {
		if (poll(&p, 1, (int)left_ms) > 0)
			dns_work(dns);
		left_ms = end_ms - clock_ms();
	}
	if (dns->pending > 0)
		ares_cancel(dns->channel);
}

const char *
dns_version(void)
{
	return ares_version(NULL);
}
