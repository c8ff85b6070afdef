#include "mtqp/timeline_json.h"

#include "mtqp/timeline.h"

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
parts_json(const struct tstat *t)
{
	json_t *parts = json_array();

	for (size_t p = 0; p < t->n; p++) {
		const struct tstat_part *part = &t->parts[p];
		json_t *list = json_array();

		for (size_t i = 0; i < part->n; i++)
			json_array_append_new(
			    list, recipient_json(&part->recipients[i]));
		json_array_append_new(parts,
		    json_pack("{so, so, so, so}", "envid", text(part->envid),
			"reporting_mta", text(part->reporting_mta), "arrival",
			when(part->arrival), "recipients", list));
	}
	return parts;
}

static json_t *
tls_json(const struct ask_tls *tls)
{
	return json_pack("{sb, sb, so}", "active", tls->active, "verified",
	    tls->verified, "protocol",
	    text(tls->active ? tls->protocol : NULL));
}

static json_t *
alarm_json(const struct hop *h)
{
	return text(h->alarm[0] != '\0' ? h->alarm : NULL);
}

static json_t *
server_name(const struct hops *h, size_t i)
{
	return text(i != HOPS_NONE ? h->list[i].host : NULL);
}

static json_t *
hop_json(const struct hops *h, const struct hop *hop)
{
	static const char *const states[] = { [HOP_WAITING] = "waiting",
		[HOP_ANSWERED] = "answered",
		[HOP_SAME] = "same",
		[HOP_FAILED] = "failed",
		[HOP_NOT_ASKED] = "not-asked" };
	bool told = hop->state == HOP_ANSWERED || hop->state == HOP_SAME;

	return json_pack("{so, si, si, so, ss, so, so, so, so, so}", "server",
	    text(hop->host), "port", (int)hop->port, "depth", (int)hop->depth,
	    "told_by", server_name(h, hop->told_by), "state",
	    states[hop->state], "same_as",
	    server_name(h, hop->state == HOP_SAME ? hop->same : HOPS_NONE),
	    "error", text(told ? NULL : hop->why), "tls", tls_json(&hop->tls),
	    "alarm", alarm_json(hop), "parts", parts_json(&hop->answer));
}

static json_t *
hops_json(const struct hops *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n; i++)
		json_array_append_new(list, hop_json(h, &h->list[i]));
	return list;
}

static json_t *
step_json(const struct hops *h, const struct step *s)
{
	static const char *const ends[] = { [STEP_GOES_ON] = "goes-on",
		[STEP_ENDS] = "ends",
		[STEP_NO_SERVER] = "no-server",
		[STEP_NOT_THERE] = "not-there",
		[STEP_NOWHERE] = "nowhere",
		[STEP_LOOP] = "loop" };
	json_t *j = recipient_json(s->recipient);
	json_t *more = json_pack("{so, so, so, si, ss, so}", "server",
	    server_name(h, s->hop), "reporting_mta",
	    text(s->part->reporting_mta), "arrival", when(s->part->arrival),
	    "depth", (int)s->depth, "end", ends[s->end], "missing",
	    text(timeline_missing(h, s)));

	json_object_update(j, more);
	json_decref(more);
	return j;
}

static json_t *
ways_json(const struct hops *h, const struct ways *w)
{
	static const char *const outcomes[] = { [TRACK_WELL] = "well",
		[TRACK_UNDER_WAY] = "under-way",
		[TRACK_FAILED] = "failed",
		[TRACK_NO_INFORMATION] = "no-information" };
	json_t *list = json_array();

	for (size_t i = 0, end; i < w->n; i = end) {
		json_t *steps = json_array();

		end = timeline_end(w, i);
		for (size_t k = i; k < end; k++)
			json_array_append_new(
			    steps, step_json(h, &w->steps[k]));
		json_array_append_new(list,
		    json_pack("{so, ss, ss, so}", "original_recipient",
			text(w->steps[i].recipient->original), "outcome",
			outcomes[timeline_status_at(w, i)], "word",
			timeline_word(w, i), "steps", steps));
	}
	return list;
}

json_t *
timeline_json(
    const struct hops *h, const struct ways *w, const struct mtqp_uri *uri)
{
	return json_pack("{so, so, so, so, so, so}", "envid", text(uri->envid),
	    "server", text(uri->host), "tls", tls_json(&h->list[0].tls),
	    "parts", parts_json(&h->list[0].answer), "hops", hops_json(h),
	    "ways", ways_json(h, w));
}
