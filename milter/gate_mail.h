/*
 * milter/gate_mail.h -- MTRK= of a MAIL command becomes the AUTH carrier, in
 * the xtext form that any MTA takes (milter/carrier.h).  Pure.
 */
#ifndef MTRK_MILTER_GATE_MAIL_H
#define MTRK_MILTER_GATE_MAIL_H

#include "common/span.h"

enum {
	/* With CRLF: what Postfix and Sendmail take of a command.  RFC 3885
	 * 2(5), RFC 3461 5.1 and A8 ask for 512 + 107 + 44 at least (S6). */
	MAIL_LINE_MAX = 2048,
};

enum mail_verdict {
	MAIL_PLAIN, /* no MTRK, or not a MAIL that we understand: as it is */
	MAIL_MARKED, /* `out` is the line for the MTA */
	MAIL_REFUSED, /* *why fits behind "501 5.5.4 " (A26) */
};

/* What a MAIL line has of that which an MTA takes once only. */
enum mail_says {
	MAIL_SAYS_MARK = 1,
	MAIL_SAYS_AUTH = 2,
	MAIL_SAYS_ENVID = 4,
	MAIL_SAYS_RET = 8,
};
enum mail_says gate_mail_says(struct span line);

/* `line` ends in CRLF.  A real AUTH value goes behind the mark and a ";". */
enum mail_verdict gate_mail(
    struct span line, struct buf *out, const char **why);

#endif
