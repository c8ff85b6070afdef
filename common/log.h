/*
 * common/log.h -- one event a line, key=value; strangers' words are quoted.
 * Secrets and certifiers never come here.  Safe from any thread.
 */
#ifndef MTRK_COMMON_LOG_H
#define MTRK_COMMON_LOG_H

#include "common/span.h"

enum log_level { LOG_L_ERR, LOG_L_WARN, LOG_L_NOTICE, LOG_L_INFO, LOG_L_DEBUG };
enum log_to { LOG_TO_STDERR, LOG_TO_SYSLOG };

/* Until the first call: standard error, level info.  `program` must live. */
void log_setup(const char *program, enum log_to, enum log_level most);
bool log_is_on_stderr(void);

#define LOG_FORMAT __attribute__((format(printf, 1, 2)))
void log_err(const char *, ...) LOG_FORMAT; /* someone must act */
void log_warn(const char *, ...) LOG_FORMAT; /* we coped */
void log_notice(const char *, ...) LOG_FORMAT; /* start, stop */
void log_info(const char *, ...) LOG_FORMAT; /* one line a session */
void log_debug(const char *, ...) LOG_FORMAT; /* off by default */
#undef LOG_FORMAT

/* Text from a stranger made safe for one log line; lives in `buf`; what does
 * not fit ends in "...". */
const char *log_quote(struct span, char *buf, size_t n);

/* True at most once in `every_s` seconds; *missed counts the refusals since. */
struct log_limit {
	_Atomic long last;
	_Atomic unsigned long missed;
};
bool log_allow(struct log_limit *, unsigned every_s, unsigned long *missed);

#endif
