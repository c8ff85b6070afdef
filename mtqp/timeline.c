#include "mtqp/timeline.h"

#include "mtqp/draw.h"
#include "mtqp/reason.h"

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
	    "" },
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

const struct step *
timeline_worst(const struct ways *w, size_t step)
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

const char *
timeline_colour(enum action action)
{
	return rows[action].colour;
}

int
timeline_status_at(const struct ways *w, size_t step)
{
	return rows[timeline_worst(w, step)->recipient->action].status;
}

const char *
timeline_word(const struct ways *w, size_t step)
{
	return rows[timeline_worst(w, step)->recipient->action].word;
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

bool
timeline_dated(const struct step *s)
{
	return s->part->arrival != WHEN_NONE && s->part->arrival != 0;
}

void
timeline_step(const struct step *s, int64_t day, struct buf *out)
{
	const struct tstat_recipient *r = s->recipient;
	const int64_t arrival = s->part->arrival;
	char code[STATUS_TEXT];

	if (r->action == ACTION_OPAQUE) {
		buf_fmt(out, "The server does not say %s",
		    timeline_dated(s) ? "what became of it"
				      : "whether it had this message");
		return;
	}
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
