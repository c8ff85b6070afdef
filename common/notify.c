#include "common/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static int manager = -1;
static unsigned watchdog_s;

/* $WATCHDOG_USEC, if it is meant for us: half of it, as sd_watchdog_enabled(3)
 * advises. */
static void
read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"),
		   *pid = getenv("WATCHDOG_PID");
	uint64_t us, ours;

	if (pid != NULL &&
	    (!span_number(span_of(pid), UINT32_MAX, &ours) ||
		ours != (uint64_t)getpid()))
		return;
	if (span_number(span_of(usec), UINT64_MAX, &us) && us > 0)
		watchdog_s = us < 2000000 ? 1 : (unsigned)(us / 2000000);
}

static int
connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	int fd;

	if (n == 0 || n >= sizeof a.sun_path)
		return -1;
	memcpy(a.sun_path, path, n);
	if (path[0] == '@')
		a.sun_path[0] = '\0'; /* unix(7): an abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    connect(fd, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == 0)
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

void
notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (path == NULL)
		return;
	if ((manager = connect_to(path)) == -1)
		log_warn("event=notify text=\"%m\"");
	else
		read_watchdog();
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void
notify(const char *state)
{
	if (manager != -1)
		(void)send(
		    manager, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

unsigned
notify_watchdog_s(void)
{
	return watchdog_s;
}

void
notify_alive(void)
{
	static int64_t said_s;
	int64_t now_s = clock_s();

	if (watchdog_s == 0 || now_s - said_s < (int64_t)watchdog_s)
		return;
	said_s = now_s;
	notify("WATCHDOG=1");
}
