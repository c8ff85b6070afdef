#include "mtqp/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A row an action: where it leaves the recipient, and what people read.  It
 * says "delivered" for delivered and for nothing else.
 */
static const struct {
	int status;
	const char *colour; /* SGR: 32 green, 33 yellow, 31 red */
	const char *word;
	const char *end; /* behind it; "" if all is said */
} rows[ACTION_COUNT] = {
	[ACTION_NONE] = { TRACK_UNDER_WAY, "33", "Unknown",
	    "the server says nothing that we understand" },
	[ACTION_DELIVERED] = { TRACK_WELL, "32", "Delivered", "" },
	[ACTION_EXPANDED] = { TRACK_WELL, "32", "Delivered to a list or group",
	    "its members are not shown" },
	[ACTION_RELAYED] = { TRACK_WELL, "32", "Handed on",
	    "beyond this point nobody keeps track" },
	[ACTION_TRANSFERRED] = { TRACK_UNDER_WAY, "33", "Handed on",
	    "ask there: that server keeps track" },
	[ACTION_DELAYED] = { TRACK_UNDER_WAY, "33", "Waiting", "" },
	[ACTION_FAILED] = { TRACK_FAILED, "31", "Returned", "" },
	[ACTION_OPAQUE] = { TRACK_NO_INFORMATION, "33", "Not told",
	    "the server keeps this to itself" },
};

/* The gravest wins: failed, then under way, then no information. */
int
timeline_status(const struct tstat *t)
{
	static const int gravity[] = { TRACK_WELL, TRACK_NO_INFORMATION,
		TRACK_UNDER_WAY, TRACK_FAILED };
	size_t worst = 0;
	bool any = false;

	for (size_t p = 0; p < t->n; p++)
		for (size_t r = 0; r < t->parts[p].n; r++) {
			enum action a = t->parts[p].recipients[r].action;

			any = true;
			for (size_t g = worst; g < ARRAY_LEN(gravity); g++)
				if (gravity[g] == rows[a].status)
					worst = g;
		}
	return any ? gravity[worst] : TRACK_NO_INFORMATION;
}

/* Control characters, C1 too, could command a terminal. */
static void
put_safe(const char *s, FILE *out)
{
	for (; s != NULL && *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		bool c1 = c == 0xc2 && (unsigned char)s[1] >= 0x80 &&
		    (unsigned char)s[1] < 0xa0;

		fputc(c < ' ' || c == 127 || c1 ? '?' : c, out);
		s += c1;
	}
}

static void
put_time(int64_t t, FILE *out)
{
	time_t when = (time_t)t;
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&when, &tm) != NULL)
		strftime(text, sizeof text, "%a %e %b %Y %H:%M:%S %Z", &tm);
	fputs(text, out);
}

static void
put_line(int64_t t, const char *word, FILE *out)
{
	char blank[] = "                            ";

	fputs("    ", out);
	if (t == WHEN_NONE)
		fputs(blank, out);
	else
		put_time(t, out);
	fprintf(out, "  %s", word);
}

static void
put_heading(const struct tstat_recipient *r, bool colour, FILE *out)
{
	fputs("  ", out);
	put_safe(r->original != NULL ? r->original : r->final, out);
	if (r->original != NULL && r->final != NULL &&
	    strcmp(r->original, r->final) != 0) {
		fputs(" (now ", out);
		put_safe(r->final, out);
		fputs(")", out);
	}
	fputs(": ", out);
	if (colour)
		fprintf(out, "\033[%sm", rows[r->action].colour);
	fputs(rows[r->action].word, out);
	if (colour)
		fputs("\033[0m", out);
	fputc('\n', out);
}

static void
put_last(const struct tstat_recipient *r, FILE *out)
{
	char code[STATUS_TEXT];

	put_line(r->last_attempt,
	    r->action == ACTION_DELAYED && r->last_attempt == WHEN_NONE
		? "Not tried yet"
		: r->action == ACTION_DELAYED ? "Tried, without success"
					      : rows[r->action].word,
	    out);
	if (r->remote_mta != NULL) {
		fputs(r->action == ACTION_FAILED || r->action == ACTION_DELAYED
			? " at "
			: " to ",
		    out);
		put_safe(r->remote_mta, out);
	}
	if (r->status.klass != 0) {
		status_format(r->status, code);
		fprintf(out, " [%s]", code);
	}
	if (rows[r->action].end[0] != '\0')
		fprintf(out, ": %s", rows[r->action].end);
	fputc('\n', out);
}

static void
put_recipient(const struct tstat_part *p, const struct tstat_recipient *r,
    bool colour, FILE *out)
{
	put_heading(r, colour, out);
	put_line(p->arrival, "Accepted at ", out);
	put_safe(p->reporting_mta, out);
	fputc('\n', out);
	put_last(r, out);
	if (r->will_retry_until != WHEN_NONE) {
		put_line(r->will_retry_until, "Tries until then", out);
		fputc('\n', out);
	}
}

void
timeline_text(const struct tstat *t, bool colour, FILE *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct tstat_part *p = &t->parts[i];

		fputs("Message ", out);
		put_safe(p->envid, out);
		fputs(", told by ", out);
		put_safe(p->reporting_mta, out);
		fputc('\n', out);
		for (size_t k = 0; k < p->n; k++)
			put_recipient(p, &p->recipients[k], colour, out);
	}
}

static json_t *
text(const char *s)
{
	json_t *j = s != NULL ? json_string(s) : json_null();

	return j != NULL ? j : json_string("?"); /* not UTF-8 */
}

static json_t *
when(int64_t t)
{
	char out[WHEN_TEXT];

	if (t == WHEN_NONE)
		return json_null();
	when_rfc3339(t, out);
	return json_string(out);
}

static json_t *
recipient_json(const struct tstat_recipient *r)
{
	char code[STATUS_TEXT];

	status_format(r->status, code);
	return json_pack("{so, so, so, so, so, so, so}", "original_recipient",
	    text(r->original), "final_recipient", text(r->final), "action",
	    text(r->action != ACTION_NONE ? action_text(r->action) : NULL),
	    "status", text(r->status.klass != 0 ? code : NULL), "remote_mta",
	    text(r->remote_mta), "last_attempt", when(r->last_attempt),
	    "will_retry_until", when(r->will_retry_until));
}

static json_t *
part_json(const struct tstat_part *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, recipient_json(&p->recipients[i]));
	return json_pack("{so, so, so, so}", "envid", text(p->envid),
	    "reporting_mta", text(p->reporting_mta), "arrival",
	    when(p->arrival), "recipients", list);
}

json_t *
timeline_json(const struct tstat *t, const struct mtqp_uri *uri,
    const struct ask_tls *tls)
{
	json_t *parts = json_array();

	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(parts, part_json(&t->parts[i]));
	return json_pack("{so, so, s{sb, sb, so}, so}", "envid",
	    text(uri->envid), "server", text(uri->host), "tls", "active",
	    tls->active, "verified", tls->verified, "protocol",
	    text(tls->active ? tls->protocol : NULL), "parts", parts);
}
