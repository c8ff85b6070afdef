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
	TLS_MAX = 512, /* a few features' names; ours */
};

/* Letters and digits; "warning", "Deleted" and "NOQUEUE" stand there too. */
static bool
is_queue_id(struct span s)
{
	bool word = true;

	if (s.n < QUEUE_ID_MIN || s.n > QUEUE_ID_MAX || span_is(s, "NOQUEUE"))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool letter = (unsigned)(c | 0x20) - 'a' < 26;

		if (!letter && (unsigned)c - '0' >= 10)
			return false;
		word = word && ((letter && (c & 0x20) != 0) || i == 0);
	}
	return !word;
}

/* "mx.x.test[192.0.2.1]:25": the name, or the address literal if it has none;
 * and the address. */
static void
set_remote(struct happening_line *l, struct span relay)
{
	struct span name, rest, address;

	/* "none", "local", a pipe or lmtp service's name */
	if (!span_split(relay, '[', &name, &rest) ||
	    !span_split(rest, ']', &address, &rest))
		return;
	l->remote_address = address;
	l->remote_mta = span_eq(name, address)
	    ? (struct span){ address.p - 1, address.n + 2 }
	    : name;
}

struct delivery {
	struct span relay, dsn, word;
	bool cut; /* by whoever wrote the log */
};

/* "sent (250 ok)": the word, and what is in the outer parentheses. */
static bool
take_status(struct cur *c, struct delivery *d, struct span *text)
{
	d->word = cur_until(c, ' ', NUMBERS_MAX);
	cur_lit(c, "(");
	*text = cur_rest(c);
	d->cut = !span_ends(*text, ")");
	text->n -= !d->cut;
	return c->why == NULL;
}

/* ADDR>, [orig_to=<ADDR>, ]relay=R, [conn_use=N, ]delay=, delays=, [tls=, ]
 * dsn=, status=WORD (TEXT); tls= from 3.11 on */
static bool
take_delivery(struct cur *c, struct happening_line *out, struct delivery *d)
{
	out->address = said_address(c);
	if (cur_try(c, ", orig_to=<"))
		out->original = said_address(c);
	cur_lit(c, ", relay=");
	d->relay = cur_until(c, ',', RELAY_MAX);
	if (cur_try(c, " conn_use="))
		cur_until(c, ',', NUMBERS_MAX);
	cur_lit(c, " delay=");
	cur_until(c, ',', NUMBERS_MAX);
	cur_lit(c, " delays=");
	cur_until(c, ',', NUMBERS_MAX);
	if (cur_try(c, " tls="))
		cur_until(c, ',', TLS_MAX);
	cur_lit(c, " dsn=");
	d->dsn = cur_until(c, ',', NUMBERS_MAX);
	cur_lit(c, " status=");
	return take_status(c, d, &out->text);
}

/* It goes on under another queue id: local(8) tells of one that it made, a
 * remote of one that it says it made. */
static bool
goes_on(const struct delivery *d, struct happening_line *l, bool local)
{
	struct span id = l->text;

	l->what = HAPPENED_REINJECTED;
	if (local && span_starts(id, "forwarded as ")) {
		id = span_from(id, sizeof "forwarded as " - 1);
		l->what = HAPPENED_FORWARDED;
	} else if (span_find(d->relay, "[") >= 0) {
		id = said_queued_as(id);
	} else {
		return false;
	}
	l->next = id;
	return is_queue_id(id);
}

static enum said
sent(enum action how, const struct delivery *d, struct happening_line *l)
{
	bool local = span_is(d->relay, "local");

	if (local && d->cut) /* delivered, or forwarded to whom? */
		return SAID_UNKNOWN;
	if (how == ACTION_NONE)
		how = span_find(d->relay, "[") >= 0 ? ACTION_RELAYED
						    : ACTION_DELIVERED;
	l->action = how;
	if (how == ACTION_DELIVERED)
		l->service = d->relay;
	if (how == ACTION_RELAYED)
		l->status = STATUS(2, 1, 9); /* T22, A20 */
	if (!goes_on(d, l, local)) {
		l->what = HAPPENED_ACTION;
		l->next = SPAN("");
	}
	return SAID_HAPPENED;
}

