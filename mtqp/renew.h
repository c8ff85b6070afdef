/*
 * mtqp/renew.h -- a message asked after again and again until its end is
 * reached: in its place on a terminal, elsewhere what has changed.
 */
#ifndef MTRK_MTQP_RENEW_H
#define MTRK_MTQP_RENEW_H

#include "mtqp/inquiry.h"

/* The last exit status. */
int renew(struct inquiry *);

#endif
