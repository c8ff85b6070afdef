/*
 * common/conf_text.h -- what a setting that is text may be.  NULL, or a
 * static text: what was expected instead.
 */
#ifndef MTRK_COMMON_CONF_TEXT_H
#define MTRK_COMMON_CONF_TEXT_H

#include "common/span.h"

enum { CONF_UNIX_PATH_MAX = 107 /* octets; unix(7) */ };

/* A daemon's working folder is "/", whatever it was for -n. */
const char *conf_not_path(struct span);
/* PATH, "journal", "journal:DIR" or "-". */
const char *conf_not_log(struct span);
/* libmilter's local:PATH, unix:PATH, PATH, inet:PORT[@HOST], inet6:... */
const char *conf_not_socket(struct span);
const char *conf_not_domain(struct span);

#endif
