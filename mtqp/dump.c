#include "mtqp/dump.h"

#include <jansson.h>
#include <stdlib.h>

#include "common/disposition.h"
#include "common/encode.h"
#include "common/log.h"

/* JSON is UTF-8; whatever isn't came from a stranger. */
static json_t *
json_text(struct span s)
{
	char *plain;
	json_t *j;

	if (s.n == 0)
		return json_null();
	if ((j = json_stringn(s.p, s.n)) != NULL)
		return j;
	if ((plain = malloc(s.n)) == NULL)
		return NULL;
	for (size_t i = 0; i < s.n; i++)
		plain[i] = (unsigned char)s.p[i] < 128 ? s.p[i] : '?';
	j = json_stringn(plain, s.n);
	free(plain);
	return j;
}

/* An address may be empty: the null sender. */
static json_t *
json_sender(struct span s)
{
	return s.n == 0 ? json_string("") : json_text(s);
}

static json_t *
json_time(int64_t t)
{
	char text[WHEN_TEXT];

	if (t == WHEN_NONE)
		return json_null();
	when_rfc3339(t, text);
	return json_string(text);
}

static json_t *
json_status(struct status s)
{
	char text[STATUS_TEXT];

	if (s.klass == 0)
		return json_null();
	status_format(s, text);
	return json_string(text);
}

/* Where it went and under which queue id, if not under the recipient's and
 * message's own. */
static json_t *
json_event(const struct event *e)
{
	json_t *j = json_pack("{so, ss, so, so, so}", "time",
	    json_time(e->time), "action", action_text(e->action), "status",
	    json_status(e->status), "remote_mta", json_text(e->remote_mta),
	    "text", json_text(e->text));

	if (e->address.n > 0)
		json_object_set_new(j, "address", json_text(e->address));
	if (e->queue_id.n > 0)
		json_object_set_new(j, "queue_id", json_text(e->queue_id));
	return j;
}

static json_t *
json_events(const struct message *m, uint32_t recipient)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_events; i++) {
		const struct event *e = &m->events[i];

		if (event_is_of(m, e, recipient))
			json_array_append_new(list, json_event(e));
	}
	return list;
}

/* "rfc822;bob@x", as Original-Recipient says it, is for MTQP; here the
 * address is what people search for. */
static json_t *
json_recipient(const struct message *m, uint32_t i, const struct conf *conf)
{
	const struct recipient *r = &m->recipients[i];
	struct disposition d;

	disposition_of(m, i, conf->queue_lifetime_s, &d);
	return json_pack("{so, so, ss, so, so, so, so, so}",
	    "original_recipient",
	    json_text(r->original.n > 0 ? r->original : r->address),
	    "final_recipient", json_text(d.final), "action",
	    action_text(d.action), "status", json_status(d.status),
	    "remote_mta", json_text(d.remote_mta), "last_attempt",
	    json_time(d.last_attempt), "will_retry_until",
	    json_time(d.will_retry_until), "events", json_events(m, i));
}

static json_t *
json_message(const struct message *m, const struct conf *conf)
{
	const struct retention keep = { conf->retention_s,
		conf->retention_limit_s };
	json_t *recipients = json_array();
	char certifier[CERTIFIER_TEXT + 2];

	base64_encode(m->certifier, sizeof m->certifier, BASE64_UNPADDED,
	    certifier, sizeof certifier);
	for (uint32_t i = 0; i < m->n_recipients; i++)
		json_array_append_new(recipients, json_recipient(m, i, conf));
	return json_pack("{so, ss, so, so, so, so, so, so, so, so, ss, so}",
	    "envid", json_text(m->envid), "certifier", certifier, "queue_id",
	    json_text(m->queue_id), "instance", json_text(m->instance),
	    "arrival", json_time(m->arrival), "expires",
	    json_time(message_expires(m, &keep)), "requested_timeout",
	    m->has_timeout ? json_integer(m->timeout_s) : json_null(), "sender",
	    json_sender(m->sender), "client", json_text(m->client),
	    "message_id", json_text(m->message_id), "reporting_mta",
	    conf->reporting_mta, "recipients", recipients);
}

/* ASCII: no stranger's word commands a terminal, or turns a line around. */
bool
dump_json(const struct message *m, const struct conf *conf, FILE *out)
{
	json_t *j = json_message(m, conf);
	bool ok = j != NULL &&
	    json_dumpf(j, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
	    fputc('\n', out) != EOF;

	json_decref(j);
	return ok;
}

static void
text_event(const struct event *e, FILE *out)
{
	char when[WHEN_TEXT], status[STATUS_TEXT], remote[2 * REMOTE_MAX];
	char text[512];

	when_rfc3339(e->time, when);
	status_format(e->status, status);
	fprintf(out, "    %s", when);
	if (e->action != ACTION_NONE)
		fprintf(out, " %s %s", action_text(e->action), status);
	if (e->remote_mta.n > 0)
		fprintf(out, " by %s",
		    log_quote(e->remote_mta, remote, sizeof remote));
	if (e->address.n > 0)
		fprintf(out, " to <%s>",
		    log_quote(e->address, remote, sizeof remote));
	if (e->queue_id.n > 0)
		fprintf(out, " as %s",
		    log_quote(e->queue_id, remote, sizeof remote));
	fprintf(out, " %s\n", log_quote(e->text, text, sizeof text));
}

static void
text_recipient(
    const struct message *m, uint32_t i, const struct conf *conf, FILE *out)
{
	char to[2 * ADDRESS_MAX], status[STATUS_TEXT];
	struct disposition d;

	disposition_of(m, i, conf->queue_lifetime_s, &d);
	status_format(d.status, status);
	fprintf(out, "  <%s> %s %s\n",
	    log_quote(m->recipients[i].address, to, sizeof to),
	    action_text(d.action), status);
	for (size_t n = 0; n < m->n_events; n++) {
		const struct event *e = &m->events[n];

		if (event_is_of(m, e, i))
			text_event(e, out);
	}
}

bool
dump_text(const struct message *m, const struct conf *conf, FILE *out)
{
	char when[WHEN_TEXT], envid[2 * ENVID_MAX], from[2 * ADDRESS_MAX];
	char id[64], client[64];

	when_rfc3339(m->arrival, when);
	fprintf(out, "%s %s from=<%s> client=%s envid=%s\n", when,
	    log_quote(m->queue_id, id, sizeof id),
	    log_quote(m->sender, from, sizeof from),
	    log_quote(m->client, client, sizeof client),
	    log_quote(m->envid, envid, sizeof envid));
	for (uint32_t i = 0; i < m->n_recipients; i++)
		text_recipient(m, i, conf, out);
	return !ferror(out);
}

/* With or without the brackets that it has in headers and here. */
static bool
same(struct span wanted, struct span have)
{
	return wanted.p == NULL || span_eq(span_bare(wanted), span_bare(have));
}

static bool
same_address(struct span wanted, struct span have)
{
	return wanted.p == NULL || address_equal(span_bare(wanted), have, true);
}

static bool
any_recipient(const struct message *m, struct span wanted)
{
	for (size_t i = 0; i < m->n_recipients; i++)
		if (same_address(wanted, m->recipients[i].address))
			return true;
	return wanted.p == NULL;
}

bool
dump_matches(const struct message *m, const struct dump_filter *f)
{
	return same(f->envid, m->envid) && same(f->queue_id, m->queue_id) &&
	    same(f->message_id, m->message_id) &&
	    same_address(f->sender, m->sender) &&
	    any_recipient(m, f->recipient);
}
