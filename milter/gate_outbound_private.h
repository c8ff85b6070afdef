/*
 * milter/gate_outbound_private.h -- what the parts of the outbound machine
 * share: gate_outbound.c takes the MTA's commands, gate_transaction.c those of
 * them that name sender and recipients, gate_reply.c the next hop's replies.
 */
#ifndef MTRK_MILTER_GATE_OUTBOUND_PRIVATE_H
#define MTRK_MILTER_GATE_OUTBOUND_PRIVATE_H

#include "common/record.h"
#include "milter/gate_command.h"
#include "milter/gate_outbound.h"

enum {
	AWAITED_MAX = 256, /* ours: commands without their reply */
	CONTENT_END = 5, /* octets of CRLF.CRLF */
	CONTENT_START = 2, /* the first line starts as if behind CRLF */
};
#define NO_RCPT UINT32_MAX

/* What a reply answers. */
enum awaited_for {
	FOR_OTHER,
	FOR_GREETING,
	FOR_EHLO,
	FOR_MAIL,
	FOR_RCPT,
	FOR_DATA,
	FOR_CONTENT,
	FOR_AUTH,
	OWN_STARTTLS, /* from here on: the MTA sees nothing of it */
	OWN_GREETING,
	OWN_RSET, /* before MAIL is said again without MTRK */
	OWN_AGAIN,
};
struct awaited {
	enum awaited_for what;
	uint32_t rcpt; /* place in rcpts, or NO_RCPT */
};

struct outbound_rcpt {
	uint32_t index; /* as the door named it */
	bool accepted;
	size_t line, line_n; /* in `held` */
};

struct outbound {
	struct outbound_doors doors;
	enum outbound_tls tls;
	enum outbound_wish wish;
	const char *gave_up, *gave_up_why; /* NULL: we did not */
	struct outbound_numbers numbers;
	struct buf in_mta, in_hop, to_mta, to_hop;
	bool tube; /* nothing is understood any more, all goes through */

	/* the session */
	bool shaking; /* the handshake has begun */
	bool more; /* hosts to try */
	bool secure, in_clear; /* TLS is up; TLS was given up */
	bool mtrk, lmtp; /* the next hop lists MTRK; LHLO was said */
	bool auth; /* the MTA's next line answers a 334 */
	struct buf helo; /* the EHLO line, to say it again under TLS */
	struct buf ehlo; /* its reply, while STARTTLS is tried */
	struct buf reply; /* the reply that is coming in */
	char hop[REMOTE_MAX + 1]; /* the name that the next hop gave itself */
	struct awaited awaited[AWAITED_MAX]; /* a ring */
	size_t awaited_at, awaited_n;
	bool hold; /* no command is taken before all replies are here */

	/* the transaction */
	bool tracked, marked; /* known to the store; MTRK was sent */
	struct buf mail; /* the MAIL line as the MTA said it */
	struct buf held; /* the RCPT lines, for beginning again */
	struct outbound_rcpt *rcpts;
	size_t rcpts_n, rcpts_room;
	size_t accepted; /* recipients, tracked or not */
	size_t lmtp_left, lmtp_next; /* replies to come; the next rcpt */
	bool again; /* being begun again without MTRK */
	size_t again_step;

	/* where the MTA's octets belong */
	enum { PHASE_COMMANDS, PHASE_CONTENT, PHASE_CHUNK } phase;
	unsigned content; /* how much of CRLF.CRLF has been seen */
	uint64_t chunk_left;
};

/* A command on its way, and its reply. */
void outbound_pass(
    struct outbound *, struct span raw, enum awaited_for, uint32_t rcpt);
void outbound_await(struct outbound *, enum awaited_for, uint32_t rcpt);
/* The MTA gets "421 ", these words and why, if that is not NULL, as its reply;
 * both sides are closed. */
void outbound_give_up(struct outbound *, const char *words, const char *why);
/* All octets through, from now on; or give up, if a reply is owed. */
void outbound_tube(struct outbound *);
/* One command line, `raw` with its end.  False: not now. */
bool outbound_take_mail(struct outbound *, struct span raw, struct span line);
bool outbound_take_rcpt(struct outbound *, struct span raw, struct span line);
void outbound_forget_transaction(struct outbound *);
/* The next step of beginning again: RSET, MAIL, the accepted RCPTs. */
void outbound_again_step(struct outbound *);
/* Takes what in_hop holds. */
void outbound_take_replies(struct outbound *);

#endif
