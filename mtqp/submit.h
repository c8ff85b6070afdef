/*
 * mtqp/submit.h -- submit one message by SMTP with MTRK, ENVID and ORCPT
 * (RFC 3885 3, RFC 3461), SMTPUTF8 where an address needs it (RFC 6531).
 */
#ifndef MTRK_MTQP_SUBMIT_H
#define MTRK_MTQP_SUBMIT_H

#include "common/mtrk.h"
#include "mtqp/smtp.h"

struct submission {
	struct smtp_options smtp;
	const char *from; /* "" for the null sender */
	char *const *rcpts;
	size_t n_rcpts;
	const char *envid; /* xtext */
	struct mtrk mtrk;
	bool assume_mtrk; /* send it though EHLO doesn't list it */
	const char *notify, *ret; /* RFC 3461's, if the server has DSN; NULL */
	bool all_or_none; /* one refused recipient, and nothing is sent */
	/* Called before the message itself goes out: from then on the server
	 * may have taken it, though nobody lives to hear so. */
	void (*leaves)(void *arg);
	void *arg;
	struct span message; /* any line ends */
};

struct submitted {
	bool tracked; /* it went with MTRK */
	bool
	    unsure; /* all was sent, and no answer came: it may be on its way */
	size_t refused; /* recipients; each was said to `each_refused` */
};

/*
 * MTRK_OK only if the server took the message (250 behind the last dot).
 * Otherwise `why` (SMTP_WHY_MAX) tells: MTRK_IO not reachable, lost, or without
 * the TLS, login or SMTPUTF8 that it takes; MTRK_BUSY 4xx, MTRK_DENIED 5xx.
 * `refused` is called for each recipient that was refused, with the reply.
 */
enum mtrk_err submit(const struct submission *, struct submitted *,
    void (*refused)(const char *rcpt, struct span reply), char *why);

/* The message as DATA wants it: CRLF, dots doubled, a line with a dot last. */
void submit_stuff(struct span message, struct buf *out);

#endif
