/*
 * mtqp/reason.h -- what a status code of a delay or a failure means, in words
 * (RFC 3463, and IANA's registry of enhanced status codes).
 */
#ifndef MTRK_MTQP_REASON_H
#define MTRK_MTQP_REASON_H

#include "common/status.h"

/* NULL: the code says no more than that it did not work. */
const char *reason_of(struct status);

#endif
