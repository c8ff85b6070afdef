/*
 * Strangers' words are in to=, ctladdr=, relay= (a local user's +detail),
 * reply= and stat=.  Addresses are read as addresses; fields come in their
 * order, each at its place; behind reply= or stat= nothing is read but kept:
 * whether it was a failure is told by dsn=, which stands before.
 */
#include "milter/sendmail_to.h"

#include <string.h>

enum { FIELD_MAX = 512 };

/* An alias's member as written: up to a comma outside of quotes. */
struct span
sendmail_member(struct cur *c)
{
	struct span rest = cur_rest(c);
	bool quoted = false;
	size_t n = 0;

	for (; n < rest.n && n <= ADDRESS_MAX; n++) {
		if (rest.p[n] == '"')
			quoted = !quoted;
		else if (rest.p[n] == '\\' && quoted)
			n++;
		else if (rest.p[n] == ',' && !quoted)
			break;
	}
	if (n > rest.n || n > ADDRESS_MAX)
		n = rest.n;
	c->p += n;
	return (struct span){ rest.p, n };
}

/* "\\joe": joe himself, with no more aliasing; logged with one more. */
struct span
sendmail_plain(struct span s)
{
	while (s.n > 1 && s.p[0] == '\\')
		s = span_from(s, 1);
	return span_trim(s);
}

static bool
is_program_or_file(struct span s)
{
	if (s.n > 0 && s.p[0] == '"')
		s = span_from(s, 1);
	return s.n > 0 && (s.p[0] == '|' || s.p[0] == '/');
}

/* <ADDR>, as the client wrote it, or a member of an alias. */
void
sendmail_one(struct cur *c, struct happening_line *l)
{
	l->member = !cur_try(c, "<");
	l->address =
	    l->member ? sendmail_plain(sendmail_member(c)) : said_address(c);
	l->hidden = l->member && is_program_or_file(l->address);
}

/* A blank follows the comma behind the last address, and none another. */
static bool
another(struct cur *c)
{
	struct cur ahead = *c;

	if (!cur_try(&ahead, ",") || cur_try(&ahead, " ") ||
	    ahead.p == ahead.end)
		return false;
	*c = ahead;
	return true;
}

/* The list is read over, and its begin kept for sendmail_next(). */
static void
take_list(struct cur *c, struct happening_line *l)
{
	const char *begin;
	struct happening_line skipped = { 0 };

	sendmail_one(c, l);
	begin = c->p;
	while (another(c) && c->why == NULL)
		sendmail_one(c, &skipped);
	l->more = (struct span){ begin, (size_t)(c->p - begin) };
	cur_try(c, ", [more]"); /* the rest is on a line of its own */
}

/* ", NAME=VALUE" up to the next comma. */
static bool
field(struct cur *c, const char *name, struct span *value)
{
	struct cur ahead = *c;
	struct span rest;
	size_t n = 0;

	if (!cur_try(&ahead, ","))
		return false;
	cur_try(&ahead, " ");
	if (!cur_try(&ahead, name))
		return false;
	rest = cur_rest(&ahead);
	while (n < rest.n && rest.p[n] != ',')
		n++;
	if (n > FIELD_MAX)
		return false;
	*value = (struct span){ rest.p, n };
	ahead.p += n;
	*c = ahead;
	return true;
}

/* The last field: all of the rest. */
static bool
last_field(struct cur *c, const char *name, struct span *value)
{
	struct cur ahead = *c;

	if (!cur_try(&ahead, ","))
		return false;
	cur_try(&ahead, " ");
	if (!cur_try(&ahead, name))
		return false;
	*value = cur_rest(&ahead);
	*c = ahead;
	return true;
}

/* ctladdr=<ADDR> (UID/GID): for programs, files and the unknown, the address
 * that led there; of a recipient as the client wrote it, a sender who is a
 * user here.  False: there is none. */
static bool
take_control(struct cur *c, struct happening_line *l, bool as_written)
{
	struct cur ahead = *c;

	if (!cur_try(&ahead, ", ctladdr="))
		return false;
	if (cur_try(&ahead, "<")) {
		l->original = said_address(&ahead);
	} else {
		while (
		    ahead.p < ahead.end && *ahead.p != ' ' && *ahead.p != ',')
			ahead.p++;
	}
	if (cur_try(&ahead, " ("))
		cur_until(&ahead, ')', FIELD_MAX);
	if (ahead.why == NULL)
		*c = ahead;
	if (as_written)
		l->original = SPAN("");
	return true;
}

enum where { WHERE_LOCAL, WHERE_REMOTE, WHERE_BY_RELAY };

