/*
 * mtqp/trace.h -- ask every server that knows something of a message: the
 * first one, then those it names, round by round and side by side.
 */
#ifndef MTRK_MTQP_TRACE_H
#define MTRK_MTQP_TRACE_H

#include "mtqp/follow_hops.h"

struct trace_options {
	struct ask_options ask;
	const char *resolver; /* "ADDR[:PORT]"; NULL: the system's */
	bool allow_private; /* A45; the first server may be private anyway */
	unsigned depth; /* hops behind the first */
	struct buf *raw; /* the first server's answer as it came; or NULL */
	/* Called before a server is looked up and asked; may be NULL. */
	void (*asking)(const struct hop *);
};

/*
 * MTRK_OK: the first server answered (list[0] is HOP_ANSWERED); what became of
 * the others stands in their hops.  Otherwise list[0].why tells and the
 * outcome is ask_track()'s or locate()'s.  hops_free() in any case.
 */
enum mtrk_err trace(
    const struct mtqp_uri *, const struct trace_options *, struct hops *);

#endif
