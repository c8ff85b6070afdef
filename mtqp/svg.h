/*
 * mtqp/svg.h -- the ways of a message as a picture (SVG 1.1): a block a
 * recipient, a box a server, from left to right.  Pure.
 */
#ifndef MTRK_MTQP_SVG_H
#define MTRK_MTQP_SVG_H

#include <stdio.h>

#include "mtqp/timeline.h"

/* Well-formed whatever strangers say; at most SVG_WAYS recipients. */
enum { SVG_WAYS = 200 };
void svg_write(const struct hops *, const struct ways *, FILE *out);

#endif