static enum where
mailer_where(struct span mailer)
{
	static const struct {
		const char *mailer;
		enum where where;
	} mailers[] = {
		{ "local", WHERE_LOCAL },
		{ "prog", WHERE_LOCAL },
		{ "*file*", WHERE_LOCAL },
		{ "*include*", WHERE_LOCAL },
		{ "procmail", WHERE_LOCAL },
		{ "cyrus", WHERE_LOCAL },
		{ "cyrusv2", WHERE_LOCAL },
		{ "discard", WHERE_LOCAL },
		{ "smtp", WHERE_REMOTE },
		{ "esmtp", WHERE_REMOTE },
		{ "smtp8", WHERE_REMOTE },
		{ "dsmtp", WHERE_REMOTE },
		{ "relay", WHERE_REMOTE },
		/* contrib/sendmail/mtrk.m4 */
		{ "mtrk", WHERE_REMOTE },
	};

	for (size_t i = 0; i < ARRAY_LEN(mailers); i++)
		if (span_iis(mailer, mailers[i].mailer))
			return mailers[i].where;
	return WHERE_BY_RELAY;
}

/* "mx.x.test. [192.0.2.1]", "[192.0.2.1] [192.0.2.1]", "[192.0.2.1]" */
static void
set_remote(struct happening_line *l, struct span relay)
{
	struct span name, rest = relay, address = SPAN("");

	span_split(relay, ' ', &name, &rest);
	if (name.n > 1 && name.p[name.n - 1] == '.')
		name.n--;
	if (span_starts(rest, "[") && span_ends(rest, "]"))
		address = (struct span){ rest.p + 1, rest.n - 2 };
	else if (span_starts(name, "[") && span_ends(name, "]"))
		address = (struct span){ name.p + 1, name.n - 2 };
	l->remote_mta = name;
	l->remote_address = address;
}

/* A local user's "+detail" is logged as relay=detail, and may hold anything. */
static bool
skip_detail(struct cur *c, struct span address)
{
	struct cur ahead = *c;
	struct span detail, rest;
	size_t at = address.n;
	int plus = span_find(address, "+");

	while (at > 0 && address.p[at - 1] != '@')
		at--;
	at = at > 0 ? at - 1 : address.n;
	if (plus < 0 || (size_t)plus >= at || !cur_try(&ahead, ", relay="))
		return false;
	detail = (struct span){ address.p + plus + 1, at - (size_t)plus - 1 };
	if (detail.n > 0 && detail.p[detail.n - 1] == '"')
		detail.n--;
	rest = cur_rest(&ahead);
	if (rest.n < detail.n || memcmp(rest.p, detail.p, detail.n) != 0)
		return false;
	ahead.p += detail.n;
	*c = ahead;
	return true;
}

struct delivery {
	struct span mailer, relay, quarantine, dsn, reply, stat;
	bool tried, has_dsn, has_reply;
	bool retold; /* "Deferred" is somewhere behind reply= */
};

/* "550 no, stat=User unknown": the remote's words, and Sendmail's. */
static void
split_reply(struct delivery *d)
{
	static const char stat[] = ", stat=";
	size_t n = d->reply.n;

	while (n > 0 && !span_starts(span_from(d->reply, n), stat))
		n--;
	if (n == 0)
		return;
	d->stat = span_from(d->reply, n + strlen(stat));
	d->retold = span_find(d->reply, ", stat=Deferred") >= 0;
	d->reply.n = n;
}

/* , delay=, [xdelay=, ]mailer=, pri=, [relay=, ]dsn=, [reply=TEXT, ]stat=TEXT;
 * what a milter stopped has neither mailer= nor dsn= */
static bool
take_fields(struct cur *c, const struct happening_line *l, struct delivery *d)
{
	struct span none;

	*d = (struct delivery){ .mailer = SPAN(""), .relay = SPAN("") };
	if (!field(c, "delay=", &none))
		return false;
	d->tried = field(c, "xdelay=", &none);
	field(c, "mailer=", &d->mailer);
	field(c, "pri=", &none);
	if (mailer_where(d->mailer) != WHERE_LOCAL ||
	    !skip_detail(c, l->address))
		field(c, "relay=", &d->relay);
	field(c, "quarantine=", &d->quarantine);
	d->has_dsn = field(c, "dsn=", &d->dsn);
	d->has_reply = last_field(c, "reply=", &d->reply);
	if (d->has_reply) {
		split_reply(d);
		return d->has_dsn;
	}
	return last_field(c, "stat=", &d->stat);
}

