/*
 * milter/gate_outbound.h -- the gate between an MTA's client side and a next
 * hop, as a machine: octets of both sides go in, octets for both come out.
 * No sockets, no store, no clock.
 *
 * All that the MTA says reaches the next hop and all that the next hop answers
 * reaches the MTA, in order and unchanged, but for this: STARTTLS is done
 * here and not shown; MTRK= is added to MAIL where the message is tracked and
 * the next hop lists MTRK (S27).  When a recipient turns up that must not have
 * the certifier (S29-S31), the transaction is begun again at the next hop,
 * without it, and the MTA sees nothing of that.  What this machine does not
 * understand is handed through as it is: mail comes first.
 */
#ifndef MTRK_MILTER_GATE_OUTBOUND_H
#define MTRK_MILTER_GATE_OUTBOUND_H

#include "common/mtrk.h"

/* What the gate asks of the store; called while octets are taken in. */
struct outbound_doors {
	/*
	 * A transaction begins.  True: it carries a tracked message; `mark`
	 * is what a next hop that tracks shall get, if `give`.  `envid` is
	 * decoded, `sender` without brackets.
	 */
	bool (*mail)(void *arg, struct span envid, struct span sender,
	    struct mtrk *mark, bool *give);
	/*
	 * One of its recipients.  False: it must not go with the certifier.
	 * *index is its number, or OUTBOUND_NOBODY.
	 */
	bool (*rcpt)(void *arg, struct span original, struct span address,
	    uint32_t *index);
	/* The next hop has taken the message for a recipient; `words` is its
	 * reply.  `hop` is the name that it gave itself, maybe empty. */
	void (*taken)(void *arg, uint32_t index, struct span address,
	    bool transferred, struct span hop, struct span words);
	/* It ends, well or not; mail() told that it is tracked. */
	void (*over)(void *arg);
	void *arg;
};
#define OUTBOUND_NOBODY UINT32_MAX

enum outbound_tls {
	OUTBOUND_TLS_MAY, /* where offered; in clear if it fails */
	OUTBOUND_TLS_VERIFY, /* a certificate that fits, or no mail */
};

/* What the machine wants done once its output was sent. */
enum outbound_wish {
	OUTBOUND_GO, /* more octets */
	OUTBOUND_HANDSHAKE, /* TLS with the next hop, then outbound_secured() */
	OUTBOUND_AGAIN, /* a new connection to the same host, in clear */
	OUTBOUND_NEXT, /* a connection to another host of the next hop */
	OUTBOUND_CLOSE, /* send what the MTA gets, then close both */
};

enum {
	OUTBOUND_LINE_MAX = 16384, /* RFC 4954 4 asks for 12288 */
	OUTBOUND_REPLY_MAX = 65536, /* ours: of one EHLO reply */
	OUTBOUND_HELD_MAX = 1 << 20, /* ours: RCPT lines of one transaction */
	OUTBOUND_INPUT_MAX = 65536, /* ours: not yet taken from the MTA */
};

struct outbound;

/* After connecting; the next hop greets.  NULL: no memory. */
struct outbound *outbound_new(const struct outbound_doors *, enum outbound_tls);
void outbound_free(struct outbound **); /* NULL is fine */

/* Octets that arrived.  False: no memory; close both sides. */
bool outbound_from_mta(struct outbound *, struct span);
bool outbound_from_hop(struct outbound *, struct span);

/* Output; the caller sends it and drops it. */
struct buf *outbound_to_mta(struct outbound *);
struct buf *outbound_to_hop(struct outbound *);
/* False: take nothing from the MTA now, enough is waiting. */
bool outbound_wants_mta(const struct outbound *);
/* All that the MTA has said so far is on its way to the next hop, but for
 * what can't be: a part of a line. */
bool outbound_drained(const struct outbound *);
/* Nothing is in hand: no transaction, no reply that is due. */
bool outbound_idle(const struct outbound *);
/* The next hop has a whole message and owes the word that it was taken. */
bool outbound_awaits_verdict(const struct outbound *);
/* 421, with these static words, and both sides are closed. */
void outbound_end(struct outbound *, const char *words);
enum outbound_wish outbound_wish(const struct outbound *);

/* TLS is up; why_not: the certificate does not fit the host, for this reason,
 * or NULL. */
void outbound_secured(struct outbound *, const char *why_not);
void outbound_tls_failed(struct outbound *, const char *why);
void outbound_shaking(struct outbound *); /* OUTBOUND_HANDSHAKE has begun */
void outbound_reconnected(struct outbound *); /* after OUTBOUND_AGAIN */
/* A connection begins; `more`: if this host's greeting refuses us, there are
 * others to try. */
void outbound_next(struct outbound *, bool more);
/* Does the MTA wait for something of which it has seen nothing? */
bool outbound_owes(const struct outbound *);
/* The next hop has closed.  What the MTA is owed is in its output. */
void outbound_hop_closed(struct outbound *);

/* What the MTA was told when we gave up, static and in two parts, of which the
 * second may be empty; false: we did not. */
bool outbound_gave_up(
    const struct outbound *, const char **words, const char **why);

/* What was done, for the log: MTRK sent, taken back, refused by the hop. */
struct outbound_numbers {
	unsigned marked, unmarked, refused;
};
struct outbound_numbers outbound_numbers(const struct outbound *);

#endif
