#include "mtqp/follow_hops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct hop_place {
	const struct tstat_part *part;
	const struct tstat_recipient *recipient;
	size_t way; /* the last one that came here; 0: none */
};

/* A recipient without Original-Recipient is known by its final name. */
static const char *
key_of(const struct tstat_recipient *r)
{
	return r->original != NULL ? r->original
	    : r->final != NULL     ? r->final
				   : "";
}

/* Equal ones stay in the order of the answer. */
static int
by_key(const void *a, const void *b)
{
	const struct hop_place *x = a, *y = b;
	int c = strcmp(key_of(x->recipient), key_of(y->recipient));

	if (c != 0)
		return c;
	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	return (x->recipient > y->recipient) - (x->recipient < y->recipient);
}

static enum mtrk_err
make_index(struct hop *h)
{
	size_t n = 0;

	for (size_t p = 0; p < h->answer.n; p++)
		n += h->answer.parts[p].n;
	h->index = calloc(n + 1, sizeof *h->index);
	if (h->index == NULL)
		return MTRK_NOMEM;
	for (size_t p = 0; p < h->answer.n; p++)
		for (size_t r = 0; r < h->answer.parts[p].n; r++)
			h->index[h->n_index++] =
			    (struct hop_place){ &h->answer.parts[p],
				    &h->answer.parts[p].recipients[r], 0 };
	qsort(h->index, n, sizeof *h->index, by_key);
	return MTRK_OK;
}

enum {
	SAME_MAX = 256, /* entries of one recipient in one answer; ours */
	WAY_MAX = 2 * HOPS_MAX, /* steps of one way; ours */
};

