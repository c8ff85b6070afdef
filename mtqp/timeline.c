#include "mtqp/timeline.h"

#include <string.h>

#include "mtqp/draw.h"
#include "mtqp/reason.h"

enum { NAME_COLUMNS = 34 }; /* for servers' names; longer ones stick out */

/*
 * A row an action: where it leaves the recipient, and what people read.  It
 * says "delivered" for delivered and for nothing else.
 */
static const struct {
	int status;
	const char *colour; /* SGR: 32 green, 33 yellow, 31 red */
	const char *word; /* of the recipient */
	const char *did; /* what the server did */
	const char *to; /* in front of Remote-MTA; NULL: it isn't shown */
	const char *end; /* behind it; "" if all is said */
} rows[ACTION_COUNT] = {
	[ACTION_NONE] = { TRACK_UNDER_WAY, "33", "Unknown", "", NULL,
	    "the server says nothing that we understand" },
	[ACTION_DELIVERED] = { TRACK_WELL, "32", "Delivered", "delivered", "to",
	    "" },
	[ACTION_EXPANDED] = { TRACK_WELL, "32", "Delivered to a list or group",
	    "delivered to a list or group", NULL, "its members are not shown" },
	[ACTION_RELAYED] = { TRACK_WELL, "32", "Handed on", "handed", "to",
	    "beyond this point nobody keeps track" },
	[ACTION_TRANSFERRED] = { TRACK_UNDER_WAY, "33", "Under way", "handed",
	    "to", "" },
	[ACTION_DELAYED] = { TRACK_UNDER_WAY, "33", "Waiting", "tried", "at",
	    "" },
	[ACTION_FAILED] = { TRACK_FAILED, "31", "Returned", "returned", "from",
	    "" },
	[ACTION_OPAQUE] = { TRACK_NO_INFORMATION, "33", "Not told", "", NULL,
	    "the server keeps the rest to itself" },
};

static const int gravity[] = { TRACK_WELL, TRACK_NO_INFORMATION,
	TRACK_UNDER_WAY, TRACK_FAILED };

size_t
timeline_end(const struct ways *w, size_t step)
{
	do
		step++;
	while (step < w->n && w->steps[step].depth > 0);
	return step;
}

/* Where the way ends most gravely; in between does not count. */
static const struct step *
worst_of(const struct ways *w, size_t step)
{
	const struct step *found = NULL;
	size_t end = timeline_end(w, step), worst = 0;

	for (; step < end; step++) {
		const struct step *s = &w->steps[step];

		if (s->end == STEP_GOES_ON)
			continue;
		if (found == NULL)
			found = s;
		for (size_t g = worst + 1; g < ARRAY_LEN(gravity); g++)
			if (gravity[g] == rows[s->recipient->action].status) {
				worst = g;
				found = s;
			}
	}
	return found != NULL ? found : &w->steps[end - 1];
}

int
timeline_status_at(const struct ways *w, size_t step)
{
	return rows[worst_of(w, step)->recipient->action].status;
}

const char *
timeline_word(const struct ways *w, size_t step)
{
	return rows[worst_of(w, step)->recipient->action].word;
}

/* The gravest wins: failed, then under way, then no information. */
int
timeline_status(const struct ways *w)
{
	size_t worst = 0;

	if (w->n == 0)
		return TRACK_NO_INFORMATION;
	for (size_t i = 0; i < w->n; i = timeline_end(w, i))
		for (size_t g = worst + 1; g < ARRAY_LEN(gravity); g++)
			if (gravity[g] == timeline_status_at(w, i))
				worst = g;
	return gravity[worst];
}

static void
add_time(struct buf *out, int64_t t, int64_t day)
{
	char text[DRAW_TIME];

	draw_time(t, day, text);
	buf_fmt(out, " %s", text);
}

/* A server whose clock is behind gives no duration. */
static void
add_duration(struct buf *out, int64_t from, int64_t to)
{
	char text[DRAW_DURATION];

	if (from == WHEN_NONE || to == WHEN_NONE)
		return;
	draw_duration(to - from, text);
	if (text[0] != '\0')
		buf_fmt(out, " (%s)", text);
}