static enum said
delivery(struct cur *c, struct happening_line *l, enum action how)
{
	static const struct {
		const char *word;
		enum action action;
	} words[] = {
		{ "deferred", ACTION_DELAYED },
		{ "SOFTBOUNCE", ACTION_DELAYED },
		{ "bounced", ACTION_FAILED },
	};
	struct delivery d;

	if (!take_delivery(c, l, &d) ||
	    status_parse(d.dsn, &l->status) != MTRK_OK)
		return SAID_UNKNOWN;
	l->logged = l->status;
	l->what = HAPPENED_ACTION;
	set_remote(l, d.relay);
	if (span_is(d.word, "sent"))
		return sent(how, &d, l);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (span_is(d.word, words[i].word)) {
			l->action = words[i].action;
			return SAID_HAPPENED;
		}
	/* probes */
	return span_is(d.word, "deliverable") ||
		span_is(d.word, "undeliverable")
	    ? SAID_KNOWN
	    : SAID_UNKNOWN;
}

/* ADDR>, size=N, nrcpt=N (queue active)
 * ADDR>, status=expired, returned to sender */
static enum said
from(struct cur *c, struct happening_line *l)
{
	uint64_t n;

	l->address = said_address(c);
	if (cur_try(c, ", size=")) {
		l->what = HAPPENED_FROM;
		cur_until(c, ',', NUMBERS_MAX);
		l->several = cur_try(c, " nrcpt=") &&
		    span_number(cur_until(c, ' ', NUMBERS_MAX), 1u << 30, &n) &&
		    n > 1;
		return SAID_HAPPENED;
	}
	if (cur_try(c, ", status=expired") ||
	    cur_try(c, ", status=force-expired"))
		return said_all_failed(l, STATUS(4, 4, 7), cur_rest(c));
	return SAID_UNKNOWN;
}

static enum said
removed(struct cur *c, struct happening_line *l)
{
	if (cur_rest(c).n > 0)
		return SAID_UNKNOWN;
	l->what = HAPPENED_REMOVED;
	return SAID_HAPPENED;
}

static enum said
deleted(struct cur *c, struct happening_line *l)
{
	if (cur_rest(c).n > 0)
		return SAID_UNKNOWN;
	said_all_failed(l, STATUS(5, 0, 0),
	    SPAN("deleted from the queue by an administrator"));
	l->what = HAPPENED_DELETED;
	return SAID_HAPPENED;
}

static enum said
note(struct happening_line *l, struct span text)
{
	l->what = HAPPENED_NOTE;
	l->text = text;
	return SAID_HAPPENED;
}

static enum said
held(struct cur *c, struct happening_line *l)
{
	(void)c;
	return note(l, SPAN("held"));
}

static enum said
released(struct cur *c, struct happening_line *l)
{
	(void)c;
	return note(l, SPAN("released from hold"));
}

static enum said
force_expired(struct cur *c, struct happening_line *l)
{
	return cur_rest(c).n == 0 ? note(l, SPAN("expired by an administrator"))
				  : SAID_UNKNOWN;
}

/* uid=N from=<ADDR>[ orig_id=ID]: a requeued message is picked up anew. */
static enum said
picked_up(struct cur *c, struct happening_line *l)
{
	cur_until(c, ' ', NUMBERS_MAX);
	if (!cur_lit(c, "from=<"))
		return SAID_UNKNOWN;
	said_address(c);
	if (!cur_try(c, " orig_id=") || !is_queue_id(cur_rest(c)))
		return SAID_KNOWN;
	l->what = HAPPENED_REQUEUED;
	l->next = l->queue_id;
	l->queue_id = cur_rest(c);
	l->text = SPAN("requeued");
	return SAID_HAPPENED;
}

