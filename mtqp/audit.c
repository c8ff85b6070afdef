#include "mtqp/audit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mtrk.h"
#include "common/when.h"

enum { LINE_LEN_MAX = 4 * ENVID_MAX + 512 };

static int file = -1;

enum mtrk_err
audit_open(const char *path)
{
	int fd;

	if (path[0] == '\0')
		return MTRK_OK;
	fd = open(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	if (fd == -1)
		return MTRK_IO;
	audit_close();
	file = fd;
	return MTRK_OK;
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
	    "%s client=%s tls=%s envid=\"%s\" outcome=\"%s\"\n", stamp,
	    l->client, l->tls != NULL ? l->tls : "no",
	    log_quote(span_of(l->envid), q, sizeof q), l->outcome);
	if (n > 0 && write(file, line, (size_t)n) != n &&
	    log_allow(&often, 60, &missed))
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
