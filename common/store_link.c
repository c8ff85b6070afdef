/*
 * Claims on queue ids, and members of aliases.
 *
 * The value of a claim that the log made, a link, is 13 bytes:
 *
 *	1	bits; 1: the way of a list's members
 *	4	index of the recipient whose way goes on, big-endian, or
 *		EVENT_ALL, EVENT_SOMEONE
 *	8	seconds since 1970 UTC when the log told of it, big-endian
 */
#include <string.h>

#include "common/store_private.h"

enum {
	LINK_LEN = 13,
	LINK_LIST = 1,
	LINK_EARLY_S =
	    60, /* a new id's lines before the one that links; ours */
	MEMBER_KEY_MAX = DB_KEY_MAX - NUMBER_LEN,
};

static struct claim
claim_of(uint64_t message, struct span value)
{
	struct claim c = { .message = message, .recipient = EVENT_ALL };

	if (value.n != LINK_LEN)
		return c;
	c.linked = true;
	c.list = value.p[0] & LINK_LIST;
	c.recipient = (uint32_t)big_get(value.p + 1, 4);
	c.since = (int64_t)big_get(value.p + 5, 8);
	return c;
}

void
put_link(struct txn *t, struct span instance, struct span queue_id,
    const struct claim *c)
{
	struct index_key k = queue_key(instance, queue_id, c->message);
	char value[LINK_LEN];

	value[0] = c->list ? LINK_LIST : 0;
	big_put(value + 1, c->recipient, 4);
	big_put(value + 5, (uint64_t)c->since, 8);
	txn_put(t, TABLE_QUEUE, index_span(&k),
	    (struct span){ value, sizeof value });
}

void
free_claim(
    struct txn *t, struct span instance, struct span queue_id, uint64_t message)
{
	struct index_key k = queue_key(instance, queue_id, message);

	txn_delete(t, TABLE_QUEUE, index_span(&k));
}

/* A line from before is of an older claim; a second is for stamps that are
 * cut at whole seconds. */
static bool
claimed_at(const struct claim *c, const struct message *m, int64_t time)
{
	if (time == INT64_MAX)
		return true;
	return c->linked ? c->since <= time + LINK_EARLY_S
			 : m->arrival <= time + 1;
}

bool
find_claim(struct txn *t, struct span instance, struct span queue_id,
    int64_t time, struct claim *c, struct message *out)
{
	struct index_key k = queue_key(instance, queue_id, NUMBER_MAX);
	struct span found, value;

	*out = (struct message){ 0 };
	while (txn_before(t, TABLE_QUEUE, index_span(&k), &found, &value) &&
	    index_same(found, &k)) {
		bool there;

		*c = claim_of(number_of(found), value);
		there = load_message(t, c->message, out);
		if (there && claimed_at(c, out, time))
			return true;
		message_free(out);
		if (!there)
			free_claim(t, instance, queue_id, c->message);
		k = queue_key(instance, queue_id, c->message);
	}
	return false;
}

struct member_key {
	size_t n;
	char b[DB_KEY_MAX];
};

static struct member_key
member_key(uint64_t message, struct span address)
{
	struct number_key n = number_key(message);
	struct member_key k;

	if (address.n > MEMBER_KEY_MAX)
		address.n = MEMBER_KEY_MAX;
	memcpy(k.b, n.b, NUMBER_LEN);
	for (size_t i = 0; i < address.n; i++) {
		char c = address.p[i];

		k.b[NUMBER_LEN + i] =
		    c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	k.n = NUMBER_LEN + address.n;
	return k;
}
#define MEMBER_KEY(k) ((struct span){ (k).b, (k).n })

size_t
find_member(struct txn *t, uint64_t message, struct span address,
    uint32_t recipients[MEMBER_OF_MAX])
{
	struct member_key k = member_key(message, address);
	struct span value;
	size_t n = 0;

	if (!txn_get(t, TABLE_MEMBER, MEMBER_KEY(k), &value))
		return 0;
	for (; n < MEMBER_OF_MAX && 4 * (n + 1) <= value.n; n++)
		recipients[n] = (uint32_t)big_get(value.p + 4 * n, 4);
	return n;
}

void
add_member(
    struct txn *t, uint64_t message, struct span address, uint32_t recipient)
{
	struct member_key k = member_key(message, address);
	uint32_t of[MEMBER_OF_MAX];
	char value[4 * MEMBER_OF_MAX];
	size_t n = find_member(t, message, address, of);

	for (size_t i = 0; i < n; i++)
		if (of[i] == recipient)
			return;
	if (n == MEMBER_OF_MAX)
		return;
	of[n++] = recipient;
	for (size_t i = 0; i < n; i++)
		big_put(value + 4 * i, of[i], 4);
	txn_put(t, TABLE_MEMBER, MEMBER_KEY(k), (struct span){ value, 4 * n });
}

void
remove_members(struct txn *t, uint64_t message)
{
	struct number_key key = number_key(message);
	struct span found, value;

	while (txn_at_least(t, TABLE_MEMBER, KEY(key), &found, &value) &&
	    found.n >= NUMBER_LEN && memcmp(found.p, key.b, NUMBER_LEN) == 0) {
		struct member_key k = { .n = found.n };

		memcpy(k.b, found.p, found.n);
		txn_delete(t, TABLE_MEMBER, MEMBER_KEY(k));
	}
}