static enum said
message_id(struct cur *c, struct happening_line *l)
{
	l->what = HAPPENED_MESSAGE_ID;
	l->text = cur_rest(c);
	return l->text.n > 0 ? SAID_HAPPENED : SAID_KNOWN;
}

/*
 * "RCPT from NAME[ADDR]: 550 5.7.1 words; from=<A> to=<B> proto=...": a milter
 * behind ours refuses one of whom ours has been told.
 */
static enum said
refuses_one(struct cur *c, struct happening_line *l)
{
	struct span words;
	int at;

	if (!cur_try(c, "RCPT from ") || !cur_skip_to(c, "]: "))
		return SAID_KNOWN;
	words = cur_rest(c);
	if ((at = span_find(words, "; from=<")) < 0)
		return SAID_KNOWN;
	*c = cur_of(span_from(words, (size_t)at + strlen("; from=<")));
	said_address(c);
	cur_lit(c, " to=<");
	l->address = said_address(c);
	words.n = (size_t)at;
	return c->why == NULL ? said_refused(l, words) : SAID_KNOWN;
}

/*
 * "END-OF-MESSAGE from NAME[ADDR]: 5.7.1 words; from=...": the whole message
 * is refused, after our milter has seen it whole.  Of what came before any
 * recipient no record was made.
 */
static enum said
milter_rejects(struct cur *c, struct happening_line *l)
{
	struct status status = STATUS(5, 7, 1), said;
	struct span stage = cur_rest(c), code, rest;

	if (span_starts(stage, "RCPT")) /* smtpd's, if its name was lost */
		return refuses_one(c, l);
	if (span_starts(stage, "MAIL"))
		return SAID_KNOWN;
	if (cur_skip_to(c, "]: ")) {
		span_split(cur_rest(c), ' ', &code, &rest);
		if (status_parse(code, &said) == MTRK_OK && said.klass != 2)
			status = said;
	}
	return said_all_failed(l, status, cur_rest(c));
}

static enum said
cleanup_rejects(struct cur *c, struct happening_line *l)
{
	return said_all_failed(l, STATUS(5, 7, 1), cur_rest(c));
}

static enum said
remote_agent(struct cur *c, struct happening_line *l)
{
	return delivery(c, l, ACTION_RELAYED);
}

static enum said
final_agent(struct cur *c, struct happening_line *l)
{
	return delivery(c, l, ACTION_DELIVERED);
}

/* RFC 5424 lines lose what is behind the "/": relay= decides */
static enum said
some_agent(struct cur *c, struct happening_line *l)
{
	return delivery(c, l, ACTION_NONE);
}

/* Which program tells what, and what "sent" means: design.md 4.  The first
 * row that fits counts; "" is for lines that lost their program. */
