/*
 * What the MTA's log says about a queue id, applied to the message that
 * claims it.
 */
#include <stdio.h>

#include "common/store_private.h"

/* The line, and whom it is about. */
struct job {
	struct txn *t;
	const struct happening_line *l;
	struct claim claim;
	struct message *m; /* without events, until load_its_events() */
};

static struct span
at_most(struct span s, size_t n)
{
	return (struct span){ s.p, s.n < n ? s.n : n };
}

static void
add(const struct job *j, struct event e)
{
	e.time = j->l->time;
	e.text = at_most(e.text, EVENT_TEXT_MAX);
	if (e.kind != EVENT_LINK && j->claim.linked)
		e.queue_id = j->l->queue_id;
	add_event(j->t, j->claim.message, &e);
}

static void
add_note(const struct job *j)
{
	add(j,
	    (struct event){ .kind = EVENT_NOTE,
		.recipient = EVENT_ALL,
		.text = j->l->text });
}

/* One became several, or is a list: from here on nobody is told more. */
static void
add_expanded(const struct job *j, uint32_t recipient)
{
	add(j,
	    (struct event){ .kind = EVENT_ACTION,
		.recipient = recipient,
		.action = ACTION_EXPANDED,
		.status = STATUS(2, 0, 0) });
}

static void
add_action(const struct job *j, uint32_t recipient)
{
	const struct happening_line *l = j->l;
	struct event e = { .kind = EVENT_ACTION,
		.recipient = recipient,
		.action = l->action,
		.status = l->status,
		.remote_mta = at_most(l->remote_mta, REMOTE_MAX),
		.text = l->text };

	if (!l->hidden &&
	    (recipient >= j->m->n_recipients ||
		!address_equal(
		    l->address, j->m->recipients[recipient].address, true)))
		e.address = at_most(l->address, ADDRESS_MAX);
	add(j, e);
}

/*
 * Whom does the line mean?  Those of the message by their own address; who
 * was forwarded under this id; whose alias is known to lead there; with one
 * recipient only, he.  Otherwise somebody: when all others have been named,
 * it can only be the one who wasn't.  And who is a recipient himself besides:
 * there is one delivery then, and one line.
 */
static size_t
whom(const struct job *j, uint32_t who[MEMBER_OF_MAX])
{
	const struct happening_line *l = j->l;
	bool named = l->original.n > 0 || !l->member;
	size_t n;

	if (named && message_recipient(j->m, l->original, l->address, who))
		return 1;
	if (j->claim.linked && j->claim.recipient < j->m->n_recipients) {
		who[0] = j->claim.recipient;
		return 1;
	}
	if (!l->member)
		return j->claim.linked
		    ? find_member(j->t, j->claim.message, l->address, who)
		    : 0;
	if (j->m->n_recipients == 1) {
		who[0] = 0;
		return 1;
	}
	n = find_member(j->t, j->claim.message, l->address, who);
	if (n == 0)
		who[n++] = EVENT_SOMEONE;
	if (n < MEMBER_OF_MAX &&
	    message_recipient(j->m, SPAN(""), l->address, &who[n]))
		n++;
	return n;
}

/* Has anything befallen anybody under this queue id? */
static bool
was_told(const struct job *j)
{
	struct span id = j->claim.linked ? j->l->queue_id : SPAN("");
	bool told = false;

	if (load_its_events(j->t, j->m))
		for (size_t i = 0; i < j->m->n_events && !told; i++)
			told = j->m->events[i].kind == EVENT_ACTION &&
			    span_eq(j->m->events[i].queue_id, id);
	return told;
}

/*
 * Whom Sendmail's bounce of a message can't reach, and the aliases on its way
 * to the sender and postmaster, are logged under the message's own queue id,
 * and look like members of its recipients.  But these come before anything
 * else befalls anybody, and each alias after the one that led there.
 */
static bool
of_its_bounce(const struct job *j)
{
	const struct happening_line *l = j->l;
	bool alias = l->what == HAPPENED_ALIAS || l->what == HAPPENED_EXPANDED;
	struct span named = l->original.n > 0 ? l->original : l->address;
	uint32_t who[MEMBER_OF_MAX];

	if (!alias && !l->untried)
		return false;
	if (l->original.n > 0 || !l->member)
		return address_equal(named, j->m->sender, true) &&
		    !message_recipient(j->m, l->original, l->address, who);
	return find_member(j->t, j->claim.message, l->address, who) == 0 &&
	    (alias || was_told(j));
}

/* The first of a list's members that is known says whose list it was. */
static void
list_of(struct job *j, uint32_t recipient)
{
	if (!j->claim.list || j->claim.recipient < j->m->n_recipients)
		return;
	j->claim.recipient = recipient;
	put_link(j->t, j->l->instance, j->l->queue_id, &j->claim);
	add_expanded(j, recipient);
}

