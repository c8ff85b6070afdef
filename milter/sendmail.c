#include "milter/sendmail.h"

#include <string.h>

#include "milter/sendmail_to.h"

enum {
	ID_MIN = 12, /* 8.12 and later: 8 characters and a pid */
	ID_MAX = 20,
	ID_DIGITS = 5, /* at its end, at least */
	FIELD_MAX = 512,
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_queue_id(struct span s)
{
	if (s.n < ID_MIN || s.n > ID_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]) &&
		    (i + ID_DIGITS >= s.n ||
			!((s.p[i] >= 'A' && s.p[i] <= 'Z') ||
			    (s.p[i] >= 'a' && s.p[i] <= 'z'))))
			return false;
	return true;
}

static bool
split_id(struct span text, struct span *id, unsigned *part, struct span *rest)
{
	struct span number, none;
	uint64_t n = 0;

	*part = 0;
	if (!span_split(text, ':', id, rest) || rest->n < 2 ||
	    rest->p[0] != ' ')
		return false;
	*rest = span_from(*rest, 1);
	if (id->p[id->n - (id->n > 0)] == ']' &&
	    span_split(*id, '[', id, &number) &&
	    span_split(number, ']', &number, &none) &&
	    span_number(number, 999, &n))
		*part = (unsigned)n;
	return is_queue_id(*id);
}

bool
sendmail_queue_id(const struct logline *l, struct span *id, unsigned *part)
{
	struct span rest;

	return split_id(l->text, id, part, &rest);
}

struct span
sendmail_piece(const struct logline *l, bool *more)
{
	struct span id, rest = SPAN("");
	unsigned part;

	split_id(l->text, &id, &part, &rest);
	*more = span_ends(rest, " ...");
	if (*more)
		rest.n -= strlen(" ...");
	return rest;
}

/* from=<ADDR>, size=N, ..., msgid=<ID>, ... */
static enum said
accepted(struct cur *c, struct happening_line *l)
{
	struct span rest;
	int at;

	said_address(c);
	if (!cur_try(c, ", size="))
		return SAID_UNKNOWN;
	rest = cur_rest(c);
	if ((at = span_find(rest, ", msgid=")) < 0)
		return SAID_KNOWN;
	rest = span_from(rest, (size_t)at + strlen(", msgid="));
	if ((at = span_find(rest, ", bodytype=")) < 0 &&
	    (at = span_find(rest, ", proto=")) < 0 &&
	    (at = span_find(rest, ", relay=")) < 0)
		at = (int)rest.n;
	l->what = HAPPENED_MESSAGE_ID;
	l->text = (struct span){ rest.p, (size_t)at };
	return l->text.n > 0 ? SAID_HAPPENED : SAID_KNOWN;
}

/* "A => M, N": A leads to M and N; a long list is cut in its middle. */
static enum said
alias(struct cur *c, struct happening_line *l)
{
	struct span list;
	struct cur one;

	sendmail_one(c, l);
	l->hidden = false;
	if (!cur_try(c, " => ")) {
		/* a member ends at a comma; here at the arrow */
		int at = span_find(l->address, " => ");

		if (!l->member || at < 0)
			return SAID_UNKNOWN;
		c->p = l->address.p + at + strlen(" => ");
		l->address.n = (size_t)at;
	}
	list = cur_rest(c);
	one = *c;
	sendmail_member(&one);
	l->what = HAPPENED_ALIAS;
	l->more = list;
	if (one.p < one.end || span_find(list, "...") >= 0 ||
	    span_find(list, ":include:") >= 0)
		l->what = HAPPENED_EXPANDED;
	else
		sendmail_next(l);
	return SAID_HAPPENED;
}

/* maxrcpts=N, rcpts=N, count=N, id=ID | ids=ID; ID */
static enum said
split(struct cur *c, struct happening_line *l)
{
	struct span none;

	if (!cur_skip_to(c, ", count="))
		return SAID_UNKNOWN;
	none = cur_until(c, ',', FIELD_MAX);
	(void)none;
	if (!cur_try(c, " ids=") && !cur_try(c, " id="))
		return SAID_UNKNOWN;
	l->what = HAPPENED_SPLIT;
	l->more = cur_rest(c);
	l->text = SPAN("split");
	return sendmail_next(l) ? SAID_HAPPENED : SAID_UNKNOWN;
}

static enum said
done(struct cur *c, struct happening_line *l)
{
	(void)c;
	l->what = HAPPENED_REMOVED;
	return SAID_HAPPENED;
}

static enum said
discarded(struct cur *c, struct happening_line *l)
{
	return cur_rest(c).n == 0
	    ? said_all_failed(l, STATUS(5, 7, 1), SPAN("discarded"))
	    : SAID_UNKNOWN;
}

/* <ADDR>, reject=550 5.7.1 words: a milter behind ours refuses one of whom ours
 * has been told. */