static const struct said_row rows[] = {
	{ "smtp", "to=<", remote_agent },
	{ "lmtp", "to=<", final_agent },
	{ "local", "to=<", final_agent },
	{ "virtual", "to=<", final_agent },
	{ "pipe", "to=<", final_agent },
	{ "discard", "to=<", final_agent },
	{ "error", "to=<", final_agent },
	{ "", "to=<", some_agent },
	{ "qmgr", "from=<", from },
	{ "qmgr", "removed", removed },
	{ "postsuper", "removed", deleted },
	{ "postsuper", "placed on hold", held },
	{ "postsuper", "released from hold", released },
	{ "postsuper", "expired", force_expired },
	{ "postsuper", "requeued", NULL }, /* pickup tells the new id */
	{ "cleanup", "message-id=", message_id },
	{ "cleanup", "milter-reject: ", milter_rejects },
	{ "cleanup", "milter-discard: ", milter_rejects },
	{ "cleanup", "milter-hold: ", held },
	{ "cleanup", "reject: ", cleanup_rejects },
	{ "cleanup", "discard: ", cleanup_rejects },
	{ "cleanup", "hold: ", held },
	{ "pickup", "uid=", picked_up },
	/* what changes nothing */
	{ "qmgr", "skipped, ", NULL },
	{ "smtpd", "client=", NULL },
	{ "smtpd", "reject: ", NULL },
	{ "smtpd", "milter-reject: ", refuses_one },
	{ "smtpd", "reject_warning: ", NULL },
	{ "smtpd", "warn: ", NULL },
	{ "smtpd", "info: ", NULL },
	{ "smtpd", "filter: ", NULL },
	{ "smtpd", "hold: ", NULL },
	{ "smtpd", "discard: ", NULL },
	{ "smtpd", "redirect: ", NULL },
	{ "smtpd", "bcc: ", NULL },
	{ "smtpd", "prepend: ", NULL },
	{ "smtpd", "proxy-accept: ", NULL },
	{ "smtpd", "proxy-reject: ", NULL },
	{ "cleanup", "resent-message-id=", NULL },
	{ "cleanup", "warning: ", NULL },
	{ "cleanup", "info: ", NULL },
	{ "cleanup", "filter: ", NULL },
	{ "cleanup", "redirect: ", NULL },
	{ "cleanup", "replace: ", NULL },
	{ "cleanup", "prepend: ", NULL },
	{ "cleanup", "strip: ", NULL },
	{ "cleanup", "bcc: ", NULL },
	{ "cleanup", "delay: ", NULL },
	{ "bounce", "sender non-delivery notification: ", NULL },
	{ "bounce", "sender notification failed to ", NULL },
	{ "bounce", "sender delivery status notification: ", NULL },
	{ "bounce", "sender delay notification: ", NULL },
	{ "bounce", "postmaster non-delivery notification: ", NULL },
	{ "bounce", "postmaster delay notification: ", NULL },
	{ "smtp", "host ", NULL },
	{ "smtp", "lost connection with ", NULL },
	{ "smtp", "conversation with ", NULL },
	{ "smtp", "enabling PIX workarounds", NULL },
	{ "smtp", "Cannot start TLS", NULL },
	{ "smtp", "TLS is required", NULL },
	{ "smtp", "SASL authentication failed", NULL },
	{ "smtp", "breaking line ", NULL },
	{ "smtp", "server dropped ", NULL },
	{ "smtp", "Server certificate ", NULL },
	{ "lmtp", "host ", NULL },
	{ "lmtp", "lost connection with ", NULL },
	{ "lmtp", "conversation with ", NULL },
};

/* Without "/" the program was lost (RFC 5424), and any row may fit. */
static bool
fits(const struct said_row *r, const struct logline *l)
{
	if (span_eq(l->name, l->program))
		return r->program[0] == '\0' || r->begins[0] != 't';
	return span_is(l->program, r->program);
}

static enum said
by_row(const struct logline *l, struct span rest, struct happening_line *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cur c = cur_of(rest);

		if (fits(&rows[i], l) && cur_try(&c, rows[i].begins))
			return rows[i].parse != NULL ? rows[i].parse(&c, out)
						     : SAID_KNOWN;
	}
	return SAID_UNKNOWN;
}

static bool
split_id(const struct logline *l, struct span *id, struct span *rest)
{
	if (!span_split(l->text, ':', id, rest) || !is_queue_id(*id) ||
	    rest->n < 2 || rest->p[0] != ' ')
		return false;
	*rest = span_from(*rest, 1);
	return true;
}

bool
postfix_queue_id(const struct logline *l, struct span *id)
{
	struct happening_line requeued;
	struct span rest;
	struct cur c;

	if (!split_id(l, id, &rest))
		return false;
	if (span_starts(rest, "uid=") && span_is(l->program, "pickup")) {
		c = cur_of(rest);
		requeued = (struct happening_line){ .queue_id = *id };
		if (picked_up(&c, &requeued) == SAID_HAPPENED)
			*id = requeued.queue_id;
	}
	return true;
}

enum said
postfix_parse(const struct logline *l, struct happening_line *out)
{
	struct span id, rest;

	if (!split_id(l, &id, &rest))
		return SAID_NOTHING;
	*out = (struct happening_line){ .queue_id = id, .time = l->time };
	return by_row(l, rest, out);
}
