#include "milter/gate_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/store.h"
#include "milter/gate_claim.h"
#include "milter/gate_message.h"

enum {
	STORE_AGAIN_S = 60, /* ours: a store that was not there */
	STORE_WAIT_MS = 250, /* ours: the MTA's log must not be first */
	LOG_EVERY_S = 60,
	EVENTS_MAX = 64, /* ours: written at once */
	LATE_MAX = 64, /* ours: claims behind a slow disk */
};

struct gate_book {
	const struct conf *conf;
	const char *queue_id;
	struct store *store; /* NULL: not there */
	time_t store_tried;
	unsigned long long unrecorded;
	/* Claims that stay until what was done with them is durable: the store
	 * writes in order, so a later success is theirs too. */
	int late[LATE_MAX];
	size_t late_n;
};

/* What a next hop took and the store does not know yet. */
struct taken {
	struct event event;
	char hop[REMOTE_MAX + 1], address[ADDRESS_MAX + 1];
	char words[EVENT_TEXT_MAX + 1];
};

struct gate_page {
	struct gate_book *book;
	struct gate_message *message;
	const char *host;
	char envid[ENVID_MAX + 1];
	struct taken *taken; /* EVENTS_MAX; NULL: none yet */
	size_t taken_n;
	int claims;
	bool slow; /* what was taken is not durable yet */
};

static struct log_limit no_store, not_written, no_claims;

static bool
have_store(struct gate_book *b)
{
	char why[STORE_WHY_MAX];
	unsigned long missed;
	time_t now = time(NULL);

	if (b->store != NULL)
		return true;
	if (b->store_tried != 0 && now - b->store_tried < STORE_AGAIN_S)
		return false;
	b->store_tried = now;
	if (store_open(b->conf->store, STORE_WRITE, b->conf->store_limit,
		&b->store, why) == MTRK_OK)
		return true;
	if (log_allow(&no_store, LOG_EVERY_S, &missed))
		log_err(
		    "event=store text=\"%s\" mail=\"goes on, untracked\"", why);
	return false;
}

static void
forget_late(struct gate_book *b)
{
	while (b->late_n > 0)
		gate_claim_release(&b->late[--b->late_n]);
}

static void
release(struct gate_page *p)
{
	struct gate_book *b = p->book;

	if (p->slow && p->claims != GATE_CLAIM_NONE && b->late_n < LATE_MAX) {
		b->late[b->late_n++] = p->claims;
		p->claims = GATE_CLAIM_NONE;
	}
	gate_claim_release(&p->claims);
	p->slow = false;
}

void
gate_page_write(struct gate_page *p)
{
	const struct message m = { .number = gate_message_number(p->message),
		.envid = span_of(p->envid) };
	struct gate_book *b = p->book;
	struct event events[EVENTS_MAX];
	enum mtrk_err err;
	unsigned long missed;

	if (p->taken_n == 0)
		return;
	for (size_t i = 0; i < p->taken_n; i++)
		events[i] = p->taken[i].event;
	err = store_hand(b->store, &m, events, p->taken_n, STORE_WAIT_MS);
	p->slow = err == MTRK_BUSY;
	if (err == MTRK_OK)
		forget_late(b);
	if (err != MTRK_OK && err != MTRK_BUSY) {
		b->unrecorded += p->taken_n;
		if (log_allow(&not_written, LOG_EVERY_S, &missed))
			log_err("event=store text=\"%s\" unrecorded=%llu",
			    mtrk_err_text(err), b->unrecorded);
	}
	p->taken_n = 0;
}

static bool
door_mail(void *arg, struct span envid, struct span sender, struct mtrk *mark,
    bool *give)
{
	struct gate_page *p = arg;
	struct gate_book *b = p->book;
	const struct retention keep = { b->conf->retention_s,
		b->conf->retention_limit_s };

	*give = false;
	if (!span_copy(p->envid, sizeof p->envid, envid) || !have_store(b))
		return false;
	gate_message_begin(p->message, span_of(b->queue_id), sender);
	if (store_find(b->store, envid, gate_message_offer, p->message) !=
		MTRK_OK ||
	    !gate_message_found(p->message))
		return false;
	*give = gate_message_mark(p->message, &keep, time(NULL), mark);
	return true;
}

