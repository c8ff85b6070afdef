/*
 * milter/session.h -- one SMTP connection as a milter sees it, and the record
 * that comes of each marked message.  Pure: no libmilter, no store.
 *
 * Every function takes NULL for the session, and does nothing then.
 */
#ifndef MTRK_MILTER_SESSION_H
#define MTRK_MILTER_SESSION_H

#include <sys/socket.h>

#include "common/record.h"
#include "milter/carrier.h"

struct session;

struct session *session_new(void); /* NULL: no memory */
void session_free(struct session **);

/* The client's address; NULL, or not an internet one: "local". */
void session_connect(struct session *, const struct sockaddr *);

/* MAIL, also after an aborted one.  *why as carrier_read() sets it. */
enum carried session_mail(
    struct session *, const char *const *argv, int64_t now, const char **why);
/* An accepted RCPT.  Parameters that don't parse are the MTA's matter. */
void session_rcpt(struct session *, const char *const *argv);
/*
 * End of message.  MTRK_OK: *out is what to store, borrowed from the session
 * until its next call.  MTRK_NOTFOUND: the message isn't marked, or has no
 * recipient.  Anything else: it can't be tracked.
 */
enum mtrk_err session_message(struct session *, const char *queue_id,
    const char *instance, struct message *out);
/* RSET, a refused or finished message: forget it, keep the connection. */
void session_reset(struct session *);

#endif
