/*
 * mtqp/follow_hops.h -- from one server's answer to the next server, and from
 * all answers to each recipient's way (RFC 3886 3.3.3, A45, A48).  Pure: who
 * asks, and how, is the caller's.
 */
#ifndef MTRK_MTQP_FOLLOW_HOPS_H
#define MTRK_MTQP_FOLLOW_HOPS_H

#include "common/tstat.h"
#include "mtqp/ask.h"

enum {
	HOPS_MAX = 64, /* servers for one message; ours */
	HOPS_DEPTH = 10, /* by default; ours */
	STEPS_MAX = 200000, /* of all recipients together; ours */
};
#define HOPS_NONE SIZE_MAX

enum hop_state {
	HOP_WAITING, /* to be asked */
	HOP_ANSWERED,
	HOP_SAME, /* another name of the server that `same` is */
	HOP_FAILED,
	HOP_NOT_ASKED, /* a bound of ours, see `why` */
};

struct hop { /* a server, asked once */
	char host[HOST_MAX + 1]; /* a name, or a numeric address */
	uint16_t port; /* 0: SRV tells, or it is 1038 */
	unsigned depth; /* 0: the one that was asked first */
	size_t told_by; /* the hop that named it, or HOPS_NONE */
	enum hop_state state;
	size_t same; /* of HOP_SAME */
	enum mtrk_err err; /* of HOP_FAILED */
	char why[ASK_WHY_MAX]; /* for people; may hold a stranger's words */
	struct ask_tls tls;
	char alarm[ASK_WHY_MAX]; /* Q44, for people; "": none */
	struct tstat answer; /* of HOP_ANSWERED */
	struct hop_place *index; /* private: recipients by their original */
	size_t n_index;
};

struct hops {
	struct hop list[HOPS_MAX];
	size_t n;
	unsigned depth_max;
};

/* Large: keep it on the heap or static.  hops_free() when done. */
void hops_start(
    struct hops *, const char *host, uint16_t port, unsigned depth_max);
/*
 * Hop i answered; its answer is *t, which becomes the hop's and is emptied.
 * Servers that it names for transferred recipients are added, each once,
 * unless the answer itself holds what they would say.  MTRK_NOMEM.
 */
enum mtrk_err hops_answered(struct hops *, size_t i, struct tstat *t);
/* Hop i is hop `same` by another name: it has been asked already. */
void hops_same(struct hops *, size_t i, size_t same);
void hops_free(struct hops *);

enum step_end {
	STEP_GOES_ON, /* the next step is a server's that knows more */
	STEP_ENDS, /* the action says how */
	STEP_NO_SERVER, /* transferred, and `next` did not tell: see there */
	STEP_NOT_THERE, /* transferred, and `next` has no such recipient */
	STEP_NOWHERE, /* transferred, but nobody says where to */
	STEP_LOOP, /* transferred to where it has been */
};

/* What one server says of one recipient. */
struct step {
	size_t hop; /* whose answer */
	const struct tstat_part *part;
	const struct tstat_recipient *recipient;
	unsigned depth; /* 0: a recipient of the message as it was sent */
	size_t parent; /* step, or HOPS_NONE */
	enum step_end end;
	size_t next; /* of STEP_NO_SERVER and STEP_NOT_THERE: hop */
};

struct ways {
	struct step *steps; /* a recipient's way is depth 0 and what follows
			       it with a depth above 0 */
	size_t n;
	bool cut; /* STEPS_MAX was not enough */
};

/* Every recipient's way, joined by Original-Recipient (A48).  It points into
 * the hops; ways_free() when done.  MTRK_NOMEM. */
enum mtrk_err hops_ways(const struct hops *, struct ways *out);
void ways_free(struct ways *);

#endif
