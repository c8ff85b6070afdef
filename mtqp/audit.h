/*
 * mtqp/audit.h -- who asked about what: one line a question, appended to a
 * file of its own.  Neither secrets nor certifiers come here.
 *
 *	2026-11-24T03:12:05Z client=192.0.2.7 tls=TLSv1.3 envid="q1@a"
 *outcome="ok"
 *
 * A line is one write(2), so several processes may share a file.
 */
#ifndef MTRK_MTQP_AUDIT_H
#define MTRK_MTQP_AUDIT_H

#include "common/err.h"
#include "common/span.h"

struct audit_line {
	int64_t time;
	const char *client, *tls; /* NULL: in clear */
	const char *envid; /* decoded, a stranger's words; "": none */
	const char *outcome;
};

/* Open, or open again after the file was moved away: the old one is used
 * until the new one is there.  "": no audit.  MTRK_IO keeps errno. */
enum mtrk_err audit_open(const char *path);
void audit_write(const struct audit_line *);
void audit_close(void);

#endif