static bool
each_recipient(struct job *j, void (*act)(struct job *, uint32_t recipient))
{
	uint32_t who[MEMBER_OF_MAX];
	size_t n;

	if (of_its_bounce(j))
		return true;
	n = whom(j, who);
	if (n == 0)
		store_count(j->t, "recipient-unknown", 1);
	for (size_t i = 0; i < n; i++)
		act(j, who[i]);
	return n > 0;
}

static void
do_action(struct job *j, uint32_t recipient)
{
	if (recipient < j->m->n_recipients)
		list_of(j, recipient);
	add_action(j, recipient);
}

static bool
happened_action(struct job *j)
{
	return each_recipient(j, do_action);
}

static bool
happened_to_all(struct job *j)
{
	add(j,
	    (struct event){ .kind = EVENT_ACTION,
		.recipient = EVENT_ALL,
		.action = j->l->action,
		.status = j->l->status,
		.text = j->l->text });
	return true;
}

/* Sendmail tells of some failures without a name: a bounce, and no to= line
 * before it.  It counts if it can be only one. */
static bool
happened_one_failed(struct job *j)
{
	struct disposition d;
	uint32_t who = 0, waiting = 0;
	bool failed = false;

	if (!load_its_events(j->t, j->m))
		return false;
	for (uint32_t i = 0; i < j->m->n_recipients; i++) {
		disposition_of(j->m, i, 0, &d);
		failed |= d.action == ACTION_FAILED;
		if (action_is_end(d.action) && d.action != ACTION_OPAQUE)
			continue;
		waiting++;
		who = i;
	}
	for (size_t i = 0; i < j->m->n_events; i++)
		failed |= j->m->events[i].action == ACTION_FAILED;
	if (!failed && waiting > 0)
		add(j,
		    (struct event){ .kind = EVENT_ACTION,
			.recipient = waiting == 1 ? who : EVENT_SOMEONE,
			.action = ACTION_FAILED,
			.status = j->l->status,
			.text = j->l->text });
	return true;
}

/* Its copies under other queue ids have the same. */
static bool
happened_message_id(struct job *j)
{
	if (!j->claim.linked)
		add(j,
		    (struct event){ .kind = EVENT_MESSAGE_ID,
			.recipient = EVENT_ALL,
			.text = j->l->text });
	return true;
}

/* A list with an owner sends in the owner's name (S31, T25), an alias to
 * several, if by a queue id of its own, to several (S30). */
static bool
happened_from(struct job *j)
{
	if (j->claim.linked && !j->claim.list &&
	    j->claim.recipient < j->m->n_recipients &&
	    (j->l->several ||
		!address_equal(j->l->address, j->m->sender, true))) {
		j->claim.list = true;
		put_link(j->t, j->l->instance, j->l->queue_id, &j->claim);
		add_expanded(j, j->claim.recipient);
	}
	return true;
}

/* A milter in front of ours may have refused him: ours never saw him then. */
static bool
happened_refused(struct job *j)
{
	const struct happening_line *l = j->l;
	uint32_t who;

	if (!j->claim.linked &&
	    message_recipient(j->m, l->original, l->address, &who))
		add_action(j, who);
	return true;
}

static bool
happened_note(struct job *j)
{
	add_note(j);
	return true;
}

static void
do_alias(struct job *j, uint32_t recipient)
{
	if (recipient < j->m->n_recipients)
		add_member(j->t, j->claim.message, j->l->next, recipient);
}

static bool
happened_alias(struct job *j)
{
	return each_recipient(j, do_alias);
}

static void
do_expanded(struct job *j, uint32_t recipient)
{
	add_expanded(j, recipient);
}

static bool
happened_expanded(struct job *j)
{
	return each_recipient(j, do_expanded);
}

static void
free_id(const struct job *j)
{
	free_claim(j->t, j->l->instance, j->l->queue_id, j->claim.message);
}

/* The link, and its event: by that a purge finds it again. */
static struct span
next_instance(const struct happening_line *l)
{
	return l->next_instance.n > 0 ? l->next_instance : l->instance;
}

static void
add_link(const struct job *j, uint32_t of_event, uint32_t of_claim, bool list)
{
	const struct claim c = { .message = j->claim.message,
		.recipient = of_claim,
		.list = list,
		.since = j->l->time };

	add(j,
	    (struct event){ .kind = EVENT_LINK,
		.recipient = of_event,
		.queue_id = j->l->next,
		.text = j->l->text });
	put_link(j->t, next_instance(j->l), j->l->next, &c);
}

/* Under the id that a next hop told, an address that an alias led to may be all
 * that is known of him: whoever takes it back expands no alias again. */