static void
add_waiting(const struct tstat_recipient *r, int64_t day, struct buf *out)
{
	if (r->will_retry_until != WHEN_NONE) {
		buf_str(out, ", waiting until");
		add_time(out, r->will_retry_until, day);
	} else {
		buf_str(out, ", waiting");
	}
	if (r->last_attempt == WHEN_NONE)
		buf_str(out, ", not tried yet");
}

/* "": all is said. */
static const char *
end_of(const struct step *s)
{
	const struct tstat_recipient *r = s->recipient;
	const bool has_reason =
	    r->action == ACTION_FAILED || r->action == ACTION_DELAYED;
	const char *reason = has_reason ? reason_of(r->status) : NULL;

	switch (s->end) {
	case STEP_NOWHERE:
		return "it does not say where to ask";
	case STEP_LOOP:
		return "where it has been before";
	default:
		return reason != NULL ? reason : rows[r->action].end;
	}
}

void
timeline_step(const struct step *s, int64_t day, struct buf *out)
{
	const struct tstat_recipient *r = s->recipient;
	const int64_t arrival = s->part->arrival;
	char code[STATUS_TEXT];

	buf_str(out, "Accepted");
	if (arrival != WHEN_NONE)
		add_time(out, arrival, day);
	if (r->action == ACTION_DELAYED)
		add_waiting(r, day, out);
	if (rows[r->action].did[0] != '\0' &&
	    (r->action != ACTION_DELAYED || r->last_attempt != WHEN_NONE)) {
		buf_fmt(out, ", %s", rows[r->action].did);
		if (r->remote_mta != NULL && rows[r->action].to != NULL)
			buf_fmt(
			    out, " %s %s", rows[r->action].to, r->remote_mta);
		if (r->last_attempt != WHEN_NONE)
			add_time(out, r->last_attempt, day);
		add_duration(out, arrival, r->last_attempt);
	}
	if (r->status.klass != 0 && r->action != ACTION_TRANSFERRED) {
		status_format(r->status, code);
		buf_fmt(out, " [%s]", code);
	}
	if (end_of(s)[0] != '\0')
		buf_fmt(out, ": %s", end_of(s));
}

const char *
timeline_missing(const struct hops *h, const struct step *s)
{
	switch (s->end) {
	case STEP_NO_SERVER:
		return h->list[s->next].why;
	case STEP_NOT_THERE:
		return "knows nothing of this recipient";
	default:
		return NULL;
	}
}

/* Less room beside the names, and the text goes below them. */
enum { TEXT_COLUMNS = 36 };

struct painting {
	const struct hops *hops;
	const struct ways *ways;
	struct look look;
	size_t names; /* columns of marks and names; 0: each has its own line */
	struct pen pen;
};

static void
put_coloured(struct painting *p, const char *sgr, const char *text)
{
	if (p->look.colour)
		fprintf(p->pen.out, "\033[%sm", sgr);
	pen_text(&p->pen, text);
	if (p->look.colour)
		fputs("\033[0m", p->pen.out);
}

/* "  * mx.example  ", "  `-* next.example  ": the way as it is drawn, and what
 * is to be said of this server. */
static void
put_server(struct painting *p, unsigned depth, enum action action,
    const char *name, const char *text, bool told)
{
	const char *branch = p->look.utf8 ? "└─" : "`-";
	const char *mark = told ? p->look.utf8 ? "●" : "*"
	    : p->look.utf8      ? "✗"
				: "x";

	p->pen.indent = 2 * (size_t)depth + 4;
	pen_to(&p->pen, depth > 0 ? 2 * (size_t)depth : 2);
	if (depth > 0)
		pen_text(&p->pen, branch);
	put_coloured(p, told ? rows[action].colour : "31", mark);
	pen_text(&p->pen, " ");
	pen_text(&p->pen, name);
	p->pen.indent = p->names > 0 ? p->names + 2 : p->pen.indent + 2;
	if (p->pen.columns == 0 || p->pen.at + 2 <= p->pen.indent) {
		pen_to(&p->pen, p->names);
		pen_to(&p->pen, p->pen.at + 2);
	} else {
		pen_end(&p->pen);
		pen_to(&p->pen, p->pen.indent);
	}
	pen_text(&p->pen, text);
	pen_end(&p->pen);
}

