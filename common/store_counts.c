/*
 * Counters with their examples, and lines that wait.
 */
#include <stdio.h>
#include <string.h>

#include "common/store_private.h"

enum {
	EXAMPLE_MAX = 512, /* octets of a line kept; ours */
	PROGRAMS_MAX = 64, /* counted by name; ours */
};
#define NOT_UNDERSTOOD "not-understood" /* ".program" */

struct span
meta_key(char buf[NAME_MAX_LEN], const char *kind, const char *name)
{
	int n = snprintf(buf, NAME_MAX_LEN, "%s:%s", kind, name);

	return (struct span){ buf,
		n < NAME_MAX_LEN ? (size_t)n : NAME_MAX_LEN - 1 };
}

void
store_count(struct txn *t, const char *name, uint64_t more)
{
	char key[NAME_MAX_LEN], bytes[8];
	struct span k = meta_key(key, "count", name), v;
	uint64_t n = more;

	if (txn_get(t, TABLE_META, k, &v) && v.n == 8)
		n += big_get(v.p, v.n);
	big_put(bytes, n, 8);
	txn_put(t, TABLE_META, k, (struct span){ bytes, 8 });
}

static bool
count_program(struct span key, struct span value, void *arg)
{
	unsigned *n = arg;

	(void)value;
	return span_starts(key, "count:" NOT_UNDERSTOOD) && ++*n < PROGRAMS_MAX;
}

/* Whoever can write to the log can make up names. */
static bool
is_one_too_many(struct txn *t, const char *name)
{
	char key[NAME_MAX_LEN], first[NAME_MAX_LEN];
	struct span none;
	unsigned n = 0;

	if (txn_get(t, TABLE_META, meta_key(key, "count", name), &none))
		return false;
	txn_walk(t, TABLE_META, meta_key(first, "count", NOT_UNDERSTOOD),
	    count_program, &n);
	return n == PROGRAMS_MAX;
}

void
store_not_understood(struct txn *t, struct span program, struct span line)
{
	char name[NAME_MAX_LEN], key[NAME_MAX_LEN];
	struct span k, none;

	snprintf(name, sizeof name, NOT_UNDERSTOOD ".%.*s",
	    program.n < 64 ? (int)program.n : 64, program.p);
	if (is_one_too_many(t, name))
		snprintf(name, sizeof name, NOT_UNDERSTOOD ".(others)");
	store_count(t, name, 1);
	k = meta_key(key, "example", name);
	if (line.n > EXAMPLE_MAX)
		line.n = EXAMPLE_MAX;
	if (!txn_get(t, TABLE_META, k, &none))
		txn_put(t, TABLE_META, k, line);
}

/* Everything in the table "meta" whose key begins with `kind`. */
static enum mtrk_err
each_meta(struct store *st, const char *kind,
    void (*each)(struct span name, struct span value, void *arg), void *arg)
{
	struct txn t = txn_read(store_db(st));
	struct span key = span_of(kind), found, val;
	char next[DB_KEY_MAX];

	while (txn_at_least(&t, TABLE_META, key, &found, &val) &&
	    span_starts(found, kind)) {
		each(span_from(found, strlen(kind)), val, arg);
		/* the key behind this one: with a NUL more */
		memcpy(next, found.p, found.n);
		next[found.n] = '\0';
		key = (struct span){ next, found.n + 1 };
	}
	return txn_end(&t);
}

struct counter {
	void (*each)(struct span name, uint64_t value, void *arg);
	void *arg;
};

static void
tell_number(struct span name, struct span value, void *arg)
{
	const struct counter *c = arg;

	c->each(name, big_get(value.p, value.n), c->arg);
}

enum mtrk_err
store_counters(struct store *st,
    void (*each)(struct span name, uint64_t value, void *arg), void *arg)
{
	struct counter c = { each, arg };

	return each_meta(st, "count:", tell_number, &c);
}

enum mtrk_err
store_examples(struct store *st,
    void (*each)(struct span name, struct span line, void *arg), void *arg)
{
	return each_meta(st, "example:", each, arg);
}

/* log's name, NUL, number; the name's end counts more than its begin */
struct waiting_key {
	size_t n;
	char b[DB_KEY_MAX];
};

static struct waiting_key
waiting_key(const char *log, uint64_t number)
{
	size_t n = strlen(log), skip = n > NAME_MAX_LEN ? n - NAME_MAX_LEN : 0;
	struct waiting_key k;

	memcpy(k.b, log + skip, n - skip + 1);
	big_put(k.b + n - skip + 1, number, 8);
	k.n = n - skip + 1 + 8;
	return k;
}

void
store_put_waiting(
    struct txn *t, const char *log, uint64_t number, struct span line)
{
	struct waiting_key k = waiting_key(log, number);

	txn_put(t, TABLE_WAITING, (struct span){ k.b, k.n }, line);
}

void
store_drop_waiting(struct txn *t, const char *log, uint64_t number)
{
	struct waiting_key k = waiting_key(log, number);

	txn_delete(t, TABLE_WAITING, (struct span){ k.b, k.n });
}

bool
store_get_waiting(
    struct txn *t, const char *log, uint64_t *number, struct span *line)
{
	struct waiting_key k = waiting_key(log, *number);
	struct span found;

	if (!txn_at_least(
		t, TABLE_WAITING, (struct span){ k.b, k.n }, &found, line) ||
	    found.n != k.n || memcmp(found.p, k.b, k.n - 8) != 0)
		return false;
	*number = big_get(found.p + found.n - 8, 8);
	return true;
}