static enum said
refused(struct cur *c, struct happening_line *l)
{
	l->address = said_address(c);
	if (!cur_try(c, ", reject=") || c->why != NULL)
		return SAID_KNOWN;
	return said_refused(l, cur_rest(c));
}

static enum said
released(struct cur *c, struct happening_line *l)
{
	(void)c;
	l->what = HAPPENED_NOTE;
	l->text = SPAN("released from quarantine");
	return SAID_HAPPENED;
}

static const struct said_row rows[] = {
	{ "", "to=", sendmail_delivery },
	{ "", "from=<", accepted },
	{ "", "alias ", alias },
	{ "", "forward ", alias },
	{ "", "split: maxrcpts=", split },
	{ "", "done; delay=", done },
	{ "", "discarded", discarded },
	{ "", "unquarantine", released },
	/* what changes nothing */
	{ "", "<", NULL }, /* ADDR... words to the client */
	{ "", "\"", NULL },
	{ "", "ruleset=", NULL },
	{ "", "Milter: to=<", refused },
	{ "", "Milter", NULL },
	{ "", "milter=", NULL },
	{ "", "SMTP outgoing connect on ", NULL },
	{ "", "collect: ", NULL },
	{ "", "lost input channel ", NULL },
	{ "", "timeout waiting for input ", NULL },
	{ "", "timeout writing message ", NULL },
	{ "", "STARTTLS=", NULL },
	{ "", "AUTH", NULL },
	{ "", "tls_", NULL },
	{ "", "SYSERR(", NULL },
	{ "", "Losing ", NULL },
	{ "", "makeconnection ", NULL },
	{ "", "locked", NULL },
	{ "", "return-receipt", NULL },
	{ "", "clone ", NULL },
	{ "", "quarantine=", NULL },
};

/* "NEWID: clone: owner=ADDR": nothing follows the owner.  A stranger's
 * address that begins so is followed by "... ", what was wrong with it. */
static enum said
cloned(struct span id, struct cur *c, struct happening_line *l)
{
	if (span_find(cur_rest(c), " ") >= 0)
		return SAID_KNOWN;
	l->what = HAPPENED_CLONED;
	l->next = id;
	l->text = SPAN("list");
	return SAID_HAPPENED;
}

/* "NEWID: WHAT: words": another message was made because of this one. */
static enum said
another_message(struct span rest, struct happening_line *l)
{
	static const char *const bounces[] = { "DSN: ", "sender notify: ",
		"postmaster notify: ", "return to sender: " };
	struct span id, words;
	bool may_warn;
	struct cur c;
	unsigned part;

	if (!split_id(rest, &id, &part, &words))
		return SAID_UNKNOWN;
	c = cur_of(words);
	/* a warning to a sender unknown here says just that */
	may_warn = span_starts(words, "sender notify: ");
	if (cur_try(&c, "clone: owner="))
		return cloned(id, &c, l);
	for (size_t i = 0; i < ARRAY_LEN(bounces); i++) {
		if (!cur_try(&c, bounces[i]))
			continue;
		words = cur_rest(&c);
		if (span_starts(words, "Return receipt") ||
		    span_starts(words, "Warning: "))
			return SAID_KNOWN;
		said_all_failed(l, STATUS(4, 4, 7), words);
		if (!span_starts(words, "Cannot send message for ")) {
			if (may_warn)
				return SAID_KNOWN;
			l->what = HAPPENED_ONE_FAILED;
			l->status = STATUS(5, 0, 0);
		}
		return SAID_HAPPENED;
	}
	return SAID_UNKNOWN;
}

enum said
sendmail_parse(const struct logline *l, struct happening_line *out)
{
	struct span id, rest;
	unsigned part;

	if (!split_id(l->text, &id, &part, &rest))
		return SAID_NOTHING;
	*out = (struct happening_line){ .queue_id = id, .time = l->time };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cur c = cur_of(rest);

		if (cur_try(&c, rows[i].begins))
			return rows[i].parse != NULL ? rows[i].parse(&c, out)
						     : SAID_KNOWN;
	}
	return another_message(rest, out);
}

static bool
next_member(struct happening_line *l)
{
	struct cur c = cur_of(l->more);

	while (cur_try(&c, ",") || cur_try(&c, " "))
		;
	l->next = sendmail_plain(sendmail_member(&c));
	l->more = cur_rest(&c);
	l->what = HAPPENED_ALIAS;
	return l->next.n > 0;
}

static bool
next_id(struct happening_line *l)
{
	struct span rest;

	span_split(l->more, ';', &l->next, &rest);
	l->more = rest;
	l->next = span_trim(l->next);
	return is_queue_id(l->next);
}

bool
sendmail_next(struct happening_line *l)
{
	switch (l->what) {
	case HAPPENED_ACTION:
	case HAPPENED_REINJECTED:
		return sendmail_next_address(l);
	case HAPPENED_ALIAS:
	case HAPPENED_EXPANDED:
		return next_member(l);
	case HAPPENED_SPLIT:
		return next_id(l);
	default:
		return false;
	}
}
