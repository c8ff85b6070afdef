/*
 * mtqp/answer.h -- from the store's records to what TRACK says about them.
 */
#ifndef MTRK_MTQP_ANSWER_H
#define MTRK_MTQP_ANSWER_H

#include "common/mtrk.h"
#include "common/tstat.h"

struct store;
struct conf;

/*
 * Everything under this (decoded) envid whose certifier is this one and
 * whose retention has not passed at `now` (S19-S21d): one part a message,
 * all its recipients (A40, A41).  MTRK_NOTFOUND for unknown, wrong and
 * expired alike (A16); MTRK_BUSY, MTRK_IO, MTRK_CORRUPT are ours.  *out is
 * yours until tstat_free(), empty on failure.
 */
enum mtrk_err answer_track(struct store *, const struct conf *,
    struct span envid, const unsigned char certifier[CERTIFIER_LEN],
    int64_t now, struct tstat *out);

#endif
