#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

enum { LINE_MAX_LEN = 2048 }; /* ours: what is longer is cut */

static struct {
	const char *program;
	enum log_to to;
	enum log_level most;
} config = { "mtrk", LOG_TO_STDERR, LOG_L_INFO };

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_L_ERR] = { "err", LOG_ERR },
	[LOG_L_WARN] = { "warning", LOG_WARNING },
	[LOG_L_NOTICE] = { "notice", LOG_NOTICE },
	[LOG_L_INFO] = { "info", LOG_INFO },
	[LOG_L_DEBUG] = { "debug", LOG_DEBUG },
};

void
log_setup(const char *program, enum log_to to, enum log_level most)
{
	config.program = program;
	config.to = to;
	config.most = most;
	if (to == LOG_TO_SYSLOG)
		openlog(program, LOG_PID, LOG_MAIL);
}

bool
log_is_on_stderr(void)
{
	return config.to == LOG_TO_STDERR;
}

/* One write(2) a line, so that lines of several threads don't mix. */
static void
to_stderr(enum log_level level, const char *text)
{
	char line[LINE_MAX_LEN + 128], stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
	n = snprintf(line, sizeof line, "%s %s[%ld]: %s: %s\n", stamp,
	    config.program, (long)getpid(), levels[level].name, text);
	if (n > 0)
		(void)!write(STDERR_FILENO, line, (size_t)n);
}

static void log_at(enum log_level, const char *, va_list)
    __attribute__((format(printf, 2, 0)));

static void
log_at(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_LEN];
	int saved = errno;

	if (level > config.most)
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	if (config.to == LOG_TO_SYSLOG)
		syslog(levels[level].priority, "%s", text);
	else
		to_stderr(level, text);
	errno = saved;
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list ap; \
		va_start(ap, fmt); \
		log_at(level, fmt, ap); \
		va_end(ap); \
	}
LOG_FUNCTION(log_err, LOG_L_ERR)
LOG_FUNCTION(log_warn, LOG_L_WARN)
LOG_FUNCTION(log_notice, LOG_L_NOTICE)
LOG_FUNCTION(log_info, LOG_L_INFO)
LOG_FUNCTION(log_debug, LOG_L_DEBUG)

const char *
log_quote(struct span text, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		bool plain = c > 31 && c < 127 && c != '"' && c != '\\';

		if (n + (plain ? 1 : 4) + sizeof "..." > size) {
			snprintf(buf + n, size - n, "...");
			return buf;
		}
		if (plain)
			buf[n++] = (char)c;
		else
			n += (size_t)snprintf(buf + n, size - n, "\\x%02x", c);
	}
	buf[n] = '\0';
	return buf;
}

bool
log_allow(struct log_limit *l, unsigned every_s, unsigned long *missed)
{
	long now = (long)clock_s(), last = l->last;

	if ((last != 0 && now < last + (long)every_s) ||
	    !atomic_compare_exchange_strong(&l->last, &last, now)) {
		l->missed++;
		return false;
	}
	*missed = atomic_exchange(&l->missed, 0);
	return true;
}
