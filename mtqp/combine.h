/*
 * mtqp/combine.h -- what other servers say about a message, added to what we
 * know (RFC 3887 2.4).  Pure.
 */
#ifndef MTRK_MTQP_COMBINE_H
#define MTRK_MTQP_COMBINE_H

#include "common/conf.h"
#include "common/tstat.h"

enum { COMBINE_HOSTS_MAX = 8 /* asked about one message; ours */ };

/*
 * The hosts that recipients of `known` were transferred to and that `allowed`
 * (Chain lines) lets us ask, each once; they are borrowed from `known`.
 * `self` is never among them.  A host that only an address range may allow is
 * among them if there is a range: combine_may_ask() tells by its address.
 */
size_t combine_hosts(const struct tstat *known, const struct conf_list *allowed,
    const char *self, const char *hosts[COMBINE_HOSTS_MAX]);
bool combine_may_ask(
    const struct conf_list *allowed, const char *host, const char *address);

/* `from` (moved; empty afterwards) as further parts behind ours. */
enum mtrk_err combine_parts(struct tstat *known, struct tstat *from);
/* Our recipients that were transferred to `host` get what `from` says became
 * of them; joined by Original-Recipient (A48). */
enum mtrk_err combine_fold(
    struct tstat *known, const char *host, const struct tstat *from);
/* No other host and no address but those that the sender gave; what was
 * transferred is relayed (A28, T24). */
void combine_disguise(struct tstat *);

#endif