/* "Sent (Ok: queued as X)": the text in the parentheses. */
static struct span
sent_text(struct span stat)
{
	struct span text = span_from(stat, strlen("Sent"));

	if (!span_starts(text, " (") || !span_ends(text, ")"))
		return span_trim(text);
	return (struct span){ text.p + 2, text.n - 3 };
}

static enum said
sent(struct happening_line *l, const struct delivery *d)
{
	enum where where = mailer_where(d->mailer);

	l->logged.klass = l->status.klass = 2; /* a remote said "250 5.0.0" */
	l->text = sent_text(d->stat);
	if (where == WHERE_BY_RELAY)
		where =
		    span_find(d->relay, "[") >= 0 ? WHERE_REMOTE : WHERE_LOCAL;
	l->action = where == WHERE_LOCAL ? ACTION_DELIVERED : ACTION_RELAYED;
	if (where == WHERE_LOCAL) {
		l->remote_mta = l->remote_address = SPAN("");
		return SAID_HAPPENED;
	}
	l->status = STATUS(2, 1, 9); /* T22, A20 */
	l->next = said_queued_as(l->text);
	if (l->next.n > 0)
		l->what = HAPPENED_REINJECTED;
	return SAID_HAPPENED;
}

/*
 * Not by dsn= alone: Sendmail takes a remote's code as it comes, in
 * "451 5.7.1" or "554 4.7.1".  What it says of a deferral holds the remote's
 * words once more, and they may look like anything; of a failure it has words
 * of its own.
 */
static bool
is_deferred(const struct delivery *d, unsigned klass)
{
	bool says_so = span_starts(d->stat, "Deferred");

	if (!d->has_reply)
		return klass == 4 || says_so;
	if (klass == 4)
		return says_so || !span_starts(d->reply, "5");
	return d->retold && span_starts(d->reply, "4");
}

/* dsn= and the reply don't say the same, and what Sendmail made of it was cut
 * off by whoever wrote the log. */
static bool
is_undecided(const struct delivery *d, unsigned klass)
{
	if (!d->has_reply || d->retold ||
	    (d->reply.n > 0 && d->reply.p[0] == (char)('0' + klass)))
		return false;
	return d->stat.n == 0 || klass == 5;
}

/* No attempt was made: a milter or ruleset has decided. */
static enum said
decided(struct happening_line *l, const struct delivery *d)
{
	static const struct {
		const char *stat;
		bool failed;
		struct status status;
	} words[] = {
		{ "quarantined", false, { 0, 0, 0 } },
		{ "discarded", true, { 5, 7, 1 } },
		{ "Command rejected", true, { 5, 7, 1 } },
		{ "Please try again later", true, { 4, 7, 1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!span_starts(d->stat, words[i].stat))
			continue;
		if (words[i].failed)
			return said_all_failed(l, words[i].status, d->stat);
		l->what = HAPPENED_NOTE;
		l->text = SPAN("quarantined");
		l->more = SPAN("");
		return SAID_HAPPENED;
	}
	return span_is(d->stat, "RSET") ? SAID_KNOWN : SAID_UNKNOWN;
}

enum said
sendmail_delivery(struct cur *c, struct happening_line *l)
{
	struct delivery d;
	bool as_written = span_starts(cur_rest(c), "<"), led_to;

	l->what = HAPPENED_ACTION;
	take_list(c, l);
	led_to = take_control(c, l, as_written);
	if (c->why != NULL || !take_fields(c, l, &d))
		return SAID_UNKNOWN;
	if (!d.has_dsn)
		return decided(l, &d);
	if (status_parse(d.dsn, &l->status) != MTRK_OK)
		return SAID_UNKNOWN;
	l->logged = l->status;
	if (mailer_where(d.mailer) != WHERE_LOCAL)
		set_remote(l, d.relay);
	if (!d.has_reply && span_starts(d.stat, "Sent"))
		return sent(l, &d);
	l->untried = !d.tried;
	/* an alias leads to every member: the bounce's, such as postmaster */
	if (l->untried && l->member && !led_to)
		return SAID_KNOWN;
	if (l->status.klass == 2 || is_undecided(&d, l->status.klass))
		return SAID_UNKNOWN;
	l->text = d.has_reply ? d.reply : d.stat;
	l->action = ACTION_FAILED;
	if (is_deferred(&d, l->status.klass))
		l->action = ACTION_DELAYED;
	l->status.klass = l->action == ACTION_DELAYED ? 4 : 5;
	return SAID_HAPPENED;
}

bool
sendmail_next_address(struct happening_line *l)
{
	struct cur c = cur_of(l->more);

	if (!another(&c))
		return false;
	sendmail_one(&c, l);
	l->more = cur_rest(&c);
	return c.why == NULL;
}
