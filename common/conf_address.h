/*
 * common/conf_address.h -- addresses and next hops as mtrk.conf and the MTAs
 * write them.  Pure.
 */
#ifndef MTRK_COMMON_CONF_ADDRESS_H
#define MTRK_COMMON_CONF_ADDRESS_H

#include <stdio.h>

#include "common/conf.h"

/* As conf_parse_listen() takes it, with a blank in front. */
void conf_print_listen(const struct conf_listen *, FILE *);

/* HOST[:PORT], whose MX is meant, or one host: [HOST][:PORT].  Port 25 if
 * none is told.  False: it is neither. */
bool conf_parse_hop(struct span, struct conf_hop *);
void conf_print_hop(const struct conf_hop *, FILE *);

#endif