static void
do_forward(struct job *j, uint32_t recipient)
{
	const struct happening_line *l = j->l;
	bool certain = l->what == HAPPENED_FORWARDED;

	if (!certain && !l->member && recipient < j->m->n_recipients &&
	    l->original.n > 0)
		add_member(j->t, j->claim.message, l->address, recipient);
	add_link(j, recipient, certain ? recipient : EVENT_ALL, false);
}

static bool
happened_forwarded(struct job *j)
{
	return each_recipient(j, do_forward);
}

static bool
happened_requeued(struct job *j)
{
	add_link(j, EVENT_ALL, EVENT_ALL, j->claim.list);
	free_id(j);
	return true;
}

static bool
happened_split(struct job *j)
{
	add_link(j, EVENT_SOMEONE,
	    j->claim.linked ? j->claim.recipient : EVENT_ALL, j->claim.list);
	return true;
}

static bool
happened_cloned(struct job *j)
{
	uint32_t who = j->m->n_recipients == 1 ? 0 : EVENT_SOMEONE;

	if (j->claim.linked && j->claim.recipient < j->m->n_recipients)
		who = j->claim.recipient;
	add_link(j, EVENT_SOMEONE, who, true);
	add_expanded(j, who);
	return true;
}

/*
 * One whom the log has not told of, and who is under no other id: taken out by
 * another milter, thrown away by a ruleset, the same mailbox as another,
 * given up with NOTIFY=NEVER, or his line was lost.
 */
static bool
happened_removed(struct job *j)
{
	if (load_its_events(j->t, j->m) &&
	    message_waits_under(
		j->m, j->claim.linked ? j->l->queue_id : SPAN("")))
		add(j,
		    (struct event){ .kind = EVENT_ACTION,
			.recipient = EVENT_ALL,
			.action = ACTION_OPAQUE,
			.status = STATUS(2, 0, 0), /* A21 */
			.text = SPAN("left the queue, and the log does not "
				     "say how") });
	free_id(j);
	return true;
}

static bool
happened_deleted(struct job *j)
{
	happened_to_all(j);
	free_id(j);
	return true;
}

static bool (*const acts[])(struct job *) = {
	[HAPPENED_ACTION] = happened_action,
	[HAPPENED_TO_ALL] = happened_to_all,
	[HAPPENED_ONE_FAILED] = happened_one_failed,
	[HAPPENED_MESSAGE_ID] = happened_message_id,
	[HAPPENED_FROM] = happened_from,
	[HAPPENED_NOTE] = happened_note,
	[HAPPENED_REFUSED] = happened_refused,
	[HAPPENED_ALIAS] = happened_alias,
	[HAPPENED_EXPANDED] = happened_expanded,
	[HAPPENED_FORWARDED] = happened_forwarded,
	[HAPPENED_REINJECTED] = happened_forwarded,
	[HAPPENED_REQUEUED] = happened_requeued,
	[HAPPENED_SPLIT] = happened_split,
	[HAPPENED_CLONED] = happened_cloned,
	[HAPPENED_REMOVED] = happened_removed,
	[HAPPENED_DELETED] = happened_deleted,
};

int
store_happened(struct txn *t, const struct happening_line *l)
{
	struct message m;
	struct job j = { .t = t, .l = l, .m = &m };
	int done = 0;

	if (l->next.n <= QUEUE_ID_LEN_MAX || l->what == HAPPENED_ALIAS)
		done = !find_claim(
			   t, l->instance, l->queue_id, l->time, &j.claim, &m)
		    ? 0
		    : acts[l->what](&j) ? 1
					: -1;
	else
		return -1;
	message_free(&m);
	return t->err == MTRK_OK ? done : -1;
}

static bool
same_message_id(struct txn *t, struct message *m, struct span id)
{
	return id.n > 0 && load_its_events(t, m) &&
	    span_eq(at_most(id, EVENT_TEXT_MAX), m->message_id);
}

bool
store_goes_on(struct txn *t, const struct happening_line *l,
    struct span message_id_of_next)
{
	struct message m, other;
	struct claim c, next;
	bool on;

	if (l->next.n > QUEUE_ID_LEN_MAX || span_eq(l->next, l->queue_id) ||
	    (message_id_of_next.n == 0 &&
		!store_knows(t, next_instance(l), l->next)) ||
	    !find_claim(t, l->instance, l->queue_id, l->time, &c, &m))
		return false;
	if (find_claim(t, next_instance(l), l->next, l->time, &next, &other))
		on = next.linked && next.message == c.message;
	else
		on = same_message_id(t, &m, message_id_of_next);
	message_free(&m);
	message_free(&other);
	return on;
}
