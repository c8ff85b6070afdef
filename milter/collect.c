#include "milter/collect.h"

#include <stdlib.h>
#include <string.h>

#include "milter/logline.h"
#include "milter/postfix.h"

enum {
	EARLY_SLOTS = 4096, /* messages between cleanup and qmgr; ours */
	EARLY_TEXT_MAX = 255, /* of a Message-ID kept until then; ours */
};

/* A Message-ID whose message is not stored yet.  By queue id; a later one
 * takes the place. */
struct early {
	char queue_id[32];
	char text[EARLY_TEXT_MAX + 1];
};

struct collect {
	const struct conf *conf;
	struct store *store;
	struct follow *follow;
	const char *mark;
	char saved[FOLLOW_MARK_MAX]; /* what the store says */
	char done[FOLLOW_MARK_MAX]; /* how far nothing is to be done again */
	int64_t written; /* the lines of now, at the latest */
	struct logline_cache cache;
	struct collect_numbers numbers;
	bool writing;
	struct txn txn; /* open while writing */
	struct early early[EARLY_SLOTS];
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
	follow_mark(f, c->saved);
	memcpy(c->done, c->saved, sizeof c->done);
	return c;
}

void
collect_free(struct collect **cp)
{
	free(*cp);
	*cp = NULL;
}

static struct early *
slot(struct collect *c, struct span queue_id)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < queue_id.n; i++)
		h = (h ^ (unsigned char)queue_id.p[i]) * 16777619u;
	return &c->early[h % EARLY_SLOTS];
}

static void
keep_early(struct collect *c, const struct happening_line *l)
{
	struct early *e = slot(c, l->queue_id);

	if (!span_copy(e->text, sizeof e->text, l->text) ||
	    !span_copy(e->queue_id, sizeof e->queue_id, l->queue_id))
		e->queue_id[0] = '\0';
}

static void
write_line(struct collect *c, const struct happening_line *l)
{
	int done;

	if (!c->writing) {
		c->txn = store_begin(c->store);
		c->writing = true;
	}
	done = store_happened(&c->txn, l);
	c->numbers.events += done == 1;
	c->numbers.unmatched += done == -1;
}

static void
write_early(struct collect *c, struct happening_line *l)
{
	struct early *e = slot(c, l->queue_id);

	if (!span_is(l->queue_id, e->queue_id))
		return;
	l->what = HAPPENED_MESSAGE_ID;
	l->text = span_of(e->text);
	write_line(c, l);
	e->queue_id[0] = '\0';
}

/* Within a write transaction the store is asked anyway. */
static bool
is_known(struct collect *c, const struct happening_line *l)
{
	return store_knows(c->store, l->instance, l->queue_id);
}

static void
take(struct collect *c, struct span text)
{
	struct logline line;
	struct happening_line l;
	enum postfix_line what;
	const char *instance;

	c->numbers.lines++;
	if (logline_parse(text, c->written, &c->cache, &line) != MTRK_OK)
		return;
	instance = conf_instance_by_syslog(c->conf, line.name);
	if (instance == NULL ||
	    (what = postfix_parse(&line, &l)) == POSTFIX_NOTHING)
		return;
	l.instance = span_of(instance);
	if (what == POSTFIX_EARLY)
		keep_early(c, &l);
	else if (!is_known(c, &l))
		return;
	else if (what == POSTFIX_QUEUED)
		write_early(c, &l);
	else
		write_line(c, &l);
}

static enum mtrk_err
commit(struct collect *c)
{
	char mark[FOLLOW_MARK_MAX];
	enum mtrk_err err;

	follow_mark(c->follow, mark);
	if (c->mark != NULL)
		store_set_mark(&c->txn, c->mark, span_of(mark));
	c->writing = false;
	err = store_end(&c->txn);
	if (err == MTRK_OK) {
		memcpy(c->saved, mark, sizeof mark);
		memcpy(c->done, mark, sizeof mark);
	} else {
		follow_rewind(c->follow, c->done);
	}
	return err;
}

enum mtrk_err
collect_some(struct collect *c)
{
	enum mtrk_err err = MTRK_OK;
	struct span line;
	unsigned n = 0;

	while (n < COLLECT_LINES && follow_line(c->follow, &line)) {
		c->written = follow_written(c->follow);
		take(c, line);
		n++;
	}
	if (n == 0)
		return MTRK_NOTFOUND;
	if (c->writing)
		err = commit(c);
	else
		follow_mark(c->follow, c->done);
	return err == MTRK_OK && n == COLLECT_LINES ? MTRK_TOOBIG : err;
}

enum mtrk_err
collect_save(struct collect *c)
{
	char mark[FOLLOW_MARK_MAX];

	follow_mark(c->follow, mark);
	if (c->mark == NULL || strcmp(mark, c->saved) == 0)
		return MTRK_OK;
	c->txn = store_begin(c->store);
	c->writing = true;
	return commit(c);
}

struct collect_numbers
collect_numbers(const struct collect *c)
{
	return c->numbers;
}
