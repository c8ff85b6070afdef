#include "milter/waiting.h"

#include <stdlib.h>
#include <string.h>

enum {
	HEADS = 1 << 15, /* ours: chains by hash */
	ROOM_LEAST = 1 << 16, /* ours: octets */
};

/* In the ring, in front of its bytes: name, program, text. */
struct entry {
	uint32_t size; /* with its bytes, rounded up to 8 */
	uint32_t name, program, text; /* octets of each */
	uint32_t hash;
	bool taken, saved; /* saved: the store has it */
	bool filler; /* up to the ring's end */
	uint64_t before; /* of the same chain, plus one; 0: none */
	int64_t time;
};

/* Positions only grow; the place in the ring is the rest modulo its size. */
struct waiting {
	uint64_t size, head, tail; /* octets: capacity, end, oldest */
	uint64_t kept; /* up to here the store knows */
	uint64_t keeping; /* and will, if the transaction succeeds */
	int64_t now, age_s; /* now: by the log's own clock */
	uint64_t lost_full, lost_old; /* lines, since the last save */
	uint64_t *dropped; /* saved and taken since */
	size_t drops, room;
	uint64_t heads[HEADS];
	char ring[];
};

struct waiting *
waiting_new(uint64_t bytes, uint64_t age_s)
{
	uint64_t size = (bytes < ROOM_LEAST ? ROOM_LEAST : bytes) & ~7ull;
	struct waiting *w = calloc(1, sizeof *w + size);

	if (w == NULL)
		return NULL;
	w->size = size;
	w->age_s = (int64_t)age_s;
	w->now = INT64_MIN / 2;
	return w;
}

void
waiting_free(struct waiting **wp)
{
	if (*wp != NULL)
		free((*wp)->dropped);
	free(*wp);
	*wp = NULL;
}

uint32_t
waiting_hash(struct span s)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h;
}

static struct entry *
entry_at(const struct waiting *w, uint64_t position)
{
	return (struct entry *)(uintptr_t)(w->ring + position % w->size);
}

static bool
too_old(const struct waiting *w, int64_t time)
{
	return w->now - time > w->age_s;
}

/* Where the ring ends too soon even for a filler, nothing stands. */
static uint64_t
to_end(const struct waiting *w, uint64_t position)
{
	return w->size - position % w->size;
}

static void
drop_oldest(struct waiting *w)
{
	const struct entry *e = entry_at(w, w->tail);

	if (to_end(w, w->tail) < sizeof *e) {
		w->tail += to_end(w, w->tail);
		return;
	}
	if (!e->filler && !e->taken) {
		if (too_old(w, e->time))
			w->lost_old++;
		else
			w->lost_full++;
	}
	w->tail += e->size;
}

/* `size` octets in one piece at the head. */
static struct entry *
make_room(struct waiting *w, uint64_t size)
{
	uint64_t end = to_end(w, w->head);
	uint64_t need = size <= end ? size : end + size;
	struct entry *e;

	while (w->head + need - w->tail > w->size)
		drop_oldest(w);
	if (size > end) {
		if (end >= sizeof *e) {
			e = entry_at(w, w->head);
			*e = (struct entry){ .size = (uint32_t)end,
				.filler = true };
		}
		w->head += end;
	}
	return entry_at(w, w->head);
}

static char *
put_bytes(char *to, struct span s)
{
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	return to + s.n;
}

static uint64_t *
chain(struct waiting *w, uint32_t hash)
{
	return &w->heads[hash % HEADS];
}

static void
put(struct waiting *w, uint32_t hash, const struct logline *l)
{
	uint64_t size =
	    (sizeof(struct entry) + l->name.n + l->program.n + l->text.n + 7) &
	    ~7ull;
	struct entry *e;
	char *to;

	if (size > w->size / 4) {
		w->lost_full++;
		return;
	}
	if (l->time > w->now || too_old(w, l->time))
		w->now = l->time; /* else the clock was set back */
	e = make_room(w, size);
	*e = (struct entry){ .size = (uint32_t)size,
		.name = (uint32_t)l->name.n,
		.program = (uint32_t)l->program.n,
		.text = (uint32_t)l->text.n,
		.hash = hash,
		.before = *chain(w, hash),
		.time = l->time };
	to = put_bytes((char *)(e + 1), l->name);
	to = put_bytes(to, l->program);
	put_bytes(to, l->text);
	*chain(w, hash) = w->head + 1;
	w->head += size;
}

void
waiting_put(struct waiting *w, struct span queue_id, const struct logline *l)
{
	put(w, waiting_hash(queue_id), l);
}

bool
waiting_any(const struct waiting *w, struct span queue_id)
{
	uint64_t at = w->heads[waiting_hash(queue_id) % HEADS];

	return at > w->tail && at <= w->head;
}

/* Another id may have the same hash: whoever asks parses the lines anyway. */
size_t
waiting_find(const struct waiting *w, struct span queue_id, uint64_t *handles,
    size_t max)
{
	uint32_t hash = waiting_hash(queue_id);
	uint64_t at = w->heads[hash % HEADS];
	size_t n = 0;

	while (at > w->tail && n < max) {
		const struct entry *e = entry_at(w, at - 1);

		if (e->hash == hash && !e->taken && !too_old(w, e->time))
			handles[n++] = at - 1;
		at = e->before;
	}
	for (size_t i = 0; i < n / 2; i++) {
		uint64_t swap = handles[i];

		handles[i] = handles[n - 1 - i];
		handles[n - 1 - i] = swap;
	}
	return n;
}

