#include "milter/gate_book.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/store.h"
#include "common/watch.h"
#include "milter/gate_claim.h"
#include "milter/gate_message.h"

enum {
	STORE_AGAIN_S = 60, /* ours: a store that was not there */
	STORE_WAIT_S = 1, /* ours: the MTA's log should not be first */
	LOG_EVERY_S = 60,
	EVENTS_MAX = 64, /* ours: written at once */
	WRITES_MAX = 1024, /* ours: that the store has not done */
};

/* What the store was given and has not done. */
struct write {
	STAILQ_ENTRY(write) next; /* in `writes`, in this order */
	SLIST_ENTRY(write) next_done;
	struct gate_book *book;
	struct gate_page *page; /* that it is of; NULL: gone */
	size_t n; /* events */
	int claims; /* that stay until it is done */
	enum mtrk_err err;
};

struct gate_book {
	struct loop *loop;
	const struct conf *conf;
	const char *queue_id;
	struct store *store; /* NULL: not there */
	int64_t store_tried_s; /* 0: never */
	unsigned long long unrecorded;
	STAILQ_HEAD(, write) writes;
	size_t writes_n;
	LIST_HEAD(, gate_page) waiting;
	struct alarm *patience; /* of those that wait */
	bool slow; /* it is over, until the store has done something */

	pthread_mutex_t lock; /* of what follows, the committing thread's too */
	SLIST_HEAD(, write) done;
	int done_fd; /* readable: there is something in `done` */
};

/* What a next hop took and the store does not know yet. */
struct taken {
	struct event event;
	char hop[REMOTE_MAX + 1], address[ADDRESS_MAX + 1];
	char words[EVENT_TEXT_MAX + 1];
};

struct gate_page {
	LIST_ENTRY(gate_page) others; /* that wait, too */
	struct gate_book *book;
	void (*written)(void *arg);
	void *arg;
	struct gate_message *message;
	const char *host;
	char envid[ENVID_MAX + 1];
	struct taken *taken; /* EVENTS_MAX; NULL: none yet */
	size_t taken_n;
	int claims;
	struct write *last; /* that is not done; NULL: all are */
	bool waits;
};

static struct log_limit no_store, not_written, no_claims;

static bool
have_store(struct gate_book *b)
{
	char why[STORE_WHY_MAX];
	unsigned long missed;
	int64_t now_s;

	if (b->store != NULL)
		return true;
	now_s = clock_s();
	if (b->store_tried_s != 0 && now_s - b->store_tried_s < STORE_AGAIN_S)
		return false;
	b->store_tried_s = now_s;
	if (store_open(b->conf->store, STORE_WRITE, b->conf->store_limit,
		&b->store, why) == MTRK_OK)
		return true;
	if (log_allow(&no_store, LOG_EVERY_S, &missed))
		log_err(
		    "event=store text=\"%s\" mail=\"goes on, untracked\"", why);
	return false;
}

static void
stop_waiting(struct gate_page *p)
{
	if (p->waits)
		LIST_REMOVE(p, others);
	p->waits = false;
}

/* In another thread. */
static void
on_told(void *arg, enum mtrk_err err)
{
	struct write *w = arg;
	struct gate_book *b = w->book;
	const uint64_t one = 1;

	w->err = err;
	pthread_mutex_lock(&b->lock);
	SLIST_INSERT_HEAD(&b->done, w, next_done);
	pthread_mutex_unlock(&b->lock);
	(void)!write(b->done_fd, &one, sizeof one); /* can't be full */
}

static void
not_recorded(struct gate_book *b, size_t n, enum mtrk_err err)
{
	unsigned long missed;

	b->unrecorded += n;
	if (log_allow(&not_written, LOG_EVERY_S, &missed))
		log_err("event=store text=\"%s\" unrecorded=%llu",
		    mtrk_err_text(err), b->unrecorded);
}

/* The page that waited for it, and may go on; NULL: none. */
static struct gate_page *
write_free(struct write *w)
{
	struct gate_book *b = w->book;
	struct gate_page *p = w->page;
	bool was_last = p != NULL && p->last == w;

	if (w->err != MTRK_OK)
		not_recorded(b, w->n, w->err);
	STAILQ_REMOVE(&b->writes, w, write, next);
	b->writes_n--;
	gate_claim_release(&w->claims);
	free(w);
	if (!was_last)
		return NULL;
	p->last = NULL;
	return p->waits ? p : NULL;
}

static void
goes_on(struct gate_page *p)
{
	stop_waiting(p);
	p->written(p->arg);
}

static struct write *
take_done(struct gate_book *b)
{
	struct write *w;

	pthread_mutex_lock(&b->lock);
	if ((w = SLIST_FIRST(&b->done)) != NULL)
		SLIST_REMOVE_HEAD(&b->done, next_done);
	pthread_mutex_unlock(&b->lock);
	return w;
}

