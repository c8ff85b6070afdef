/*
 * milter/gate_end.h -- one of a pump's two connections: descriptors, TLS and
 * the octets that wait on either side of them.
 */
#ifndef MTRK_MILTER_GATE_END_H
#define MTRK_MILTER_GATE_END_H

#include "common/span.h"
#include "common/tls.h"
#include "common/watch.h"

/* What one side is doing. */
struct pump;

enum end_doing {
	NOT_THERE, /* no connection: what is written waits */
	CONNECTING,
	OPEN,
	BEFORE_TLS, /* the rest in clear is being sent */
	HANDSHAKE,
	DEAD, /* takes nothing more; what is written is thrown away */
};

struct end {
	struct pump *pump; /* that it belongs to */
	struct watch *in, *out; /* the same for a socket */
	struct tls *tls, *next_tls; /* next_tls: BEFORE_TLS */
	struct buf held; /* read, not taken by the handler */
	struct buf queue; /* to be sent */
	int in_fd, out_fd;
	enum end_doing doing;
	bool deaf; /* takes nothing more, but what it has said can be read */
	bool ended; /* the peer sends nothing more */
	bool told; /* and the handler knows */
	bool finish; /* no more is to be sent */
	bool finished;
	bool look; /* show `held` again */
	bool failed; /* to connect, for this reason; not told yet */
	int err;
};

/* Without a connection; what is written is queued. */
void end_clear(struct end *, struct pump *, size_t held_max);
/* Close and free everything; end_clear() makes it usable again. */
void end_forget(struct end *);
/* Takes the descriptors, also when it fails; ready() gets the end. */
bool end_open(struct end *, struct loop *, int in, int out, enum end_doing,
    void (*ready)(void *end, unsigned what));
/* As read(2), in clear or not. */
ptrdiff_t end_receive(struct end *, char *, size_t);
/*
 * Send what is queued, then what is fresh, as far as the peer takes it; the
 * rest is queued, `fresh` is empty.  True: something was sent.  The end may be
 * deaf then, and what is written thrown away.
 */
bool end_flush(struct end *, struct buf *fresh);
/* Nothing more will be sent; once all was. */
void end_finish(struct end *);
void end_dead(struct end *);

#endif
