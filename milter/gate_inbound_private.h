/*
 * milter/gate_inbound_private.h -- what the two halves of the inbound machine
 * share: gate_inbound.c takes the client's octets, gate_inbound_reply.c the
 * MTA's replies.
 */
#ifndef MTRK_MILTER_GATE_INBOUND_PRIVATE_H
#define MTRK_MILTER_GATE_INBOUND_PRIVATE_H

#include "milter/gate_inbound.h"

void inbound_want(struct inbound_turn *, enum inbound_wish, const char *why);
/* On to the MTA; AWAITS_NOTHING lets the next one follow at once. */
void inbound_forward(struct inbound *, struct span line, enum inbound_awaits,
    struct inbound_turn *);
/* The client's STARTTLS can be answered. */
void inbound_go_ahead_with_tls(struct inbound_turn *);

#endif
