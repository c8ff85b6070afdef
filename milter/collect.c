#include "milter/collect.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "milter/logline.h"
#include "milter/mta.h"
#include "milter/splice.h"
#include "milter/waiting.h"

enum {
	FOUND_MAX = 1000, /* lines that waited for one queue id; ours */
	LINK_DEPTH_MAX = 16, /* ids that lead to ids, while they wait; ours */
	UNKNOWN_SLOTS = 1024, /* ids remembered as nobody's; ours */
	WRITE_MS = 500, /* of a transaction, before its commit; ours */
};

/* A queue id that nobody claimed when it was asked for; it holds until
 * something is added to the store. */
struct unknown {
	const char *instance;
	uint64_t since; /* struct collect's `changes` */
	char id[32];
	size_t n;
};

struct collect {
	const struct conf *conf;
	struct store *store;
	struct follow *follow;
	const char *mark;
	char saved[FOLLOW_MARK_MAX]; /* what the store says */
	int64_t written; /* the lines of now, at the latest */
	struct logline_cache cache;
	struct collect_numbers numbers;
	struct waiting *waiting;
	struct buf whole; /* a line that came in pieces */
	uint64_t newest; /* message that was looked for in the waiting room */
	uint64_t newest_saved; /* and, as the store knows, was found there */
	bool looking, writing;
	int64_t until_ms; /* monotonic: it writes no longer */
	bool heap; /* the last time there were more lines than fit */
	struct txn txn; /* reading while looking, writing while writing */
	unsigned depth;
	uint64_t changes; /* in the store, of claims, as far as we know */
	struct unknown unknown[UNKNOWN_SLOTS];
};

struct collect *
collect_new(const struct conf *conf, struct store *st, struct follow *f,
    const char *mark)
{
	struct collect *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->conf = conf;
	c->store = st;
	c->follow = f;
	c->mark = mark;
	c->waiting = waiting_new(conf->waiting_size, conf->waiting_time_s);
	if (c->waiting == NULL) {
		free(c);
		return NULL;
	}
	c->txn = store_look(st);
	if (!waiting_load(c->waiting, &c->txn, mark))
		c->newest = c->newest_saved = store_newest(&c->txn);
	store_end(&c->txn);
	follow_mark(f, c->saved);
	return c;
}

void
collect_free(struct collect **cp)
{
	if (*cp != NULL) {
		waiting_free(&(*cp)->waiting);
		buf_free(&(*cp)->whole);
	}
	free(*cp);
	*cp = NULL;
}

/* From the first line that matters on, what is asked is asked within the
 * transaction that writes: it knows what it wrote. */
static void
begin_writing(struct collect *c)
{
	if (c->writing)
		return;
	if (c->looking)
		store_end(&c->txn);
	c->looking = false;
	c->txn = store_begin(c->store);
	c->until_ms = clock_coarse_ms() + WRITE_MS;
	c->writing = true;
	c->changes++;
}

/* Queue runners and the like have labels of their own: sm-mta-runq. */
static const char *
instance_of(const struct collect *c, struct span name)
{
	const char *found = conf_instance_by_syslog(c->conf, name);

	while (found == NULL && name.n > 0) {
		while (name.n > 0 && name.p[name.n - 1] != '-')
			name.n--;
		name.n -= name.n > 0;
		found = conf_instance_by_syslog(c->conf, name);
	}
	return found;
}

static void replay_link(struct collect *, struct span instance, struct span id);

/* The Message-ID with which a queue id waits, and in which instance. */
static struct span
waiting_message_id(
    const struct collect *c, struct span queue_id, const char **instance)
{
	uint64_t found[FOUND_MAX];
	size_t n = waiting_find(c->waiting, queue_id, found, FOUND_MAX);
	struct happening_line h;
	struct logline l;
	const struct mta *mta;
	struct span id;
	unsigned part;

	while (n > 0)
		if (waiting_get(c->waiting, found[--n], &l) &&
		    (mta = mta_of(&l, &id, &part)) != NULL && part == 0 &&
		    span_eq(id, queue_id) &&
		    mta->parse(&l, &h) == SAID_HAPPENED &&
		    h.what == HAPPENED_MESSAGE_ID) {
			*instance = instance_of(c, l.name);
			return h.text;
		}
	return SPAN("");
}

