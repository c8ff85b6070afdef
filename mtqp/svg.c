#include "mtqp/svg.h"

#include <stdlib.h>

#include "common/utf8.h"
#include "mtqp/draw.h"

enum { /* pixels */
	MARGIN = 24,
	BOX_H = 80,
	GAP_X = 56, /* an arrow's length */
	GAP_Y = 16,
	HEAD_H = 34, /* a recipient's own line */
	CHAR_W = 6, /* of 11 px text, about */
	BOX_MIN = 190,
	BOX_MAX = 600,
	NAME_COLUMNS = 100, /* of a recipient; ours */
};

struct picture {
	const struct hops *hops;
	const struct ways *ways;
	unsigned box_w;
	unsigned *rows; /* of each step, from the top */
	FILE *out;
};

/* XML's own characters; what does not fit into a box is cut. */
static void
put_text(const char *s, size_t columns, FILE *out)
{
	char *safe = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&safe, &n);

	if (f == NULL)
		return;
	draw_utf8(s, columns, f);
	fclose(f);
	for (size_t i = 0; i < n; i++)
		switch (safe[i]) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(safe[i], out);
		}
	free(safe);
}

static const char *
colour_of(int status)
{
	static const char *const colours[] = { [TRACK_WELL] = "#1a7f37",
		[TRACK_UNDER_WAY] = "#9a6700",
		[TRACK_FAILED] = "#cf222e",
		[TRACK_NO_INFORMATION] = "#57606a" };

	return colours[status];
}

static bool
is_told(const struct picture *p, const struct step *s)
{
	return timeline_missing(p->hops, s) == NULL;
}

/*
 * A step stands right of its parent, in the same row if it is the first that
 * follows it, else in a row of its own.  The number of rows of the way.
 */
static unsigned
set_rows(struct picture *p, size_t at, size_t end)
{
	unsigned used = 0;

	for (size_t i = at; i < end; i++)
		p->rows[i] = p->ways->steps[i].parent + 1 == i && i > at
		    ? p->rows[i - 1]
		    : used++;
	return used;
}

static void
put_line(const struct picture *p, unsigned x, unsigned y, const char *style,
    const char *text)
{
	fprintf(p->out, "<text x=\"%u\" y=\"%u\" %s>", x, y, style);
	put_text(text, (p->box_w - MARGIN) / CHAR_W, p->out);
	fputs("</text>\n", p->out);
}

static void
put_box(const struct picture *p, unsigned x, unsigned y, const char *colour,
    bool told)
{
	fprintf(p->out,
	    "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\" rx=\"8\" "
	    "fill=\"#f6f8fa\" stroke=\"%s\" stroke-width=\"1.5\"%s/>\n",
	    x, y, p->box_w, BOX_H, colour,
	    told ? "" : " stroke-dasharray=\"5 4\"");
}

static unsigned
column_x(const struct picture *p, unsigned depth)
{
	return MARGIN + depth * (p->box_w + GAP_X);
}

/* From the middle of the parent's right side to the left side of a box. */
static void
put_arrow(
    const struct picture *p, unsigned depth, unsigned from_y, unsigned to_y)
{
	unsigned to = column_x(p, depth), from = to - GAP_X;

	fprintf(p->out,
	    "<path d=\"M%u %u C%u %u %u %u %u %u\" fill=\"none\" "
	    "stroke=\"#57606a\" stroke-width=\"1.5\" "
	    "marker-end=\"url(#tip)\"/>\n",
	    from, from_y + BOX_H / 2, from + GAP_X / 2, from_y + BOX_H / 2,
	    from + GAP_X / 2, to_y + BOX_H / 2, to - 6, to_y + BOX_H / 2);
}

enum { PIECES = 3, PIECE_MAX = 1024 /* octets; ours */ };

/* What a box says, cut into its lines: arrival, what was done, what that
 * means.  They point into `text`. */
static size_t
cut_words(const struct picture *p, const struct step *s, struct buf *text,
    struct span out[PIECES])
{
	struct span rest;
	size_t n = 0;
	int at;

	timeline_step(s, p->ways->steps[0].part->arrival, text);
	span_split(buf_as_span(text), ',', &out[n++], &rest);
	at = span_find(rest, ": ");
	if (at >= 0) {
		out[n++] = (struct span){ rest.p, (size_t)at };
		rest = span_from(rest, (size_t)at + 2);
	}
	if (rest.n > 0)
		out[n++] = rest;
	for (size_t i = 0; i < n; i++)
		out[i] = span_trim(out[i]);
	return n;
}

static void
put_words(const struct picture *p, const struct step *s, unsigned x, unsigned y)
{
	struct buf text = BUF(4096);
	struct span pieces[PIECES];
	size_t n = cut_words(p, s, &text, pieces);

	for (size_t i = 0; i < n; i++) {
		char piece[PIECE_MAX];

		utf8_copy(piece, sizeof piece, pieces[i]);
		put_line(p, x + 12, y + 40 + 15 * (unsigned)i,
		    "font-size=\"11\" fill=\"#57606a\"", piece);
	}
	buf_free(&text);
}