static void
put_step(struct painting *p, const struct step *s, int64_t day)
{
	struct buf text = BUF(4096);
	const char *missing = timeline_missing(p->hops, s);

	timeline_step(s, day, &text);
	put_server(p, s->depth, s->recipient->action,
	    s->part->reporting_mta != NULL ? s->part->reporting_mta
					   : p->hops->list[s->hop].host,
	    text.p, true);
	buf_free(&text);
	if (missing != NULL)
		put_server(p, s->depth + 1, ACTION_NONE,
		    p->hops->list[s->next].host, missing, false);
}

/* From the first server's clock to the last one's: they may differ. */
static void
put_summary(struct painting *p, size_t at, const struct step *worst)
{
	size_t n = timeline_end(p->ways, at) - at;
	int64_t from = p->ways->steps[at].part->arrival;
	int64_t to = worst->recipient->last_attempt;
	char took[DRAW_DURATION] = "", text[2 * DRAW_DURATION + 32] = "";

	if (from != WHEN_NONE && to != WHEN_NONE &&
	    rows[worst->recipient->action].status != TRACK_UNDER_WAY)
		draw_duration(to - from, took);
	if (took[0] != '\0')
		snprintf(text, sizeof text, " after %s", took);
	if (n > 1)
		snprintf(text + strlen(text), sizeof text - strlen(text),
		    ", %zu servers", n);
	pen_text(&p->pen, text);
	pen_end(&p->pen);
}

static void
put_recipient(struct painting *p, size_t at)
{
	const struct step *worst = worst_of(p->ways, at);
	const size_t end = timeline_end(p->ways, at);
	const struct tstat_recipient *r = p->ways->steps[at].recipient;
	const char *final = worst->recipient->final;
	const char *name = r->original != NULL ? r->original : r->final;
	struct buf head = BUF(4096);

	buf_str(&head, name != NULL ? name : "(no recipient named)");
	if (name != NULL && final != NULL && strcmp(name, final) != 0)
		buf_fmt(&head, " (now %s)", final);
	buf_str(&head, ": ");
	p->pen.indent = 2;
	pen_end(&p->pen);
	pen_text(&p->pen, head.p);
	buf_free(&head);
	put_coloured(p, rows[worst->recipient->action].colour,
	    rows[worst->recipient->action].word);
	put_summary(p, at, worst);
	for (size_t i = at; i < end; i++)
		put_step(
		    p, &p->ways->steps[i], p->ways->steps[0].part->arrival);
}

static size_t
names_of(const struct painting *p)
{
	size_t most = 0;

	for (size_t i = 0; i < p->ways->n; i++) {
		const struct step *s = &p->ways->steps[i];
		size_t have = 4 + 2 * (size_t)s->depth;

		if (timeline_missing(p->hops, s) != NULL &&
		    have + 2 + draw_width(p->hops->list[s->next].host) > most)
			most =
			    have + 2 + draw_width(p->hops->list[s->next].host);
		have += draw_width(s->part->reporting_mta);
		if (have > most)
			most = have;
	}
	if (most > NAME_COLUMNS)
		most = NAME_COLUMNS;
	return p->look.columns == 0 ||
		most + 2 + TEXT_COLUMNS <= p->look.columns
	    ? most
	    : 0;
}

void
timeline_text(
    const struct hops *h, const struct ways *w, struct look look, FILE *out)
{
	struct painting p = { h, w, look, 0,
		{ .out = out, .columns = look.columns, .indent = 2 } };
	char day[DRAW_TIME] = "";

	if (w->n == 0)
		return;
	p.names = names_of(&p);
	pen_text(&p.pen, "Message ");
	pen_text(&p.pen, w->steps[0].part->envid);
	pen_end(&p.pen);
	if (w->steps[0].part->arrival != WHEN_NONE)
		draw_time(w->steps[0].part->arrival, WHEN_NONE, day);
	if (day[0] != '\0') {
		pen_text(&p.pen, "of ");
		pen_text(&p.pen, day);
		pen_end(&p.pen);
	}
	for (size_t i = 0; i < w->n; i = timeline_end(w, i))
		put_recipient(&p, i);
	if (w->cut)
		fputs("\nMore recipients than can be shown.\n", out);
}