/* Is it h->next, that a next hop told, in one of the instances here?  Its
 * Message-ID waits, or for one of several recipients it is linked already. */
static bool
goes_on(struct collect *c, struct happening_line *h)
{
	const char *instance = NULL;
	struct span id = waiting_message_id(c, h->next, &instance);

	if (instance != NULL)
		h->next_instance = span_of(instance);
	if (store_goes_on(&c->txn, h, id))
		return true;
	for (size_t i = 0; i < c->conf->instances; i++) {
		h->next_instance = span_of(c->conf->instance[i].syslog_name);
		if (store_goes_on(&c->txn, h, SPAN("")))
			return true;
	}
	return false;
}

/* One thing that happened.  As store_happened(). */
static int
apply(struct collect *c, struct happening_line h)
{
	int done;

	if (h.action == ACTION_RELAYED && h.logged.klass == 2 &&
	    conf_tracks(c->conf, h.remote_mta, h.remote_address)) {
		h.action = ACTION_TRANSFERRED;
		h.status = h.logged;
	}
	if (h.action == ACTION_DELIVERED && h.service.n > 0 &&
	    span_is(h.service, c->conf->content_filter)) {
		h.action = ACTION_RELAYED;
		h.status = STATUS(2, 1, 9);
	}
	if (h.what == HAPPENED_REINJECTED && !goes_on(c, &h))
		h.what = HAPPENED_ACTION;
	done = store_happened(&c->txn, &h);
	c->numbers.events += done == 1;
	c->numbers.unmatched += done == -1;
	if (done == 1 && h.what >= HAPPENED_FORWARDED &&
	    h.what <= HAPPENED_CLONED)
		replay_link(c,
		    h.next_instance.n > 0 ? h.next_instance : h.instance,
		    h.next);
	return done;
}

static void
not_understood(struct collect *c, const struct logline *l)
{
	store_not_understood(&c->txn, l->program, l->text);
	c->numbers.not_understood++;
}

/* Everything that a line tells.  0: it is about no message. */
static int
apply_line(struct collect *c, const struct mta *mta, const struct logline *l,
    struct span instance, struct happening_line *h)
{
	enum said said = mta->parse(l, h);
	int done = 1;

	h->instance = instance;
	if (said == SAID_UNKNOWN)
		not_understood(c, l);
	if (said != SAID_HAPPENED)
		return done;
	done = apply(c, *h);
	if (mta->next != NULL && done != 0)
		while (mta->next(h))
			apply(c, *h);
	return done;
}

static bool
same_instance(
    const struct collect *c, const struct logline *l, struct span instance)
{
	const char *i = instance_of(c, l->name);

	return i != NULL && span_is(instance, i);
}

/* A waiting line, parsed; false: it is not of this queue id after all. */
static bool
look_at(const struct collect *c, uint64_t handle, struct span instance,
    struct span queue_id, struct logline *l, const struct mta **mta,
    struct happening_line *h)
{
	struct span id;
	unsigned part;

	return waiting_get(c->waiting, handle, l) &&
	    (*mta = mta_of(l, &id, &part)) != NULL && part == 0 &&
	    span_eq(id, queue_id) && same_instance(c, l, instance) &&
	    (*mta)->parse(l, h) == SAID_HAPPENED;
}

/*
 * Lines that waited for a message's record.  Which of them are its own is told
 * by their time (an id may have been another's before); but its Message-ID may
 * have been logged long before its end, so that comes with the first line
 * that is its own, be it at `time`.
 */
static void
replay_record(
    struct collect *c, struct span instance, struct span queue_id, int64_t time)
{
	uint64_t found[FOUND_MAX], id_handle = 0;
	size_t n = waiting_find(c->waiting, queue_id, found, FOUND_MAX);
	struct happening_line h, id = { 0 };
	const struct mta *mta;
	struct logline l;

