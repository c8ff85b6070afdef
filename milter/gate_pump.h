/*
 * milter/gate_pump.h -- two connections and the octets between them: sockets,
 * TLS on either, deadlines, back-pressure.  What the octets mean is a
 * handler's matter.
 *
 * Memory follows the traffic: nothing is kept for a side that waits.  A side
 * is read only while the other one takes what comes of it.
 */
#ifndef MTRK_MILTER_GATE_PUMP_H
#define MTRK_MILTER_GATE_PUMP_H

#include <sys/socket.h>

#include "common/loop.h"
#include "common/span.h"
#include "common/tls.h"

enum side { SIDE_CLIENT, SIDE_SERVER, SIDES };

enum {
	PUMP_READ = 128 * 1024, /* octets of one read */
	PUMP_HELD_MAX = 64 * 1024, /* not taken by the handler yet: no read */
	/* Not taken by the peer yet: no read.  Room for a PROXY header and a
	 * few replies; what is longer is cheaper in the kernel's buffers. */
	PUMP_QUEUE_MAX = 4 * 1024,
	PUMP_CONNECT_S = 30, /* ours: a next hop may be far */
	PUMP_AGAIN_S = 1, /* between tries at a socket whose queue is full */
	PUMP_TLS_S = 300, /* a client's handshake; Postfix gives it as long */
	PUMP_HOP_TLS_S = 120, /* a server's: an MTA may wait for EHLO, 300 s */
	/* for a peer to take what is queued when the other has gone: while it
	 * is there, it has limits of its own */
	PUMP_FLUSH_S = 600,
	/* Nothing at all moves: a last resort, behind the MTA's own limits, of
	 * which Sendmail's longest is an hour. */
	PUMP_IDLE_S = 3900,
};

enum pump_event {
	PUMP_CONNECTED,
	PUMP_NOT_CONNECTED, /* errno says why */
	PUMP_SECURED, /* TLS is up; pump_why_not() */
	PUMP_TLS_FAILED, /* that side can only be closed */
	PUMP_ENDED, /* the peer sends nothing more, all it sent was shown */
};

struct pump;

/* How a gate that was told to stop ends its conversations. */
enum pump_ending {
	PUMP_GOES_ON,
	PUMP_ENDS_IDLE, /* with nothing in hand; what begins is let finish */
	PUMP_ENDS_ALL, /* that wait for no reply; nothing new is begun */
};

/*
 * Called in the loop's thread.  Output goes to pump_out() and is sent, as far
 * as the peer takes it, once the call is over.
 */
struct pump_handler {
	/*
	 * Octets that a side has sent, with those that were left last time in
	 * front.  Returns how many are done with.  The others are shown again
	 * with more behind them, or once anything else has happened.
	 */
	size_t (*input)(struct pump *, void *user, enum side from, struct span);
	void (*event)(struct pump *, void *user, enum side, enum pump_event);
	void (*closed)(struct pump *, void *user, const char *why); /* last */
};

/*
 * The client is connected by these non-blocking descriptors, which may be one
 * and the same; they are the pump's now, also on failure.  NULL: no memory,
 * and closed() is not called.  Nothing happens before pump_start(), after
 * which only the handler's calls know whether the pump still lives.  Called
 * again, outside of the handler's calls, it shows what was left.
 */
struct pump *pump_new(
    struct loop *, int in, int out, const struct pump_handler *, void *user);
void pump_start(struct pump *);

/*
 * Begin to connect the server's side, in place of a former connection and
 * what was queued for it; output may be written at once.  `from` as
 * net_connect() wants it.  A path in `to` must outlive the pump.
 */
void pump_connect(struct pump *, const struct sockaddr *to, size_t to_size,
    const struct sockaddr *from);

/* Where to add what a side shall get: during a handler's call, or before
 * pump_start(). */
struct buf *pump_out(struct pump *, enum side);

/*
 * Send what was written, then TLS: as the server towards the client, as a
 * client that asks for `name` (NULL: anybody) towards the server.  The pump
 * is dropped if that side has sent anything beyond what was taken (A44).
 * Nothing is shown to the handler until it is secured.
 */
void pump_starttls(
    struct pump *, enum side, struct tls_ctx *, const char *name);
/* NULL: it is, and the peer's certificate fits `name`; behind PUMP_TLS_FAILED:
 * why that was. */
const char *pump_why_not(const struct pump *, enum side);

/* Tell a side that no more comes, once it got what is held and queued. */
void pump_finish(struct pump *, enum side);
void pump_close(struct pump *, const char *why); /* once all is sent */
void pump_drop(struct pump *, const char *why); /* now; `why` is static */

unsigned pump_count(void); /* of this process */
void pump_drop_all(const char *why); /* before the loop is freed */
/* Each of this handler; the call may end the pump. */
void pump_each(
    const struct pump_handler *, void (*)(struct pump *, void *user));

#endif