/* The first of those places whose key is `key`; *n says how many. */
static struct hop_place *
find_key(const struct hop *h, const char *key, size_t *n)
{
	size_t low = 0, high = h->n_index;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(key_of(h->index[middle].recipient), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*n = 0;
	while (*n < SAME_MAX && low + *n < h->n_index &&
	    strcmp(key_of(h->index[low + *n].recipient), key) == 0)
		(*n)++;
	return h->index + low;
}

/* D14: a "dns" name, or an address in brackets; false: cannot be asked. */
static bool
next_host(const struct tstat_recipient *r, char out[HOST_MAX + 1])
{
	struct span s = span_trim(span_of(r->remote_mta));

	if (s.n == 0 ||
	    (r->remote_type != NULL && strcasecmp(r->remote_type, "dns") != 0))
		return false;
	if (span_starts(s, "[") && span_ends(s, "]")) {
		s = (struct span){ s.p + 1, s.n - 2 };
		if (span_istarts(s, "IPv6:"))
			s = span_from(s, 5);
	} else if (span_ends(s, ".")) {
		s.n--;
	}
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0 && span_copy(out, HOST_MAX + 1, s);
}

static bool
is_name(const char *name, const char *host)
{
	size_t n = strlen(host);

	/* the root's dot at the end makes no other name */
	return name != NULL && strncasecmp(name, host, n) == 0 &&
	    (name[n] == '\0' || strcmp(name + n, ".") == 0);
}

static size_t
find_hop(const struct hops *h, const char *host)
{
	for (size_t i = 0; i < h->n; i++)
		if (is_name(h->list[i].host, host))
			return i;
	/* one that was asked by another name tells its own in its answer */
	for (size_t i = 0; i < h->n; i++)
		for (size_t p = 0; p < h->list[i].answer.n; p++)
			if (is_name(
				h->list[i].answer.parts[p].reporting_mta, host))
				return i;
	return HOPS_NONE;
}

static void
add_hop(struct hops *h, const char *host, size_t told_by)
{
	struct hop *new;

	if (h->n == HOPS_MAX)
		return;
	new = &h->list[h->n++];
	*new = (struct hop){ .told_by = told_by,
		.depth = h->list[told_by].depth + 1,
		.state = HOP_WAITING };
	span_copy(new->host, sizeof new->host, span_of(host));
	if (new->depth > h->depth_max || h->n == HOPS_MAX) {
		new->state = HOP_NOT_ASKED;
		snprintf(new->why, sizeof new->why,
		    new->depth > h->depth_max ? "further than --depth %u"
					      : "more than %u servers",
		    new->depth > h->depth_max ? h->depth_max
					      : (unsigned)HOPS_MAX - 1);
	}
}

void
hops_start(struct hops *h, const char *host, uint16_t port, unsigned depth_max)
{
	*h = (struct hops){ .n = 1, .depth_max = depth_max };
	h->list[0] = (struct hop){ .port = port, .told_by = HOPS_NONE };
	span_copy(h->list[0].host, sizeof h->list[0].host, span_of(host));
}

enum mtrk_err
hops_answered(struct hops *h, size_t i, struct tstat *t)
{
	struct hop *hop = &h->list[i];
	char host[HOST_MAX + 1];

	hop->state = HOP_ANSWERED;
	hop->answer = *t;
	*t = (struct tstat){ 0 };
	if (make_index(hop) != MTRK_OK)
		return MTRK_NOMEM;
	for (size_t p = 0; p < hop->answer.n; p++)
		for (size_t k = 0; k < hop->answer.parts[p].n; k++) {
			const struct tstat_recipient *r =
			    &hop->answer.parts[p].recipients[k];

			if (r->action == ACTION_TRANSFERRED &&
			    next_host(r, host) &&
			    find_hop(h, host) == HOPS_NONE)
				add_hop(h, host, i);
		}
	return MTRK_OK;
}

void
hops_same(struct hops *h, size_t i, size_t same)
{
	h->list[i].state = HOP_SAME;
	h->list[i].same = same;
}

void
hops_free(struct hops *h)
{
	for (size_t i = 0; i < h->n; i++) {
		tstat_free(&h->list[i].answer);
		free(h->list[i].index);
	}
	h->n = 0;
}

struct walk {
	const struct hops *hops;
	struct ways *out;
	size_t way; /* the one in hand, from 1 */
	size_t room;
	enum mtrk_err err; /* the first failure sticks */
};

static size_t
add_step(struct walk *w, struct step s)
{
	struct ways *out = w->out;

	if (w->err != MTRK_OK || out->n == STEPS_MAX) {
		out->cut = true;
		return HOPS_NONE;
	}
	if (out->n == w->room) {
		size_t room = w->room > 0 ? 2 * w->room : 64;
		struct step *more = realloc(out->steps, room * sizeof s);

		if (more == NULL) {
			w->err = MTRK_NOMEM;
			return HOPS_NONE;
		}
		out->steps = more;
		w->room = room;
	}
	out->steps[out->n] = s;
	return out->n++;
}

static bool
is_before(const struct walk *w, size_t at, const struct tstat_recipient *r)
{
	for (; at != HOPS_NONE; at = w->out->steps[at].parent)
		if (w->out->steps[at].recipient == r)
			return true;
	return false;
}

static void take_step(
    struct walk *, size_t hop, struct hop_place *, size_t parent);

/*
 * The continuations in one answer: recipients of the same original, in parts
 * that `host` reports (NULL: whoever does).  *loop: one was on the way
 * already.
 */
static bool
walk_into(struct walk *w, size_t hop, const char *key, const char *host,
    size_t parent, bool *loop)
{
	size_t n;
	struct hop_place *places = find_key(&w->hops->list[hop], key, &n);
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (host != NULL &&
		    !is_name(places[i].part->reporting_mta, host))
			continue;
		/* once a way, or a few entries would give countless ones */
		if (places[i].way != w->way) {
			take_step(w, hop, &places[i], parent);
			any = true;
		} else if (!any && !*loop) {
			*loop = is_before(w, parent, places[i].recipient);
			any = !*loop;
		}
	}
	return any;
}

