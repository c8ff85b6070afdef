#include "common/net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"

enum { BACKLOG = 128 };

static const int on = 1;

static int
listen_on(int fd, const struct addrinfo *a)
{
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
		return -1;
	if (a->ai_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == -1)
		return -1;
	if (bind(fd, a->ai_addr, a->ai_addrlen) == -1)
		return -1;
	return listen(fd, BACKLOG);
}

/* Numeric only: starting must not wait for a name service. */
int
net_listen(const char *host, uint16_t port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *a;
	char service[6];
	int fd, saved;

	snprintf(service, sizeof service, "%u", (unsigned)port);
	errno = EINVAL;
	if (getaddrinfo(host, service, &hints, &a) != 0)
		return -1;
	fd =
	    socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1 && listen_on(fd, a) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

void
net_accepted(int fd, const struct sockaddr *from, size_t from_size, char *peer,
    size_t peer_size)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (getnameinfo(from, (socklen_t)from_size, peer, (socklen_t)peer_size,
		NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(peer, peer_size, "unknown");
}

void
net_allow_descriptors(unsigned n)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur >= n)
		return;
	r.rlim_cur = r.rlim_max < n ? r.rlim_max : n;
	if (setrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur < n)
		log_warn("event=limit descriptors=%lu wanted=%u",
		    (unsigned long)r.rlim_cur, n);
}