/* Is the recipient this conversation's alone? */
static bool
claim(struct gate_page *p, uint32_t index)
{
	unsigned long missed;

	if (gate_claim(p->book->conf->store, &p->claims,
		gate_message_number(p->message), index))
		return true;
	if (errno != EAGAIN && log_allow(&no_claims, LOG_EVERY_S, &missed))
		log_err("event=store text=\"%s/claims: %m\" mail=\"goes on,"
			" without MTRK\"",
		    p->book->conf->store);
	return false;
}

/* Whoever had the claim before us may have handed the recipient on since we
 * read the record. */
static bool
door_rcpt(void *arg, struct span original, struct span address, uint32_t *index)
{
	struct gate_page *p = arg;

	return gate_message_rcpt(p->message, original, address, index) &&
	    claim(p, *index) &&
	    store_find(p->book->store, span_of(p->envid), gate_message_news,
		p->message) == MTRK_OK &&
	    gate_message_rcpt(p->message, original, address, index);
}

/* Durable before another may claim the same. */
static void
door_over(void *arg)
{
	struct gate_page *p = arg;

	gate_page_write(p);
	release(p);
}

static struct span
keep(char *buf, size_t size, struct span s)
{
	if (s.n >= size)
		s.n = size - 1;
	span_copy(buf, size, s);
	return span_of(buf);
}

/* The name that a tracker can ask: the host's, as the DNS knows it; of a bare
 * address, what the host calls itself. */
static struct span
remote_name(const struct gate_page *p, struct span hop)
{
	const char *last = strrchr(p->host, '.');
	bool numeric = strchr(p->host, ':') != NULL ||
	    (last != NULL && last[1] >= '0' && last[1] <= '9');

	return numeric && hop.n > 0 ? hop : span_of(p->host);
}

static void
door_taken(void *arg, uint32_t index, struct span address, bool transferred,
    struct span hop, struct span words)
{
	struct gate_page *p = arg;
	struct taken *k;

	if (p->taken == NULL &&
	    (p->taken = calloc(EVENTS_MAX, sizeof *p->taken)) == NULL) {
		p->book->unrecorded++;
		return;
	}
	if (p->taken_n == EVENTS_MAX)
		gate_page_write(p);
	k = &p->taken[p->taken_n++];
	k->event = (struct event){
		.recipient = index,
		.time = time(NULL),
		.action = transferred ? ACTION_TRANSFERRED : ACTION_RELAYED,
		/* A21; T22: 2.1.9 is for relayed alone */
		.status = transferred ? STATUS(2, 4, 0) : STATUS(2, 1, 9),
		.remote_mta = keep(k->hop, sizeof k->hop, remote_name(p, hop)),
		.text = keep(k->words, sizeof k->words, words),
	};
	if (!gate_message_is_own(p->message, index, address))
		k->event.address = keep(k->address, sizeof k->address, address);
}

void
gate_page_host(struct gate_page *p, const char *host)
{
	p->host = host;
}

struct outbound_doors
gate_page_doors(struct gate_page *p)
{
	return (struct outbound_doors){ door_mail, door_rcpt, door_taken,
		door_over, p };
}

struct gate_page *
gate_page_new(struct gate_book *b)
{
	struct gate_page *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->book = b;
	p->host = "";
	p->claims = GATE_CLAIM_NONE;
	p->message = gate_message_new(b->conf->hide_forwarding != 0);
	if (p->message == NULL)
		gate_page_free(&p);
	return p;
}

void
gate_page_free(struct gate_page **pp)
{
	struct gate_page *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	if (p->message != NULL)
		door_over(p);
	gate_message_free(&p->message);
	free(p->taken);
	free(p);
}

struct gate_book *
gate_book_new(const struct conf *conf, const char *queue_id)
{
	struct gate_book *b = calloc(1, sizeof *b);

	if (b != NULL) {
		b->conf = conf;
		b->queue_id = queue_id;
	}
	return b;
}

void
gate_book_free(struct gate_book **bp)
{
	struct gate_book *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	store_close(&b->store);
	forget_late(b);
	free(b);
}

void
gate_book_open(struct gate_book *b)
{
	have_store(b);
}
