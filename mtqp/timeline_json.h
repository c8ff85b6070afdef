/*
 * mtqp/timeline_json.h -- the answers about a message as JSON; mtrk-track(1)
 * documents every field.  Pure.
 */
#ifndef MTRK_MTQP_TIMELINE_JSON_H
#define MTRK_MTQP_TIMELINE_JSON_H

#include <jansson.h>

#include "mtqp/follow_hops.h"

/* The caller's to json_decref(); NULL: no memory. */
json_t *timeline_json(
    const struct hops *, const struct ways *, const struct mtqp_uri *);

#endif
