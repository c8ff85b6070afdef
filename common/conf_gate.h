/*
 * common/conf_gate.h -- the lines of mtrk.conf that are mtrk-gate's.
 */
#ifndef MTRK_COMMON_CONF_GATE_H
#define MTRK_COMMON_CONF_GATE_H

#include <stdio.h>

#include "common/conf.h"

/* A line's value: NULL, or a static text: why it will not do. */
const char *conf_gate_listen_add(struct conf *, struct span);
const char *conf_gate_tls_add(struct conf *, struct span);
const char *conf_gate_route_add(struct conf *, struct span);

/* All of them, as they can be read again. */
void conf_gate_print(const struct conf *, FILE *);

#endif