	for (size_t i = 0; i <= n; i++) {
		int done = time != 0 && i == n;
		int64_t when = time;

		if (i < n &&
		    look_at(c, found[i], instance, queue_id, &l, &mta, &h)) {
			done = apply_line(c, mta, &l, instance, &h);
			when = h.time;
			if (done != 0)
				waiting_take(c->waiting, found[i]);
			else if (h.what == HAPPENED_MESSAGE_ID) {
				id = h;
				id_handle = found[i];
			} else if (h.what == HAPPENED_REMOVED) {
				id.text.n = 0; /* it was another's */
			}
		}
		if (done == 0 || id.text.n == 0)
			continue;
		id.time = when;
		if (apply(c, id) == 1)
			waiting_take(c->waiting, id_handle);
		id.text.n = 0;
	}
}

/* Lines that waited for the link to a message: of the last one that had the
 * id. */
static void
replay_link(struct collect *c, struct span instance, struct span queue_id)
{
	uint64_t found[FOUND_MAX];
	size_t n, from = 0;
	struct happening_line h;
	const struct mta *mta;
	struct logline l;

	if (c->depth >= LINK_DEPTH_MAX)
		return;
	c->depth++;
	n = waiting_find(c->waiting, queue_id, found, FOUND_MAX);
	for (size_t i = 0; i + 1 < n; i++)
		if (look_at(c, found[i], instance, queue_id, &l, &mta, &h) &&
		    h.what == HAPPENED_REMOVED)
			from = i + 1;
	for (size_t i = from; i < n; i++)
		if (look_at(c, found[i], instance, queue_id, &l, &mta, &h) &&
		    apply_line(c, mta, &l, instance, &h) != 0)
			waiting_take(c->waiting, found[i]);
	c->depth--;
}

static bool
note_newest(const struct message *m, void *arg)
{
	char instance[QUEUE_ID_LEN_MAX + 1], queue_id[QUEUE_ID_LEN_MAX + 1];
	struct collect *c = arg;

	/* own copies: what reading lent ends when writing begins */
	if (waiting_any(c->waiting, m->queue_id) &&
	    span_copy(instance, sizeof instance, m->instance) &&
	    span_copy(queue_id, sizeof queue_id, m->queue_id)) {
		begin_writing(c);
		replay_record(c, span_of(instance), span_of(queue_id), 0);
	}
	return false;
}

/* Records that came after their lines. */
static void
look_for_new(struct collect *c)
{
	uint64_t newest;

	c->txn = store_look(c->store);
	c->looking = true;
	newest = store_newest(&c->txn);
	c->changes += c->newest != newest;
	if (newest < c->newest)
		c->newest = 0; /* the store is another one */
	while (c->newest < newest) {
		uint64_t n =
		    store_message_at(&c->txn, c->newest + 1, note_newest, c);

		c->newest = n != 0 ? n : newest;
	}
}

/* Of what is said before a message is accepted only this changes anything. */
static bool
refuses(const struct logline *l)
{
	struct span id, rest;

	return span_split(l->text, ':', &id, &rest) &&
	    span_starts(rest, " milter-reject: ");
}

/* Nobody's, so far. */
static void
wait(struct collect *c, struct span queue_id, const struct logline *l)
{
	if (span_is(l->program, "bounce") ||
	    (span_is(l->program, "smtpd") && !refuses(l)))
		return;
	waiting_put(c->waiting, queue_id, l);
}

static void
take_known(struct collect *c, const struct mta *mta, struct span instance,
    struct span queue_id, const struct logline *l)
{
	struct happening_line h;

	if (waiting_any(c->waiting, queue_id))
		replay_record(c, instance, queue_id, l->time);
	if (apply_line(c, mta, l, instance, &h) == 0)
		wait(c, queue_id, l);
}

/* True: the line is whole now; else it waits, or its begin is lost. */
static bool
put_together(struct collect *c, bool known, struct span queue_id, unsigned part,
    struct logline *l)
{
	enum splice splice =
	    splice_add(c->waiting, queue_id, part, l, &c->whole);

	if (splice == SPLICE_LOST && known)
		not_understood(c, l);
	return splice == SPLICE_WHOLE;
}

