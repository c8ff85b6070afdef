#include "mtqp/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mtrk.h"
#include "common/when.h"

enum { LINE_LEN_MAX = 4 * ENVID_MAX + 512 };

static atomic_int file = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* while it is used */
static bool torn; /* the last line has no end: guarded by the lock */

/* A full disk, and then a restart or SIGHUP: its last line has no end. */
static bool
ends_torn(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char last = '\n';

	if (fd == -1)
		return false;
	if (lseek(fd, -1, SEEK_END) != -1)
		(void)!read(fd, &last, 1);
	close(fd);
	return last != '\n';
}

enum mtrk_err
audit_open(const char *path)
{
	int fd, old;
	bool was_torn;

	if (path[0] == '\0')
		return MTRK_OK;
	fd = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    0640);
	if (fd == -1)
		return MTRK_IO;
	was_torn = ends_torn(path);
	pthread_mutex_lock(&lock);
	old = atomic_exchange(&file, fd);
	torn = was_torn;
	pthread_mutex_unlock(&lock);
	if (old != -1)
		close(old);
	return MTRK_OK;
}

/* `line` begins with the line feed that ends a torn one, as a full disk
 * leaves it. */
static bool
put(const char *line, size_t n)
{
	ssize_t done;
	bool ok;

	pthread_mutex_lock(&lock);
	if (!torn) {
		line++;
		n--;
	}
	done = file != -1 ? write(file, line, n) : (ssize_t)n;
	ok = done == (ssize_t)n;
	if (done > 0)
		torn = !ok;
	if (done >= 0 && !ok)
		errno = ENOSPC; /* as the rest of it would say */
	pthread_mutex_unlock(&lock);
	return ok;
}

void
audit_write(const struct audit_line *l)
{
	static struct log_limit often;
	char line[LINE_LEN_MAX], stamp[WHEN_TEXT], q[4 * ENVID_MAX + 4];
	unsigned long missed;
	int n;

	if (file == -1)
		return;
	when_rfc3339(l->time, stamp);
	n = snprintf(line, sizeof line,
	    "\n%s client=%s tls=%s envid=\"%s\" outcome=\"%s\"\n", stamp,
	    l->client, l->tls != NULL ? l->tls : "no",
	    log_quote(span_of(l->envid), q, sizeof q), l->outcome);
	if (n > 0 && !put(line, (size_t)n) && log_allow(&often, 60, &missed))
		log_err("event=audit text=\"a line is lost: %m\" missed=%lu",
		    missed);
}

void
audit_close(void)
{
	if (file != -1)
		close(file);
	file = -1;
}
