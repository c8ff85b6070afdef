/*
 * The words at both ends of a line are strangers': the address in to=<>, and
 * the reply in the last parentheses.  So an address is read as an address,
 * with its quotes; the fields between come in their one order, each at its
 * place; and behind " (" nothing is read but kept.
 */
#include "milter/postfix.h"

#include <string.h>

enum {
	QUEUE_ID_MIN = 6,
	QUEUE_ID_MAX = 24, /* long ones have 16 now, and grow slowly */
	RELAY_MAX = 512,
	NUMBERS_MAX = 64, /* delay=, delays=, dsn= */
};

/* Which program tells what "sent" means: design.md 4. */
static const struct agent {
	const char *program;
	enum action sent;
} agents[] = {
	{ "smtp", ACTION_RELAYED },
	{ "lmtp", ACTION_DELIVERED },
	{ "local", ACTION_DELIVERED },
	{ "virtual", ACTION_DELIVERED },
	{ "pipe", ACTION_DELIVERED },
	{ "discard", ACTION_DELIVERED },
	{ "error", ACTION_FAILED },
	/* RFC 5424 lines lose what is behind the "/": relay= decides */
	{ "postfix", ACTION_NONE },
};

static bool
is_queue_id(struct span s)
{
	if (s.n < QUEUE_ID_MIN || s.n > QUEUE_ID_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z')))
			return false;
	}
	return true;
}

/*
 * An address in angle brackets: to the first ">" outside of quotes.  A quoted
 * local part may hold anything: <"a>, dsn=2.0.0, status=sent ("@x.test>.
 */
static struct span
take_address(struct cur *c)
{
	struct span rest = cur_rest(c);
	bool quoted = false;

	for (size_t i = 0; i < rest.n && i <= ADDRESS_MAX; i++) {
		char ch = rest.p[i];

		if (ch == '\\' && quoted)
			i++;
		else if (ch == '"')
			quoted = !quoted;
		else if (ch == '>' && !quoted) {
			c->p += i + 1;
			return (struct span){ rest.p, i };
		}
	}
	cur_fail(c, "an address without its end");
	return (struct span){ c->p, 0 };
}

/* "mx.x.test[192.0.2.1]:25": the name; the address literal if it has none. */
static struct span
remote_name(struct span relay)
{
	struct span name, rest, address;

	if (span_is(relay, "none") || span_is(relay, "local"))
		return SPAN("");
	if (!span_split(relay, '[', &name, &rest))
		return SPAN(""); /* a pipe or lmtp service's name */
	if (span_split(rest, ']', &address, &rest) && span_eq(name, address))
		return (struct span){ address.p - 1, address.n + 2 };
	return name;
}

/* "sent (250 ok)": the word, and what is in the outer parentheses. */
static bool
take_status(struct cur *c, struct span *word, struct span *text)
{
	struct span rest;

	*word = cur_until(c, ' ', NUMBERS_MAX);
	cur_lit(c, "(");
	rest = cur_rest(c);
	if (c->why == NULL && rest.n > 0 && rest.p[rest.n - 1] == ')')
		rest.n--;
	*text = rest;
	return c->why == NULL;
}

struct delivery {
	struct span relay, dsn, word;
};

/* ADDR>, [orig_to=<ADDR>, ]relay=R, [conn_use=N, ]delay=, delays=, dsn=,
 * status=WORD (TEXT) */
static bool
take_delivery(struct cur *c, struct happening_line *out, struct delivery *d)
{
	out->address = take_address(c);
	if (cur_try(c, ", orig_to=<"))
		out->original = take_address(c);
	cur_lit(c, ", relay=");
	d->relay = cur_until(c, ',', RELAY_MAX);
	if (cur_try(c, " conn_use="))
		cur_until(c, ',', NUMBERS_MAX);
	cur_lit(c, " delay=");
	cur_until(c, ',', NUMBERS_MAX);
	cur_lit(c, " delays=");
	cur_until(c, ',', NUMBERS_MAX);
	cur_lit(c, " dsn=");
	d->dsn = cur_until(c, ',', NUMBERS_MAX);
	cur_lit(c, " status=");
	return take_status(c, &d->word, &out->text);
}

static enum action
sent_action(const struct agent *a, const struct delivery *d,
    const struct happening_line *l)
{
	/* Its way goes on under a new queue id, which nobody follows yet. */
	if (span_starts(l->text, "forwarded as "))
		return ACTION_RELAYED;
	if (a->sent != ACTION_NONE)
		return a->sent;
	return span_find(d->relay, "[") >= 0 ? ACTION_RELAYED
					     : ACTION_DELIVERED;
}