/* Where a transferred recipient's way goes on; else why it does not. */
static enum step_end
walk_on(struct walk *w, size_t at)
{
	const struct step s = w->out->steps[at];
	const char *key = key_of(s.recipient), *final = s.recipient->final;
	char host[HOST_MAX + 1];
	bool loop = false;
	size_t next;

	if (s.depth == WAY_MAX)
		return STEP_LOOP;
	if (!next_host(s.recipient, host))
		return STEP_NOWHERE;
	/* chained: the answer itself tells (Q13) */
	if (walk_into(w, s.hop, key, host, at, &loop))
		return STEP_GOES_ON;
	next = find_hop(w->hops, host);
	if (next == HOPS_NONE)
		return STEP_NOWHERE; /* more than HOPS_MAX */
	if (w->hops->list[next].state == HOP_SAME)
		next = w->hops->list[next].same;
	w->out->steps[at].next = next;
	if (w->hops->list[next].state != HOP_ANSWERED)
		return STEP_NO_SERVER;
	if (walk_into(w, next, key, NULL, at, &loop) ||
	    /* A18: without ORCPT the next server began anew */
	    (final != NULL && strcmp(final, key) != 0 &&
		walk_into(w, next, final, NULL, at, &loop)))
		return STEP_GOES_ON;
	return loop ? STEP_LOOP : STEP_NOT_THERE;
}

static void
take_step(struct walk *w, size_t hop, struct hop_place *place, size_t parent)
{
	const struct step s = { .hop = hop,
		.part = place->part,
		.recipient = place->recipient,
		.depth =
		    parent == HOPS_NONE ? 0 : w->out->steps[parent].depth + 1,
		.parent = parent,
		.end = STEP_ENDS,
		.next = HOPS_NONE };
	size_t at = add_step(w, s);
	enum step_end end;

	place->way = w->way;
	if (at == HOPS_NONE || place->recipient->action != ACTION_TRANSFERRED)
		return;
	end = walk_on(w, at);
	w->out->steps[at].end = end;
}

/* Another part of the same answer hands it to this one. */
static bool
is_continued(const struct hop *h, const struct hop_place *place)
{
	size_t n;
	const struct hop_place *same =
	    find_key(h, key_of(place->recipient), &n);
	char host[HOST_MAX + 1];

	for (size_t i = 0; i < n; i++)
		if (same[i].part != place->part &&
		    same[i].recipient->action == ACTION_TRANSFERRED &&
		    next_host(same[i].recipient, host) &&
		    is_name(place->part->reporting_mta, host))
			return true;
	return false;
}

/* In the order of the answer.  First those that nothing leads to; then what
 * was not come by, which is in a circle. */
static void
walk_all(struct walk *w)
{
	const struct hop *h = &w->hops->list[0];

	for (int circles = 0; circles < 2; circles++)
		for (size_t p = 0; p < h->answer.n; p++)
			for (size_t r = 0; r < h->answer.parts[p].n; r++) {
				const struct hop_place key = {
					&h->answer.parts[p],
					&h->answer.parts[p].recipients[r], 0
				};
				struct hop_place *place = bsearch(&key,
				    h->index, h->n_index, sizeof key, by_key);

				if (circles ? place->way > 0
					    : is_continued(h, place))
					continue;
				w->way++;
				take_step(w, 0, place, HOPS_NONE);
			}
}

enum mtrk_err
hops_ways(const struct hops *h, struct ways *out)
{
	struct walk w = { .hops = h, .out = out };

	*out = (struct ways){ 0 };
	for (size_t i = 0; i < h->n; i++)
		for (size_t k = 0; k < h->list[i].n_index; k++)
			h->list[i].index[k].way = 0;
	if (h->list[0].index != NULL)
		walk_all(&w);
	if (w.err != MTRK_OK)
		ways_free(out);
	return w.err;
}

void
ways_free(struct ways *w)
{
	free(w->steps);
	*w = (struct ways){ 0 };
}