static void
on_done(void *arg)
{
	struct gate_book *b = arg;
	struct gate_page *p;
	struct write *w;
	uint64_t n;

	(void)!read(b->done_fd, &n, sizeof n);
	b->slow = false;
	while ((w = take_done(b)) != NULL)
		if ((p = write_free(w)) != NULL)
			goes_on(p);
}

/* Mail comes first. */
static void
on_patience(void *arg)
{
	struct gate_book *b = arg;
	struct gate_page *p;

	b->slow = b->writes_n > 0;
	while ((p = LIST_FIRST(&b->waiting)) != NULL)
		goes_on(p);
}

/* The claims go with what was done with them. */
static void
release(struct gate_page *p)
{
	if (p->last != NULL && p->last->claims == GATE_CLAIM_NONE) {
		p->last->claims = p->claims;
		p->claims = GATE_CLAIM_NONE;
	}
	gate_claim_release(&p->claims);
}

static enum mtrk_err
hand(struct gate_page *p, const struct event *events)
{
	const struct message m = { .number = gate_message_number(p->message),
		.envid = span_of(p->envid) };
	struct gate_book *b = p->book;
	struct write *w = NULL;
	enum mtrk_err err = MTRK_BUSY;

	if (b->writes_n >= WRITES_MAX)
		return err;
	if ((w = calloc(1, sizeof *w)) == NULL)
		return MTRK_NOMEM;
	*w = (struct write){
		.book = b, .page = p, .n = p->taken_n, .claims = GATE_CLAIM_NONE
	};
	err = store_hand(b->store, &m, events, p->taken_n, on_told, w);
	if (err != MTRK_OK) {
		free(w);
		return err;
	}
	STAILQ_INSERT_TAIL(&b->writes, w, next);
	b->writes_n++;
	p->last = w;
	return MTRK_OK;
}

static void
write_taken(struct gate_page *p)
{
	struct event events[EVENTS_MAX];
	enum mtrk_err err;

	if (p->taken_n == 0)
		return;
	for (size_t i = 0; i < p->taken_n; i++)
		events[i] = p->taken[i].event;
	if ((err = hand(p, events)) != MTRK_OK)
		not_recorded(p->book, p->taken_n, err);
	p->taken_n = 0;
}

bool
gate_page_write(struct gate_page *p)
{
	struct gate_book *b = p->book;

	write_taken(p);
	if (p->last == NULL || b->slow)
		return true;
	if (p->waits)
		return false;
	if (LIST_EMPTY(&b->waiting))
		alarm_set(b->patience, STORE_WAIT_S);
	LIST_INSERT_HEAD(&b->waiting, p, others);
	p->waits = true;
	return false;
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

	write_taken(p);
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
		write_taken(p);
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
gate_page_new(struct gate_book *b, void (*written)(void *arg), void *arg)
{
	struct gate_page *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->book = b;
	p->written = written;
	p->arg = arg;
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
	struct write *w;

	*pp = NULL;
	if (p == NULL)
		return;
	if (p->message != NULL)
		door_over(p);
	stop_waiting(p);
	STAILQ_FOREACH(w, &p->book->writes, next)
		if (w->page == p)
			w->page = NULL;
	gate_message_free(&p->message);
	free(p->taken);
	free(p);
}

struct gate_book *
gate_book_new(struct loop *l, const struct conf *conf, const char *queue_id)
{
	struct gate_book *b = calloc(1, sizeof *b);

	if (b == NULL)
		return NULL;
	b->loop = l;
	b->conf = conf;
	b->queue_id = queue_id;
	STAILQ_INIT(&b->writes);
	pthread_mutex_init(&b->lock, NULL);
	b->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	b->patience = alarm_new(l, on_patience, b);
	if (b->done_fd == -1 || b->patience == NULL ||
	    loop_watch(l, b->done_fd, on_done, b) != MTRK_OK)
		gate_book_free(&b);
	return b;
}

void
gate_book_free(struct gate_book **bp)
{
	struct gate_book *b = *bp;
	struct write *w;

	*bp = NULL;
	if (b == NULL)
		return;
	if (b->writes_n > 0)
		log_warn("event=store text=\"what was handed on is being"
			 " written\" writes=%zu",
		    b->writes_n);
	store_close(&b->store); /* all that was given to it is done then */
	while ((w = take_done(b)) != NULL)
		(void)write_free(w);
	alarm_free(&b->patience);
	if (b->done_fd != -1)
		close(b->done_fd);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void
gate_book_open(struct gate_book *b)
{
	have_store(b);
}