/* Most lines are of messages that nobody tracks, several of each. */
static bool
is_known(struct collect *c, const char *instance, struct span queue_id)
{
	uint32_t hash = waiting_hash(queue_id);
	struct unknown *u = &c->unknown[hash % UNKNOWN_SLOTS];

	if (c->writing || queue_id.n > sizeof u->id)
		return store_knows(&c->txn, span_of(instance), queue_id);
	if (u->since == c->changes && u->instance == instance &&
	    u->n == queue_id.n && memcmp(u->id, queue_id.p, u->n) == 0)
		return false;
	if (store_knows(&c->txn, span_of(instance), queue_id))
		return true;
	u->since = c->changes;
	u->instance = instance;
	u->n = queue_id.n;
	memcpy(u->id, queue_id.p, u->n);
	return false;
}

/* A fifth of all lines; nothing ever comes of them. */
static bool
names_the_client(const struct logline *l)
{
	struct span id, rest;

	return span_is(l->program, "smtpd") &&
	    span_split(l->text, ':', &id, &rest) &&
	    span_starts(rest, " client=");
}

static void
take(struct collect *c, struct span text)
{
	struct logline line, left;
	const struct mta *mta;
	struct span queue_id;
	const char *instance;
	unsigned part;
	bool known;

	c->numbers.lines++;
	if (logline_parse(text, c->written, &c->cache, &line) != MTRK_OK ||
	    names_the_client(&line) ||
	    (mta = mta_of(&line, &queue_id, &part)) == NULL ||
	    (instance = instance_of(c, line.name)) == NULL)
		return;
	known = is_known(c, instance, queue_id);
	if (known)
		begin_writing(c);
	if (known && part <= 1 && waiting_any(c->waiting, queue_id) &&
	    splice_left(c->waiting, queue_id, line.name, &left, &c->whole))
		take_known(c, mta, span_of(instance), queue_id, &left);
	if (part > 0 && !put_together(c, known, queue_id, part, &line))
		return;
	if (known)
		take_known(c, mta, span_of(instance), queue_id, &line);
	else
		wait(c, queue_id, &line);
}

/* Nothing was written: the lines come again. */
static void
back(struct collect *c)
{
	follow_rewind(c->follow, c->saved);
	c->txn = store_look(c->store);
	waiting_load(c->waiting, &c->txn, c->mark);
	store_end(&c->txn);
	c->newest = c->newest_saved;
}

static enum mtrk_err
commit(struct collect *c)
{
	char mark[FOLLOW_MARK_MAX];
	enum mtrk_err err;

	follow_mark(c->follow, mark);
	if (c->mark != NULL)
		store_set_mark(&c->txn, c->mark, span_of(mark));
	waiting_save(c->waiting, &c->txn, c->mark);
	c->writing = false;
	err = store_end(&c->txn);
	if (err == MTRK_OK) {
		memcpy(c->saved, mark, sizeof mark);
		c->newest_saved = c->newest;
		waiting_saved(c->waiting);
	} else {
		back(c);
	}
	return err;
}

/* A line about a message with thousands of recipients takes its time. */
static bool
wrote_long(const struct collect *c)
{
	return c->writing && clock_coarse_ms() > c->until_ms;
}

enum mtrk_err
collect_some(struct collect *c)
{
	enum mtrk_err err = MTRK_OK;
	struct span line;
	unsigned n = 0, most = c->heap ? COLLECT_HEAP : COLLECT_LINES;

	look_for_new(c);
	while (n < most && !wrote_long(c) && follow_line(c->follow, &line)) {
		c->written = follow_written(c->follow);
		take(c, line);
		n++;
	}
	if (c->writing)
		err = commit(c);
	else
		err = n == 0 ? MTRK_NOTFOUND : MTRK_OK;
	if (c->looking)
		store_end(&c->txn);
	c->looking = false;
	c->heap = n == most;
	return err == MTRK_OK && c->heap ? MTRK_TOOBIG : err;
}

enum mtrk_err
collect_save(struct collect *c)
{
	char mark[FOLLOW_MARK_MAX];

	follow_mark(c->follow, mark);
	if (c->mark == NULL)
		memcpy(c->saved, mark, sizeof mark);
	if (strcmp(mark, c->saved) == 0)
		return MTRK_OK;
	begin_writing(c);
	return commit(c);
}

struct collect_numbers
collect_numbers(const struct collect *c)
{
	return c->numbers;
}
