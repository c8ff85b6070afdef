/*
 * milter/gate_ehlo.h -- the MTA's reply to EHLO, as a client behind the gate
 * shall see it.  Pure.
 */
#ifndef MTRK_MILTER_GATE_EHLO_H
#define MTRK_MILTER_GATE_EHLO_H

#include "common/span.h"

/* What the MTA lists. */
struct ehlo {
	bool dsn, chunking, starttls;
};

/* `reply`: all lines of a 250. */
void ehlo_read(struct span reply, struct ehlo *out);

/*
 * Adds the reply to `out`: MTRK behind the last line if `mtrk`; STARTTLS as the
 * gate wants it, wherever the MTA has it; without XCLIENT and XFORWARD, which
 * are for proxies that the MTA trusts.  All other lines pass as they are.
 */
void ehlo_write(struct span reply, bool mtrk, bool starttls, struct buf *out);

#endif
