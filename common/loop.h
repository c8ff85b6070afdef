/*
 * common/loop.h -- a thread that serves many line-oriented connections, or a
 * few that share them: the one door to libevent (with common/watch.h, for those
 * who move the octets themselves).  The connections are in conn.c and
 * conn_buffers.c, the threads in loop_room.c.
 *
 * A protocol is a struct of functions and limits.  A connection is always
 * waiting for one thing, and no longer than a limit; input and output are
 * bounded, and an idle connection has no buffers.  Nothing here knows what
 * the lines mean.
 */
#ifndef MTRK_COMMON_LOOP_H
#define MTRK_COMMON_LOOP_H

#include "common/err.h"
#include "common/lines.h"
#include "common/net.h"
#include "common/span.h"
#include "common/tls.h"

enum {
	LOOP_LINE_MAX = 4096, /* octets before CRLF that a protocol may ask */
	LOOP_OUTPUT_MAX = 64 * 1024, /* more queued: no line is read */
	LOOP_ADDRESS = 64, /* "192.0.2.1", "2001:db8::1" */
	LOOP_ASIDE_MAX = 8, /* connections of protocols aside; ours */
};

struct loop;
struct conn;
struct sockaddr;

/*
 * All functions run in the connection's thread.  `user` is what opened()
 * returned. A connection lives until closed() returns, which is called once,
 * later than the conn_drop() or conn_close() that caused it.
 */
struct protocol {
	const char *name; /* for the log */
	size_t line_max; /* octets before CRLF */
	unsigned idle_s; /* between requests */
	unsigned line_s; /* from a request's first octet to its last */
	unsigned flush_s; /* for the peer to read what is queued */
	unsigned tls_s; /* for a handshake */
	unsigned answer_s; /* for us, from conn_hold() to conn_resume() */
	const char *refusal; /* said to one connection too many; may be NULL */

	bool aside; /* has a few places of its own, none of conns_max */
	/* Why this one isn't served, static; NULL: it is.  May be NULL: all. */
	const char *(*refuses)(void *arg, const struct net_ip *);
	/* Not refused, and yet it is never opened; may be NULL. */
	void (*missed)(void *arg, const struct net_ip *);
	void *(*opened)(struct conn *, void *arg); /* NULL: drop it */
	/* LINE_OK, or a fault and no bytes; they die when line() returns. */
	void (*line)(struct conn *, void *user, enum line, struct span);
	void (*secured)(struct conn *, void *user); /* TLS is up */
	void (*closed)(struct conn *, void *user, const char *why);
};

/* At most `conns_max` connections at a time; allows itself the descriptors.
 * Create it after fork(). */
enum mtrk_err loop_new(unsigned conns_max, struct loop **out);
void loop_free(struct loop **); /* with its connections; NULL is fine */

/* Bind a numeric address now, accept once loop_run() runs.  An IPv6 address
 * takes IPv6 only.  MTRK_IO keeps errno (EINVAL: no such address). */
enum mtrk_err loop_listen(struct loop *, const char *host, uint16_t port,
    const struct protocol *, void *arg);
/* The same for what moves octets itself: fd is non-blocking, and accepted()'s
 * to close. */
typedef void loop_accepted(
    void *arg, int fd, const struct sockaddr *peer, size_t peer_size);
enum mtrk_err loop_accept(
    struct loop *, const char *host, uint16_t port, loop_accepted *, void *arg);
/* The same on a socket in the file system, which is put there anew. */
enum mtrk_err loop_listen_local(
    struct loop *, const char *path, const struct protocol *, void *arg);
/* Octets that all connections' buffers may hold together; when they would hold
 * more, those with the most are dropped. */
void loop_limit_memory(struct loop *, size_t octets);
unsigned loop_connections(const struct loop *); /* none that are aside */
/* Call `ready` whenever there is something to read, until loop_free().
 * MTRK_NOMEM, as of the next two. */
enum mtrk_err loop_watch(
    struct loop *, int fd, void (*ready)(void *arg), void *arg);
/* Call `due` every so many seconds. */
enum mtrk_err loop_timer(
    struct loop *, unsigned every_s, void (*due)(void *arg), void *arg);

/* Call `due` once, in so many seconds. */
enum mtrk_err loop_later(
    struct loop *, unsigned after_s, void (*due)(void *arg), void *arg);

/* Called in each of the loop's threads. */
struct loop_hooks {
	void (*after_turn)(void *arg); /* all that was ready has been served */
	void (*thread_ends)(void *arg); /* but not the first one */
	void *arg;
};
/* Borrowed.  While there is one thread. */
void loop_set_hooks(struct loop *, const struct loop_hooks *);

/*
 * Serve in `n` threads: n - 1 that start now, and the one that calls
 * loop_run().  What loop_listen() accepts is dealt to them in turn, and all
 * functions of a connection's protocol run in one of them.  All else, timers
 * and what is watched, stays with the first.  All of them share the limits.
 * On failure loop_free() ends those that have started.
 */
enum mtrk_err loop_threads(struct loop *, unsigned n);
/* False: since this was asked last, one of the other threads had no turn.
 * They have to have one by the next time. */
bool loop_alive(struct loop *);

/* Until loop_stop(), or loop_drain() and the last connection's end; then for
 * the other threads' ends. */
enum mtrk_err loop_run(struct loop *);
/* Accept nothing more, take no further line, send what is queued. */
void loop_drain(struct loop *);
void loop_deaf(struct loop *); /* accept nothing more; no more than that */
void loop_stop(struct loop *); /* now; in the loop's own thread */

void conn_write(struct conn *, struct span);
/* The same without a copy: append here, then conn_written(). */
struct buf *conn_out(struct conn *);
void conn_written(struct conn *);
void conn_close(struct conn *); /* once all is sent; takes no further line */
void conn_drop(struct conn *, const char *why); /* now; `why` is static */
/*
 * TLS as the server once what was written has been sent.  `fqdn` chooses the
 * certificate, NULL leaves that to SNI.  Not a word is sent, and the
 * connection is dropped, if the peer has sent anything behind the command in
 * hand (A44).  In opened() it makes TLS come first.
 */
void conn_starttls(struct conn *, struct tls_ctx *, const char *fqdn);
/* From line(): nothing is sent or taken for so long. */
void conn_pause(struct conn *, unsigned seconds);
/* From line(): no further line is taken until conn_resume(). */
void conn_hold(struct conn *);
void conn_resume(struct conn *);

unsigned long conn_id(const struct conn *); /* unique in this process */
const char *conn_peer(const struct conn *); /* numeric address, no port */
const struct net_ip *conn_ip(const struct conn *);
const struct tls *conn_tls(const struct conn *); /* NULL: in clear */

const char *loop_version(void);

#endif