static bool
set_action(
    const struct agent *a, const struct delivery *d, struct happening_line *l)
{
	if (status_parse(d->dsn, &l->status) != MTRK_OK)
		return false;
	if (span_is(d->word, "deferred"))
		l->action = ACTION_DELAYED;
	else if (span_is(d->word, "bounced"))
		l->action = ACTION_FAILED;
	else if (span_is(d->word, "sent"))
		l->action = sent_action(a, d, l);
	else
		return false; /* deliverable, undeliverable: probes */
	if (l->action == ACTION_RELAYED)
		l->status = STATUS(2, 1, 9); /* T22, A20 */
	l->remote_mta = remote_name(d->relay);
	return true;
}

static enum postfix_line
delivery(struct cur *c, const struct agent *a, struct happening_line *out)
{
	struct delivery d;

	if (!cur_try(c, "to=<") || !take_delivery(c, out, &d) ||
	    !set_action(a, &d, out))
		return POSTFIX_NOTHING;
	out->what = HAPPENED_ACTION;
	return POSTFIX_HAPPENED;
}

/* The whole message came to its end: all that still wait have failed. */
static enum postfix_line
all_failed(struct happening_line *out, struct status status, struct span text)
{
	out->what = HAPPENED_TO_ALL;
	out->action = ACTION_FAILED;
	out->status = status;
	out->text = text;
	return POSTFIX_HAPPENED;
}

static enum postfix_line
queue_manager(struct cur *c, struct happening_line *out)
{
	if (span_is(cur_rest(c), "removed")) {
		out->what = HAPPENED_REMOVED;
		return POSTFIX_HAPPENED;
	}
	if (!cur_try(c, "from=<"))
		return POSTFIX_NOTHING;
	take_address(c);
	if (cur_try(c, ", size="))
		return POSTFIX_QUEUED;
	if (cur_try(c, ", status=expired") ||
	    cur_try(c, ", status=force-expired"))
		return all_failed(out, STATUS(4, 4, 7), cur_rest(c));
	return POSTFIX_NOTHING;
}

static enum postfix_line
super(struct cur *c, struct happening_line *out)
{
	if (!span_is(cur_rest(c), "removed"))
		return POSTFIX_NOTHING;
	all_failed(out, STATUS(5, 0, 0),
	    SPAN("deleted from the queue by an administrator"));
	out->what = HAPPENED_DELETED;
	return POSTFIX_HAPPENED;
}

static enum postfix_line
cleanup(struct cur *c, struct happening_line *out)
{
	struct span id;

	if (!cur_try(c, "message-id="))
		return POSTFIX_NOTHING;
	id = cur_rest(c);
	if (id.n == 0)
		return POSTFIX_NOTHING;
	out->what = HAPPENED_MESSAGE_ID;
	out->text = id;
	return POSTFIX_EARLY;
}

static const struct {
	const char *program;
	enum postfix_line (*parse)(struct cur *, struct happening_line *);
} others[] = {
	{ "qmgr", queue_manager },
	{ "cleanup", cleanup },
	{ "postsuper", super },
	{ "postfix", queue_manager }, /* RFC 5424: tried in turn */
	{ "postfix", cleanup },
};

static enum postfix_line
by_program(struct span program, struct span rest, struct happening_line *out)
{
	enum postfix_line found = POSTFIX_NOTHING;

	for (size_t i = 0; i < ARRAY_LEN(agents); i++) {
		struct cur c = cur_of(rest);

		if (found == POSTFIX_NOTHING &&
		    span_is(program, agents[i].program))
			found = delivery(&c, &agents[i], out);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct cur c = cur_of(rest);

		if (found == POSTFIX_NOTHING &&
		    span_is(program, others[i].program))
			found = others[i].parse(&c, out);
	}
	return found;
}

enum postfix_line
postfix_parse(const struct logline *l, struct happening_line *out)
{
	struct span id, rest;

	if (!span_split(l->text, ':', &id, &rest) || !is_queue_id(id) ||
	    rest.n < 2 || rest.p[0] != ' ')
		return POSTFIX_NOTHING;
	*out = (struct happening_line){ .queue_id = id, .time = l->time };
	return by_program(l->program, span_from(rest, 1), out);
}
