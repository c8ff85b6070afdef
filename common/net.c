#include "common/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

enum { BACKLOG = 4096 /* the kernel has its own limit */ };

static const int on = 1;
/* TCP's buffers grow with their traffic, these don't; the kernel cuts it to
 * net.core.wmem_max. */
static const int local_queue = 1 << 20;

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

int
net_listen_local(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)!unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static const unsigned char v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

struct net_ip
net_ip_of(const struct sockaddr *sa)
{
	struct net_ip ip = { { 0 } };

	if (sa->sa_family == AF_INET6) {
		memcpy(ip.b, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	} else if (sa->sa_family == AF_INET) {
		memcpy(ip.b, v4_mapped, sizeof v4_mapped);
		memcpy(ip.b + sizeof v4_mapped,
		    &((const struct sockaddr_in *)sa)->sin_addr, 4);
	}
	return ip;
}

bool
net_ip_parse(struct span text, struct net_ip *out)
{
	char copy[INET6_ADDRSTRLEN];

	memset(out, 0, sizeof *out);
	if (!span_copy(copy, sizeof copy, text))
		return false;
	if (inet_pton(AF_INET, copy, out->b + sizeof v4_mapped) != 1)
		return inet_pton(AF_INET6, copy, out->b) == 1;
	memcpy(out->b, v4_mapped, sizeof v4_mapped);
	return true;
}

bool
net_is_address(const char *text)
{
	struct net_ip ip;

	return net_ip_parse(span_of(text), &ip);
}

size_t
net_address(const char *text, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;

	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof *v4;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return 0;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return sizeof *v6;
}

bool
net_ip_is_v4(const struct net_ip *ip)
{
	return memcmp(ip->b, v4_mapped, sizeof v4_mapped) == 0;
}

struct net_ip
net_ip_cut(const struct net_ip *ip, unsigned bits)
{
	struct net_ip cut = { { 0 } };

	for (unsigned i = 0; i < 128 && i < bits; i++)
		cut.b[i / 8] = (unsigned char)(cut.b[i / 8] |
		    (ip->b[i / 8] & 0x80 >> i % 8));
	return cut;
}

bool
net_range_has(const struct net_range *r, const struct net_ip *ip)
{
	struct net_ip cut = net_ip_cut(ip, r->bits);

	return memcmp(cut.b, r->ip.b, sizeof cut.b) == 0;
}

bool
net_range_parse(struct span text, struct net_range *r)
{
	struct span host, bits;
	bool v4, given = span_split(text, '/', &host, &bits);
	uint64_t n = 128;

	*r = (struct net_range){ 0 };
	if (!net_ip_parse(host, &r->ip))
		return false;
	v4 = memchr(host.p, ':', host.n) == NULL;
	if (given && !span_number(bits, v4 ? 32 : 128, &n))
		return false;
	r->bits = (unsigned)n + (given && v4 ? 96 : 0);
	r->ip = net_ip_cut(&r->ip, r->bits);
	return true;
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

/* The port is the kernel's choice, made when the rest is known. */
static int
bind_foreign(int fd, const struct sockaddr *from)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a;

	if (from->sa_family == AF_INET6) {
		memcpy(&a.v6, from, sizeof a.v6);
		a.v6.sin6_port = 0;
		if (setsockopt(
			fd, SOL_IPV6, IPV6_TRANSPARENT, &on, sizeof on) == -1)
			return -1;
		return bind(fd, &a.any, sizeof a.v6);
	}
	memcpy(&a.v4, from, sizeof a.v4);
	a.v4.sin_port = 0;
	if (setsockopt(fd, SOL_IP, IP_TRANSPARENT, &on, sizeof on) == -1 ||
	    setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) ==
		-1)
		return -1;
	return bind(fd, &a.any, sizeof a.v4);
}

int
net_connect(
    const struct sockaddr *to, size_t to_size, const struct sockaddr *from)
{
	int fd = socket(
	    to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd == -1)
		return -1;
	if (to->sa_family == AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &local_queue,
		    sizeof local_queue);
	else
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if ((from == NULL || bind_foreign(fd, from) == 0) &&
	    (connect(fd, to, (socklen_t)to_size) == 0 || errno == EINPROGRESS))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int
net_connected(int fd)
{
	int err = 0;
	socklen_t size = sizeof err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) == -1)
		return errno;
	return err;
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
