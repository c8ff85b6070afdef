/*
 * mtqp/known_servers.h -- what was seen of each tracking server's TLS, so that
 * a server that no longer offers it, or shows another key, raises an alarm
 * (RFC 3887 11, Q44): $XDG_DATA_HOME/mtrk/servers.json.
 */
#ifndef MTRK_MTQP_KNOWN_SERVERS_H
#define MTRK_MTQP_KNOWN_SERVERS_H

#include "mtqp/ask.h"
#include "mtqp/datafile.h"

enum alarm {
	ALARM_NONE,
	ALARM_NO_TLS, /* it offered TLS before */
	ALARM_OTHER_KEY, /* and no authority vouches for the new one */
	ALARM_NEW_KEY, /* an authority does: a note will do */
};

/*
 * Compare what was seen now with what was seen before, then remember it; what
 * raised an alarm is not remembered, so that it is raised again until
 * known_servers_forget().  *since: when the other thing was seen first, "" or
 * RFC 3339.  Servers without a full name can't do TLS and are left out.
 */
enum { SINCE_TEXT = 32 };
enum mtrk_err known_servers_note(const char *host, const struct ask_tls *,
    enum alarm *, char since[SINCE_TEXT], char why[DATAFILE_WHY_MAX]);
/* MTRK_NOTFOUND: not known. */
enum mtrk_err known_servers_forget(
    const char *host, char why[DATAFILE_WHY_MAX]);

#endif
