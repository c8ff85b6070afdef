/*
 * tests/bench/relay.c PORT SOCKET -- the peer: from a port of 127.0.0.1 to a
 * socket, every octet as it comes, and nothing else.  What it costs, any
 * program in this place costs.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FDS_MAX = 1024, READ_MAX = 64 * 1024, READY_MAX = 32 };

static const char header[] = "PROXY TCP4 127.0.0.1 127.0.0.1 50000 25\r\n";
static int other_of[FDS_MAX]; /* 0: none */
static int ready_fd;

static void
watch(int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(ready_fd, EPOLL_CTL_ADD, fd, &e);
}

static void
take(int listener, const struct sockaddr_un *to)
{
	int on = 1, client = accept(listener, NULL, NULL);
	int server = socket(AF_UNIX, SOCK_STREAM, 0);

	if (client < 0 || server < 0 || client >= FDS_MAX ||
	    server >= FDS_MAX ||
	    connect(server, (const struct sockaddr *)to, sizeof *to) == -1 ||
	    send(server, header, sizeof header - 1, MSG_NOSIGNAL) == -1)
		exit(1);
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	other_of[client] = server;
	other_of[server] = client;
	watch(client);
	watch(server);
}

static void
move(int from)
{
	static char octets[READ_MAX];
	int to = other_of[from];
	ssize_t n = to != 0 ? recv(from, octets, sizeof octets, 0) : 0;

	if (to == 0) /* closed in this turn */
		return;
	if (n > 0 && send(to, octets, (size_t)n, MSG_NOSIGNAL) == n)
		return;
	other_of[from] = other_of[to] = 0;
	close(from);
	close(to);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct epoll_event ready[READY_MAX];
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 3)
		return 64;
	at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	snprintf(to.sun_path, sizeof to.sun_path, "%s", argv[2]);
	ready_fd = epoll_create1(0);
	if (bind(listener, (struct sockaddr *)&at, sizeof at) == -1 ||
	    listen(listener, SOMAXCONN) == -1)
		return 1;
	watch(listener);
	for (;;) {
		int n = epoll_wait(ready_fd, ready, READY_MAX, -1);

		for (int i = 0; i < n; i++)
			if (ready[i].data.fd == listener)
				take(listener, &to);
			else
				move(ready[i].data.fd);
	}
}
