#include <string.h>

#include "mtqp/draw.h"
#include "mtqp/timeline.h"

enum { NAME_COLUMNS = 34 }; /* for servers' names; longer ones stick out */

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
	put_coloured(p, told ? timeline_colour(action) : "31", mark);
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
	const int status = timeline_status_at(p->ways, at);
	char took[DRAW_DURATION] = "", text[2 * DRAW_DURATION + 32] = "";

	if (from != WHEN_NONE && to != WHEN_NONE &&
	    (status == TRACK_WELL || status == TRACK_FAILED))
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
	const struct step *worst = timeline_worst(p->ways, at);
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
	put_coloured(p, timeline_colour(worst->recipient->action),
	    timeline_word(p->ways, at));
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
	if (timeline_dated(&w->steps[0]))
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
