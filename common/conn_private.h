/*
 * common/conn_private.h -- one connection, between conn.c, where its states
 * are, and conn_buffers.c, where its octets wait.
 */
#ifndef MTRK_COMMON_CONN_PRIVATE_H
#define MTRK_COMMON_CONN_PRIVATE_H

#include "common/loop_private.h"
#include "common/watch.h"

/* What a connection is waiting for; nothing else decides what it may do. */
enum wait {
	WAIT_REQUEST, /* the first octet of a line */
	WAIT_LINE, /* the rest of it */
	WAIT_ANSWER, /* conn_resume(): the protocol works on a line */
	WAIT_PAUSE, /* a time, before the answer goes out */
	WAIT_FLUSH, /* that the peer reads: too much is queued */
	WAIT_LAST_FLUSH, /* the same, and then the end */
	WAIT_BEFORE_TLS, /* the same, and then a handshake */
	WAIT_TLS, /* the handshake */
	WAIT_GONE, /* its memory is freed by the next turn of the loop */
	WAIT_COUNT
};

struct conn {
	LIST_ENTRY(conn) others;
	struct loop *loop;
	const struct protocol *protocol;
	void *user;
	int fd;
	struct watch *watch;
	struct alarm *late;
	struct tls *tls; /* NULL: none is asked for */
	bool secure; /* octets go through tls */
	bool serving; /* what is written goes out when the lines are done */
	enum wait wait;
	struct lines lines;
	struct buf in; /* not taken yet; empty when idle */
	struct buf out; /* from `sent` on not sent yet; empty when idle */
	size_t sent;
	size_t behind; /* octets behind the line in hand */
	size_t counted; /* in loop->held */
	unsigned pause_s;
	const char *why; /* it ended */
	unsigned long id;
	struct net_ip ip;
	char peer[LOOP_ADDRESS];
};

size_t conn_queued(const struct conn *); /* octets to be sent */
/* What was left over goes to the loop's input.  How many octets. */
size_t conn_unkeep(struct conn *);
/* An empty output buffer goes back to the loop, so an idle connection has
 * none. */
void conn_give_back(struct conn *);
/* What a connection keeps between turns counts against the loop's limit. */
void conn_account(struct conn *);

#endif
