#include "mtqp/limits.h"

#include <stdlib.h>
#include <string.h>

enum {
	WAYS = 8, /* places where an address may be */
	KEYS_MAX = 2, /* /64 and /48 */
	MINUTE_MS = 60000,
};

struct key {
	struct net_ip ip;
	unsigned bits, factor;
};

struct client {
	struct net_ip ip;
	unsigned bits; /* 0: a free place */
	unsigned connections;
	uint64_t failures, commands; /* the latter times MINUTE_MS: a bucket
					that runs out at an even pace */
	int64_t failed_ms, commanded_ms, used_ms;
};

struct limits {
	struct limits_conf conf;
	uint64_t seed;
	size_t sets; /* a power of two */
	struct client clients[];
};

enum mtrk_err
limits_new(const struct limits_conf *conf, unsigned addresses, uint64_t seed,
    struct limits **out)
{
	size_t sets = 1;

	while (sets * WAYS < addresses)
		sets *= 2;
	*out =
	    calloc(1, sizeof **out + sets * WAYS * sizeof((*out)->clients[0]));
	if (*out == NULL)
		return MTRK_NOMEM;
	(*out)->conf = *conf;
	(*out)->seed = seed;
	(*out)->sets = sets;
	return MTRK_OK;
}

void
limits_free(struct limits **l)
{
	free(*l);
	*l = NULL;
}

static size_t
keys_of(const struct net_ip *ip, struct key out[KEYS_MAX])
{
	if (net_ip_is_v4(ip)) {
		out[0] = (struct key){ *ip, 128, 1 };
		return 1;
	}
	out[0] = (struct key){ net_ip_cut(ip, 64), 64, 1 };
	out[1] = (struct key){ net_ip_cut(ip, 48), 48, LIMITS_SITE };
	return 2;
}

/* splitmix64's finisher over both halves; the seed keeps it unguessable. */
static uint64_t
hash(const struct limits *l, const struct key *k)
{
	uint64_t half[2], h = l->seed ^ k->bits;

	memcpy(half, k->ip.b, sizeof half);
	for (size_t i = 0; i < 2; i++) {
		h ^= half[i];
		h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
		h = (h ^ h >> 27) * 0x94d049bb133111ebu;
		h ^= h >> 31;
	}
	return h;
}

static bool
is_of(const struct client *c, const struct key *k)
{
	return c->bits == k->bits && memcmp(&c->ip, &k->ip, sizeof c->ip) == 0;
}

/* Its place, or the one that was used longest ago and has no connection;
 * NULL: there is none. */
static struct client *
place(struct limits *l, const struct key *k)
{
	struct client *set = &l->clients[(hash(l, k) & (l->sets - 1)) * WAYS];
	struct client *oldest = NULL;

	for (size_t i = 0; i < WAYS; i++) {
		if (is_of(&set[i], k))
			return &set[i];
		if (set[i].connections == 0 &&
		    (oldest == NULL || set[i].used_ms < oldest->used_ms))
			oldest = &set[i];
	}
	if (oldest != NULL)
		*oldest = (struct client){ .ip = k->ip, .bits = k->bits };
	return oldest;
}

static struct client *
find(struct limits *l, const struct key *k, int64_t now_ms)
{
	struct client *c = place(l, k);

	if (c != NULL)
		c->used_ms = now_ms;
	return c;
}

static void
forget_connections(struct limits *l, const struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct client *c = place(l, &keys[i]);

		if (c != NULL && c->connections > 0)
			c->connections--;
	}
}

/* Each key is counted before the next is looked for, which could otherwise
 * be given its place. */
bool
limits_connect(struct limits *l, const struct net_ip *ip, int64_t now_ms)
{
	struct key keys[KEYS_MAX];
	size_t n = keys_of(ip, keys);

	for (size_t i = 0; l->conf.connections > 0 && i < n; i++) {
		struct client *c = find(l, &keys[i], now_ms);

		if (c == NULL ||
		    c->connections >= l->conf.connections * keys[i].factor) {
			forget_connections(l, keys, i);
			return false;
		}
		c->connections++;
	}
	return true;
}

void
limits_closed(struct limits *l, const struct net_ip *ip)
{
	struct key keys[KEYS_MAX];
	size_t n = keys_of(ip, keys);

	if (l->conf.connections > 0)
		forget_connections(l, keys, n);
}

/* A bucket of a minute's commands that empties within a minute. */
static bool
may_command(struct client *c, uint64_t a_minute, int64_t now_ms)
{
	uint64_t gone = (uint64_t)(now_ms - c->commanded_ms) * a_minute;

	c->commands = gone < c->commands ? c->commands - gone : 0;
	c->commanded_ms = now_ms;
	if (c->commands + MINUTE_MS > a_minute * MINUTE_MS)
		return false;
	c->commands += MINUTE_MS;
	return true;
}

bool
limits_command(struct limits *l, const struct net_ip *ip, int64_t now_ms)
{
	struct key keys[KEYS_MAX];
	size_t n = keys_of(ip, keys);
	bool may = true;

	for (size_t i = 0; l->conf.commands_a_minute > 0 && i < n; i++) {
		struct client *c = find(l, &keys[i], now_ms);

		may &= c != NULL &&
		    may_command(
			c, l->conf.commands_a_minute * keys[i].factor, now_ms);
	}
	return may;
}

static void
forget_failures(struct client *c, int64_t now_ms)
{
	int64_t halves = (now_ms - c->failed_ms) / LIMITS_FORGET_MS;

	if (halves <= 0)
		return;
	c->failures = halves < 64 ? c->failures >> halves : 0;
	c->failed_ms += halves * LIMITS_FORGET_MS;
}

/* Those beyond the limit double the wait. */
static unsigned
wait_for(uint64_t failures, uint64_t limit)
{
	unsigned wait_s = LIMITS_WAIT_MIN_S;

	if (failures <= limit)
		return 0;
	for (uint64_t i = limit + 1; i < failures; i++)
		if ((wait_s *= 2) >= LIMITS_WAIT_MAX_S)
			return LIMITS_WAIT_MAX_S;
	return wait_s;
}

unsigned
limits_failure(struct limits *l, const struct net_ip *ip, int64_t now_ms)
{
	struct key keys[KEYS_MAX];
	size_t n = keys_of(ip, keys);
	unsigned most_s = 0, wait_s;

	for (size_t i = 0; l->conf.failures > 0 && i < n; i++) {
		struct client *c = find(l, &keys[i], now_ms);

		if (c == NULL)
			return LIMITS_WAIT_MAX_S;
		if (c->failures == 0)
			c->failed_ms = now_ms;
		forget_failures(c, now_ms);
		wait_s =
		    wait_for(++c->failures, l->conf.failures * keys[i].factor);
		if (wait_s > most_s)
			most_s = wait_s;
	}
	return most_s;
}
