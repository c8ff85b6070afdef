/*
 * tests/lib/gate_doors.h -- the doors of an outbound gate whose store holds two
 * messages of the sender a@x, "q1@x" with 700 s left of its time and "late@x"
 * with none, to three recipients: r1@b, before o1@x; r2@b; r3@b.
 */
#ifndef MTRK_TESTS_LIB_GATE_DOORS_H
#define MTRK_TESTS_LIB_GATE_DOORS_H

#include "milter/gate_outbound.h"

#define GATE_DOORS_CERT "VheLhqV/rCKJmplkGFwsyW59pYk"

/* One at a time; gate_doors_close() frees what it made.  `told`, which is
 * the caller's, gets "index address transferred|relayed hop words;" of each
 * recipient that was taken. */
struct outbound_doors gate_doors_open(struct buf *told);
void gate_doors_close(void);

#endif
