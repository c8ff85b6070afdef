#include "milter/gate_message.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 << 20 /* ours: all addresses of one record, twice */ };

/* Offsets into `text` of NUL-ended strings; 0: none. */
struct who {
	size_t original, address;
	size_t to; /* what it turned into */
	bool several; /* into more than one */
};

struct gate_message {
	bool hide_forwarding;
	struct buf wanted_text; /* the queue id, NUL, the sender, NUL */
	struct span wanted_id, wanted_sender;

	bool found, right; /* some record; the queue id's own */
	bool disagree; /* another record has another certifier */
	unsigned char certifier[CERTIFIER_LEN];
	struct message head; /* numbers only */
	struct buf text;
	struct who *who;
	size_t n;
};

struct gate_message *
gate_message_new(bool hide_forwarding)
{
	struct gate_message *g = calloc(1, sizeof *g);

	if (g != NULL) {
		g->hide_forwarding = hide_forwarding;
		g->wanted_text = BUF(TEXT_MAX);
		g->text = BUF(TEXT_MAX);
	}
	return g;
}

void
gate_message_free(struct gate_message **gp)
{
	struct gate_message *g = *gp;

	*gp = NULL;
	if (g == NULL)
		return;
	buf_free(&g->wanted_text);
	buf_free(&g->text);
	free(g->who);
	free(g);
}

void
gate_message_begin(
    struct gate_message *g, struct span queue_id, struct span sender)
{
	g->found = g->right = g->disagree = false;
	g->n = 0;
	buf_free(&g->wanted_text);
	buf_span(&g->wanted_text, queue_id);
	buf_span(&g->wanted_text, sender);
	if (g->wanted_text.err != MTRK_OK)
		return;
	g->wanted_id = (struct span){ g->wanted_text.p, queue_id.n };
	g->wanted_sender =
	    (struct span){ g->wanted_text.p + queue_id.n, sender.n };
}

static size_t
keep(struct gate_message *g, struct span s)
{
	size_t at = g->text.n;

	buf_span(&g->text, s);
	buf_chr(&g->text, '\0');
	return at;
}

static struct span
string_at(const struct gate_message *g, size_t at)
{
	return span_of(g->text.p + at);
}

/* Where the MTA has sent it so far, by what the log told. */
static void
take_event(struct gate_message *g, const struct event *e, struct span own)
{
	struct span to = e->address.n > 0 ? e->address : own;
	struct who *w;

	if (e->kind == EVENT_MESSAGE_ID || e->recipient >= g->n)
		return;
	w = &g->who[e->recipient];
	if (w->to == 0)
		w->to = keep(g, to);
	else if (g->text.err == MTRK_OK &&
	    !address_equal(string_at(g, w->to), to, true))
		w->several = true;
}

static bool
copy(struct gate_message *g, const struct message *m)
{
	struct who *w = calloc(m->n_recipients + 1, sizeof *w);

	if (w == NULL)
		return false;
	free(g->who);
	g->who = w;
	g->n = m->n_recipients;
	g->head = (struct message){ .number = m->number,
		.arrival = m->arrival,
		.has_timeout = m->has_timeout,
		.timeout_s = m->timeout_s };
	memcpy(g->certifier, m->certifier, CERTIFIER_LEN);
	buf_free(&g->text);
	buf_chr(&g->text, '\0'); /* so that no string is at 0 */
	for (size_t i = 0; i < g->n; i++) {
		w[i].address = keep(g, m->recipients[i].address);
		if (m->recipients[i].original.n > 0)
			w[i].original = keep(g, m->recipients[i].original);
	}
	gate_message_news(m, g);
	return g->text.err == MTRK_OK;
}

bool
gate_message_offer(const struct message *m, void *arg)
{
	struct gate_message *g = arg;
	bool right = g->wanted_id.n > 0 && span_eq(g->wanted_id, m->queue_id);

	if (g->wanted_text.err != MTRK_OK)
		return false;
	if (!address_equal(g->wanted_sender, m->sender, true))
		return true;
	if (g->found && memcmp(g->certifier, m->certifier, CERTIFIER_LEN) != 0)
		g->disagree = true;
	g->found = copy(g, m);
	if (right)
		g->disagree = false;
	return g->found && !right;
}

bool
gate_message_news(const struct message *m, void *arg)
{
	struct gate_message *g = arg;

	if (m->number != g->head.number || m->n_recipients != g->n)
		return true;
	for (size_t i = 0; i < m->n_events && g->text.err == MTRK_OK; i++)
		if (m->events[i].recipient < g->n)
			take_event(g, &m->events[i],
			    m->recipients[m->events[i].recipient].address);
	return false;
}

bool
gate_message_found(const struct gate_message *g)
{
	return g->found;
}

bool
gate_message_mark(const struct gate_message *g, const struct retention *r,
    int64_t now, struct mtrk *out)
{
	int64_t left = message_expires(&g->head, r) - now;

	if (!g->found || g->disagree || left <= 0)
		return false;
	if (left > MTRK_TIMEOUT_MAX)
		left = MTRK_TIMEOUT_MAX;
	*out =
	    (struct mtrk){ .has_timeout = true, .timeout_s = (uint32_t)left };
	memcpy(out->certifier, g->certifier, CERTIFIER_LEN);
	return true;
}

/* As the sender named it: by ORCPT, or by RCPT where there was none. */
static bool
is_original(const struct gate_message *g, const struct who *w, struct span s)
{
	return address_equal(
	    string_at(g, w->original != 0 ? w->original : w->address), s, true);
}

/* Two recipients may have one ORCPT, if an MTA before us made two of one. */
static struct who *
find(struct gate_message *g, struct span original, struct span address)
{
	struct who *found = NULL;

	for (size_t i = 0; i < g->n; i++) {
		struct who *w = &g->who[i];
		bool same =
		    address_equal(string_at(g, w->address), address, true);

		if (!is_original(g, w, original) &&
		    !(same && span_eq(original, address)))
			continue;
		if (same)
			return w;
		if (found == NULL)
			found = w;
	}
	return found;
}

bool
gate_message_rcpt(struct gate_message *g, struct span original,
    struct span address, uint32_t *index)
{
	struct who *w = g->found ? find(g, original, address) : NULL;

	*index = w != NULL ? (uint32_t)(w - g->who) : UINT32_MAX;
	if (w == NULL)
		return false;
	if (w->to == 0)
		w->to = keep(g, address);
	if (g->text.err != MTRK_OK)
		return false;
	if (!address_equal(string_at(g, w->to), address, true))
		w->several = true;
	return !w->several &&
	    !(g->hide_forwarding &&
		!address_equal(string_at(g, w->address), address, true));
}

uint64_t
gate_message_number(const struct gate_message *g)
{
	return g->head.number;
}

bool
gate_message_is_own(
    const struct gate_message *g, uint32_t index, struct span address)
{
	return index < g->n &&
	    address_equal(string_at(g, g->who[index].address), address, true);
}
