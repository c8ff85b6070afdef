/*
 * milter/gate_claim.h -- a recipient's certifier goes to one next hop at a
 * time: what one conversation claims, no other of any mtrk-gate with the same
 * store gets (S30).  By locks of the kernel's on an empty file in the store's
 * folder, so that who dies holds nothing.
 */
#ifndef MTRK_MILTER_GATE_CLAIM_H
#define MTRK_MILTER_GATE_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

enum { GATE_CLAIM_NONE = -1 };

/*
 * Claims recipient number `recipient` of a message (both the store's), beside
 * what *claims holds already; GATE_CLAIM_NONE, if nothing yet.  False: another
 * has it, or, with errno not EAGAIN, claims can't be had.
 */
bool gate_claim(
    const char *store, int *claims, uint64_t message, uint32_t recipient);
/* Gives up all that is held. */
void gate_claim_release(int *claims);

#endif