bool
waiting_get(const struct waiting *w, uint64_t handle, struct logline *out)
{
	const struct entry *e = entry_at(w, handle);
	const char *p = (const char *)(e + 1);

	if (handle < w->tail || e->taken)
		return false;
	*out = (struct logline){
		.time = e->time,
		.name = { p, e->name },
		.program = { p + e->name, e->program },
		.text = { p + e->name + e->program, e->text },
	};
	return true;
}

void
waiting_take(struct waiting *w, uint64_t handle)
{
	struct entry *e = entry_at(w, handle);
	size_t room = w->room != 0 ? w->room * 2 : 64;
	uint64_t *more;

	if (handle < w->tail || e->taken)
		return;
	e->taken = true;
	if (!e->saved)
		return;
	if (w->drops == w->room) {
		more = realloc(w->dropped, room * sizeof *more);
		if (more == NULL) {
			e->taken = false; /* it may be told twice, not lost */
			return;
		}
		w->dropped = more;
		w->room = room;
	}
	w->dropped[w->drops++] = handle;
}

/*
 * The store's line: 8 octets time, 4 the queue id's hash, 2 each the lengths
 * of name and program, all big-endian; then name, program and text.
 */
enum { SAVED_HEAD = 8 + 4 + 2 + 2 };

static void
save(struct txn *t, const char *log, uint64_t position, const struct entry *e)
{
	struct buf b = BUF(1u << 20);
	char head[SAVED_HEAD];

	big_put(head, (uint64_t)e->time, 8);
	big_put(head + 8, e->hash, 4);
	big_put(head + 12, e->name, 2);
	big_put(head + 14, e->program, 2);
	buf_add(&b, head, sizeof head);
	buf_add(&b, e + 1, e->name + e->program + e->text);
	if (b.err == MTRK_OK)
		store_put_waiting(t, log, position, buf_as_span(&b));
	buf_free(&b);
}

static bool
load_line(struct span s, struct logline *out, uint32_t *hash)
{
	size_t name, program;

	if (s.n < SAVED_HEAD)
		return false;
	name = (size_t)big_get(s.p + 12, 2);
	program = (size_t)big_get(s.p + 14, 2);
	if (s.n < SAVED_HEAD + name + program)
		return false;
	out->time = (int64_t)big_get(s.p, 8);
	*hash = (uint32_t)big_get(s.p + 8, 4);
	out->name = (struct span){ s.p + SAVED_HEAD, name };
	out->program = (struct span){ s.p + SAVED_HEAD + name, program };
	out->text = span_from(s, SAVED_HEAD + name + program);
	return true;
}

/* What fell out, or is too old: the first ones. */
static void
drop_stale(struct waiting *w, struct txn *t, const char *log)
{
	uint64_t number = 0;
	uint32_t hash;
	struct logline l;
	struct span line;

	while (store_get_waiting(t, log, &number, &line)) {
		if (number >= w->tail && load_line(line, &l, &hash) &&
		    !too_old(w, l.time))
			break;
		store_drop_waiting(t, log, number);
	}
}

void
waiting_save(struct waiting *w, struct txn *t, const char *log)
{
	uint64_t at = w->kept > w->tail ? w->kept : w->tail;

	if (w->lost_full > 0)
		store_count(t, "waiting-room-full", w->lost_full);
	if (w->lost_old > 0)
		store_count(t, "waiting-room-old", w->lost_old);
	w->keeping = w->head;
	if (log == NULL)
		return;
	drop_stale(w, t, log);
	for (size_t i = 0; i < w->drops; i++)
		store_drop_waiting(t, log, w->dropped[i]);
	while (at < w->head) {
		struct entry *e = entry_at(w, at);

		if (to_end(w, at) < sizeof *e) {
			at += to_end(w, at);
			continue;
		}
		if (!e->filler && !e->taken && !too_old(w, e->time)) {
			save(t, log, at, e);
			e->saved = true;
		}
		at += e->size;
	}
}

void
waiting_saved(struct waiting *w)
{
	w->kept = w->keeping;
	w->drops = 0;
	w->lost_full = w->lost_old = 0;
}

/* They get new places, behind all old ones; the next save drops those. */
bool
waiting_load(struct waiting *w, struct txn *t, const char *log)
{
	uint64_t number = 0;
	struct logline l;
	struct span line;
	uint32_t hash;

	memset(w->heads, 0, sizeof w->heads);
	w->drops = 0;
	w->now = INT64_MIN / 2;
	w->lost_full = w->lost_old = 0;
	while (log != NULL && store_get_waiting(t, log, &number, &line))
		number++;
	w->head = w->tail = w->kept = w->keeping = (number + 7) & ~7ull;
	for (number = 0;
	     log != NULL && store_get_waiting(t, log, &number, &line); number++)
		if (load_line(line, &l, &hash))
			put(w, hash, &l);
	return w->head > w->tail;
}