static const char *
name_of(const struct picture *p, const struct step *s)
{
	return s->part->reporting_mta != NULL ? s->part->reporting_mta
					      : p->hops->list[s->hop].host;
}

#define BOLD "font-size=\"12\" font-weight=\"bold\" fill=\"#1f2328\""

static void
put_step(const struct picture *p, size_t i, unsigned top, int status)
{
	const struct step *s = &p->ways->steps[i];
	unsigned x = column_x(p, s->depth);
	unsigned y = top + p->rows[i] * (BOX_H + GAP_Y);
	bool last = s->end != STEP_GOES_ON;

	if (s->depth > 0)
		put_arrow(
		    p, s->depth, top + p->rows[s->parent] * (BOX_H + GAP_Y), y);
	put_box(p, x, y, last ? colour_of(status) : "#57606a", true);
	put_line(p, x + 12, y + 22, BOLD, name_of(p, s));
	put_words(p, s, x, y);
	if (is_told(p, s))
		return;
	put_arrow(p, s->depth + 1, y, y);
	x = column_x(p, s->depth + 1);
	put_box(p, x, y, colour_of(TRACK_FAILED), false);
	put_line(p, x + 12, y + 22, BOLD, p->hops->list[s->next].host);
	put_line(p, x + 12, y + 40, "font-size=\"11\" fill=\"#cf222e\"",
	    timeline_missing(p->hops, s));
}

/* The picture's next free place. */
static unsigned
put_way(struct picture *p, size_t at, unsigned top)
{
	const struct tstat_recipient *r = p->ways->steps[at].recipient;
	size_t end = timeline_end(p->ways, at);
	unsigned rows = set_rows(p, at, end);
	int status = timeline_status_at(p->ways, at);

	fprintf(p->out,
	    "<text x=\"%d\" y=\"%u\" font-size=\"14\" "
	    "fill=\"#1f2328\">",
	    MARGIN, top + 16);
	put_text(
	    r->original != NULL ? r->original : r->final, NAME_COLUMNS, p->out);
	fprintf(p->out,
	    ": <tspan font-weight=\"bold\" fill=\"%s\">%s</tspan>"
	    "</text>\n",
	    colour_of(status), timeline_word(p->ways, at));
	for (size_t i = at; i < end; i++)
		put_step(p, i, top + HEAD_H, status);
	return top + HEAD_H + rows * (BOX_H + GAP_Y) + GAP_Y;
}

static void
widen(struct picture *p, size_t columns)
{
	size_t w = columns * CHAR_W + MARGIN;

	if (w > p->box_w)
		p->box_w = w < BOX_MAX ? (unsigned)w : BOX_MAX;
}

static void
widen_for(struct picture *p, const struct step *s)
{
	struct buf text = BUF(4096);
	struct span pieces[PIECES];
	size_t n = cut_words(p, s, &text, pieces);
	const char *missing = timeline_missing(p->hops, s);

	widen(p, draw_width(name_of(p, s)));
	for (size_t i = 0; i < n; i++) {
		char piece[PIECE_MAX];

		utf8_copy(piece, sizeof piece, pieces[i]);
		widen(p, draw_width(piece));
	}
	if (missing != NULL)
		widen(p, draw_width(missing));
	buf_free(&text);
}

/* How wide the boxes are, and how far the picture goes. */
static void
measure(struct picture *p, unsigned *depth, unsigned *height)
{
	size_t n = 0;

	p->box_w = BOX_MIN;
	*depth = 0;
	*height = MARGIN;
	for (size_t i = 0; i < p->ways->n && n < SVG_WAYS; n++) {
		size_t end = timeline_end(p->ways, i);

		*height +=
		    HEAD_H + GAP_Y + set_rows(p, i, end) * (BOX_H + GAP_Y);
		for (; i < end; i++) {
			const struct step *s = &p->ways->steps[i];
			unsigned d = s->depth + (is_told(p, s) ? 0 : 1);

			if (d > *depth)
				*depth = d;
			widen_for(p, s);
		}
	}
}

void
svg_write(const struct hops *h, const struct ways *w, FILE *out)
{
	struct picture p = { .hops = h, .ways = w, .out = out };
	unsigned depth, height, top = MARGIN;
	size_t n = 0;

	p.rows = calloc(w->n + 1, sizeof *p.rows);
	if (p.rows == NULL)
		return;
	measure(&p, &depth, &height);
	fprintf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" "
	    "height=\"%u\" font-family=\"sans-serif\">\n"
	    "<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" "
	    "refX=\"6\" refY=\"4\" orient=\"auto\">"
	    "<path d=\"M0 0 L8 4 L0 8 z\" fill=\"#57606a\"/></marker></defs>\n"
	    "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
	    column_x(&p, depth) + p.box_w + MARGIN, height);
	for (size_t i = 0; i < w->n && n < SVG_WAYS;
	     i = timeline_end(w, i), n++)
		top = put_way(&p, i, top);
	fputs("</svg>\n", out);
	free(p.rows);
}
