/*
 * milter/gate_inbound.h -- the gate between a client and the MTA that serves
 * it, as a machine: octets of both sides go in, octets for both come out.
 * No sockets.
 *
 * The MTA's word is the only one: what a command did is what the MTA answers
 * to it.  A command that may change how the following octets are read (DATA,
 * AUTH, anything unknown or oddly written) is sent on, and nothing behind it
 * before its reply, so that gate and MTA can't read differently.  Only MAIL,
 * RCPT, RSET, NOOP and BDAT, written as the RFCs want, run ahead
 * (RFC 2920 3.1, RFC 3030 2).
 */
#ifndef MTRK_MILTER_GATE_INBOUND_H
#define MTRK_MILTER_GATE_INBOUND_H

#include "common/span.h"
#include "milter/gate_mail.h"
#include "milter/smtp_data.h"

enum {
	/* Longer ones pass without being read, or are refused. */
	INBOUND_LINE_MAX = 2048,
	INBOUND_REPLY_MAX = 4096, /* a reply line; ours, RFC 5321: 512 */
	INBOUND_EHLO_MAX = 16384, /* a whole EHLO reply; ours */
};
/* Octets of a chunk: more are a syntax error to Postfix, too. */
#define INBOUND_CHUNK_MAX ((uint64_t)INT64_MAX)

struct inbound_rules {
	bool tls; /* STARTTLS is offered, and ended here */
	bool server_tls; /* and begun again where the MTA offers it */
	char name[256]; /* in the replies that are the gate's own */
};

/* What is to be done once the output was sent; nothing more is taken then. */
enum inbound_wish {
	INBOUND_GO,
	INBOUND_CLIENT_TLS, /* then inbound_secured() */
	INBOUND_SERVER_TLS,
	INBOUND_CLOSE, /* both sides */
	INBOUND_DROP, /* both sides, and nothing is sent */
};

enum inbound_phase {
	INBOUND_LINES,
	INBOUND_RAW_LINE, /* up to LF, whatever it is */
	INBOUND_LOST_LINE, /* the same, to nobody */
	INBOUND_DATA,
	INBOUND_CHUNK,
};

/* The command whose reply must come before anything else is sent. */
enum inbound_awaits {
	AWAITS_NOTHING,
	AWAITS_ANY,
	AWAITS_EHLO,
	AWAITS_AUTH,
	AWAITS_RSET, /* ours, in front of the client's TLS */
	AWAITS_FORGOTTEN, /* ours, an RSET behind a MAIL that was refused */
	AWAITS_STARTTLS, /* ours */
};

struct inbound {
	const struct inbound_rules *rules;
	enum inbound_phase phase;
	enum inbound_awaits awaits, awaits_then; /* behind a raw line */
	unsigned long pending; /* replies that are due */
	unsigned long mail_due; /* of these, up to MAIL's own; 0: none */
	enum mail_says mail_said; /* that MAIL, and what was kept before */
	bool stale; /* it was refused; Sendmail keeps its parameters */
	uint64_t chunk; /* octets that are left of it */
	struct smtp_data data;
	struct buf ehlo; /* to be said again under TLS */
	bool marks; /* MTRK was offered */
	bool chunks; /* CHUNKING was */
	bool client_tls, server_tls, server_tls_refused;
	bool authenticated, in_mail;
	bool client_ended;
	unsigned long marked, refused; /* MAIL commands */
};

/* What one call brings forth. */
struct inbound_turn {
	struct buf *to_client, *to_server;
	enum inbound_wish wish;
	const char *why; /* of a close or drop */
};

/* Before the greeting.  The rules must outlive it. */
void inbound_start(struct inbound *, const struct inbound_rules *);
void inbound_end(struct inbound *);

/*
 * Octets that came from a side; returns how many are done with.  The others
 * are to be shown again with more behind them, or once the other side's were
 * taken.
 */
size_t inbound_from_client(
    struct inbound *, struct span, struct inbound_turn *);
size_t inbound_from_server(
    struct inbound *, struct span, struct inbound_turn *);

/* TLS is up, behind a wish for it. */
void inbound_client_secured(struct inbound *);
void inbound_server_secured(struct inbound *, struct inbound_turn *);
/* The MTA is not there, or no longer for us. */
void inbound_no_server(
    struct inbound *, struct inbound_turn *, const char *why);
/* Half a line is not waited for any more. */
void inbound_client_ended(struct inbound *);
/* Nothing is in hand: a good time to stop. */
bool inbound_idle(const struct inbound *);

#endif
