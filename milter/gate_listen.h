/*
 * milter/gate_listen.h -- a listener of the inbound gate: each client that it
 * accepts gets a connection to the MTA behind, and an inbound machine between.
 */
#ifndef MTRK_MILTER_GATE_LISTEN_H
#define MTRK_MILTER_GATE_LISTEN_H

#include "common/conf.h"
#include "common/loop.h"
#include "common/tls.h"
#include "milter/gate_pump.h"

enum {
	GATE_CLIENTS_MAX = 8000, /* ours: two descriptors each */
};

struct gate_listener;

/*
 * Bind now, accept once the loop runs.  `tls` is where the context is found
 * when a client comes (NULL there: no TLS), so it can be replaced.  Fails as
 * loop_accept() does.
 */
enum mtrk_err gate_listen(struct loop *, const struct conf *,
    const struct conf_gate_listen *, struct tls_ctx **tls,
    struct gate_listener **out);
void gate_listener_free(struct gate_listener **); /* after its clients */

/* End conversations with 421, now and from now on, and as they come to that
 * point. */
void gate_listen_end(enum pump_ending);

#endif
