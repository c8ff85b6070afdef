/*
 * mtqp/track_conf.h -- a person's own settings for mtrk-track:
 * $XDG_CONFIG_HOME/mtrk/track.conf, "Name value" lines, "#" comments.
 */
#ifndef MTRK_MTQP_TRACK_CONF_H
#define MTRK_MTQP_TRACK_CONF_H

#include <limits.h>
#include <stdio.h>

#include "common/mtrk.h"
#include "common/uri.h"

enum {
	TRACK_CONF_TEXT = 1024, /* octets of a value; ours */
	KEEP_DAYS = 30, /* servers keep 8 to 10 days by default (S21) */
};

struct track_conf {
	char path[PATH_MAX]; /* of the file, if it is there or not */
	char server[HOST_MAX + 1], mtqp[HOST_MAX + 1];
	uint16_t server_port, mtqp_port; /* 0: none given */
	char host[HOST_MAX + 1], from[ADDRESS_MAX], user[256];
	char password_command[TRACK_CONF_TEXT], password_file[TRACK_CONF_TEXT];
	char ca_file[TRACK_CONF_TEXT], resolver[256]; /* "": none */
	bool assume_mtrk, require_tls, allow_private;
	bool has_timeout;
	uint64_t timeout_s; /* if has_timeout */
	uint64_t keep_s; /* secrets of older messages are forgotten */
};

/*
 * Without a file: the defaults.  Faults go to `errors`, "file:line: reason":
 * MTRK_SYNTAX; MTRK_DENIED if others may write the file, since it can name a
 * command; MTRK_IO.
 */
enum mtrk_err track_conf_load(struct track_conf *, FILE *errors);

#endif
