#include "mtqp/inquiry.h"

#include <stdlib.h>
#include <sysexits.h>

#include "common/crypto.h"
#include "mtqp/draw.h"
#include "mtqp/known_servers.h"
#include "mtqp/svg.h"
#include "mtqp/timeline_json.h"

/* Where an outcome becomes an exit status. */
static int
status_of(enum mtrk_err err)
{
	switch (err) {
	case MTRK_NOTFOUND:
		return TRACK_NO_INFORMATION;
	case MTRK_BUSY:
		return EX_TEMPFAIL;
	default:
		return EX_UNAVAILABLE;
	}
}

/* A line of notes: "mtrk-track: HOST: what was noticed". */
static void
note(FILE *notes, const char *host, const char *what, const char *more)
{
	fputs("mtrk-track: ", notes);
	/* what names the host already does not say so twice */
	if (!span_starts(span_of(what), host)) {
		draw_utf8(host, HOST_MAX, notes);
		fputs(": ", notes);
	}
	draw_utf8(what, ASK_WHY_MAX, notes);
	draw_utf8(more, ASK_WHY_MAX, notes);
	fputc('\n', notes);
}

/* What the answer itself doesn't show; `all`: every failure, which the
 * timeline draws. */
static void
note_hop(const struct hop *h, bool all, FILE *notes)
{
	if (h->tls.active && !h->tls.verified)
		note(notes, h->host,
		    "note: encrypted, but its certificate is not verified: ",
		    h->tls.why_not);
	if (!all || h->state == HOP_ANSWERED || h->state == HOP_SAME)
		return;
	if (h->state == HOP_NOT_ASKED)
		note(notes, h->host, "not asked: ", h->why);
	else
		note(notes, h->host, h->why,
		    h->err == MTRK_NOTFOUND
			? " (never seen there, another secret, or past its "
			  "retention: it does not say which)"
			: "");
}

/* Q44: what the server was before, and is not now. */
static void
look_for_alarm(struct hop *h, FILE *notes)
{
	static const char *const texts[] = {
		[ALARM_NO_TLS] = "warning: it no longer offers TLS: the "
				 "secret went in clear, and somebody may be "
				 "in between",
		[ALARM_OTHER_KEY] =
		    "warning: it has another key, which nobody vouches for: "
		    "it may be another server",
		[ALARM_NEW_KEY] =
		    "note: it has a new key, and a verified certificate",
	};
	char since[SINCE_TEXT], why[DATAFILE_WHY_MAX];
	enum alarm alarm;

	if (known_servers_note(h->host, &h->tls, &alarm, since, why) !=
	    MTRK_OK) {
		note(notes, h->host, "cannot remember its TLS: ", why);
		return;
	}
	if (alarm == ALARM_NONE)
		return;
	snprintf(h->alarm, sizeof h->alarm, "%s (before: since %s)",
	    texts[alarm], since);
	note(notes, h->host, h->alarm, "");
}

static bool
draw_picture(const struct inquiry *q, FILE *notes)
{
	FILE *f = fopen(q->svg, "we");
	bool ok = f != NULL;

	if (ok) {
		svg_write(q->hops, &q->ways, f);
		ok = !ferror(f);
		ok = fclose(f) == 0 && ok;
	}
	if (!ok)
		fprintf(notes, "mtrk-track: %s: %m\n", q->svg);
	return ok;
}

static void
forget_answer(struct inquiry *q)
{
	ways_free(&q->ways);
	if (q->hops != NULL)
		hops_free(q->hops);
	free(q->hops);
	q->hops = NULL;
	buf_free(&q->mime);
}

/* The new answer in the place of the last one; `mime` is taken over. */
static int
take_answer(struct inquiry *q, struct hops *hops, struct buf mime, FILE *notes)
{
	forget_answer(q);
	q->hops = hops;
	q->mime = mime;
	if (hops_ways(hops, &q->ways) != MTRK_OK)
		return EX_OSERR;
	if (q->ways.n == 0)
		note(notes, hops->list[0].host, "its answer names no recipient",
		    "");
	if (q->svg != NULL && !draw_picture(q, notes))
		return EX_CANTCREAT;
	return timeline_status(&q->ways);
}

static int
ask(struct inquiry *q, FILE *notes)
{
	struct hops *hops = calloc(1, sizeof *hops);
	struct buf mime = BUF(INQUIRY_MIME_MAX);
	enum mtrk_err err;

	if (hops == NULL)
		return EX_OSERR;
	q->trace.raw = q->raw ? &mime : NULL;
	err = trace(&q->uri, &q->trace, hops);
	for (size_t i = 0; i < hops->n; i++) {
		note_hop(&hops->list[i], q->json || q->raw || i == 0, notes);
		look_for_alarm(&hops->list[i], notes);
	}
	if (err == MTRK_OK)
		return take_answer(q, hops, mime, notes);
	hops_free(hops);
	free(hops);
	buf_free(&mime);
	return status_of(err);
}

int
inquiry_ask(struct inquiry *q)
{
	size_t n = 0;
	FILE *notes;
	int status;

	free(q->notes);
	q->notes = NULL;
	notes = open_memstream(&q->notes, &n);
	if (notes == NULL)
		return EX_OSERR;
	status = ask(q, notes);
	return fclose(notes) == 0 ? status : EX_OSERR;
}

/* For a terminal its lines one by one, without what commands it. */
static void
print_raw(const struct inquiry *q, struct look look, FILE *out)
{
	struct pen pen = { .out = out, .columns = look.columns };
	struct span line, rest = buf_as_span(&q->mime);

	if (look.columns == 0) {
		fwrite(rest.p, 1, rest.n, out);
		return;
	}
	while (rest.n > 0) {
		struct buf text = BUF(INQUIRY_MIME_MAX);

		span_split(rest, '\n', &line, &rest);
		if (span_ends(line, "\r"))
			line.n--;
		buf_span(&text, line);
		pen_text(&pen, text.p);
		pen_end(&pen);
		buf_free(&text);
	}
}

/* ASCII: nothing in a string can command a terminal. */
static void
print_json(const struct inquiry *q, FILE *out)
{
	json_t *j = timeline_json(q->hops, &q->ways, &q->uri);

	json_dumpf(j, out, JSON_COMPACT | JSON_ENSURE_ASCII);
	fputc('\n', out);
	json_decref(j);
}

void
inquiry_print(const struct inquiry *q, struct look look, FILE *out)
{
	if (q->hops == NULL)
		return;
	if (q->raw)
		print_raw(q, look, out);
	else if (q->json)
		print_json(q, out);
	else
		timeline_text(q->hops, &q->ways, look, out);
}

void
inquiry_say(const struct inquiry *q, size_t columns, FILE *out)
{
	struct pen pen = { .out = out, .columns = columns, .indent = 4 };
	struct span line, rest = span_of(q->notes);

	while (rest.n > 0) {
		char *text;

		span_split(rest, '\n', &line, &rest);
		if ((text = strndup(line.p, line.n)) == NULL)
			return;
		pen_text(&pen, text);
		pen_end(&pen);
		free(text);
	}
}

void
inquiry_free(struct inquiry *q)
{
	forget_answer(q);
	free(q->notes);
	crypto_wipe(&q->uri, sizeof q->uri);
}
