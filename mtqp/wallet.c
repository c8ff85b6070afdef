#include "mtqp/wallet.h"

#include <stdio.h>

#include "common/utf8.h"
#include "common/when.h"
#include "mtqp/datafile.h"

#define WALLET_FILE "sent.json"

enum { TEXT_MAX = 4096 /* octets of a field; ours */ };

/* JSON is UTF-8; what isn't is "?". */
static json_t *
as_text(const char *s)
{
	char clean[TEXT_MAX];

	utf8_copy(clean, sizeof clean, span_of(s));
	return json_string(clean);
}

static json_t *
entry_json(const struct wallet_entry *e, uint64_t number)
{
	json_t *rcpts = json_array();
	char when[WHEN_TEXT];

	for (size_t i = 0; i < e->n_recipients; i++)
		json_array_append_new(rcpts, as_text(e->recipients[i]));
	when_rfc3339(e->time, when);
	return json_pack("{sI, ss, ss, ss, si, ss, so, so, so, ss}", "number",
	    (json_int_t)number, "time", when, "envid", e->uri.envid, "secret",
	    e->uri.secret, "port", (int)e->uri.port, "server", e->uri.host,
	    "recipients", rcpts, "subject", as_text(e->subject), "message_id",
	    as_text(e->message_id), "state", "unsent");
}

uint64_t
wallet_number(const json_t *e)
{
	return (uint64_t)json_integer_value(json_object_get(e, "number"));
}

enum mtrk_err
wallet_add(const struct wallet_entry *entry, uint64_t *number, char *why)
{
	struct datafile w;
	enum mtrk_err err = datafile_open(&w, WALLET_FILE, why);
	json_t *e;
	size_t i;

	if (err != MTRK_OK)
		return err;
	*number = 1;
	json_array_foreach(w.entries, i,
	    e) if (wallet_number(e) >= *number) *number = wallet_number(e) + 1;
	e = entry_json(entry, *number);
	if (e == NULL || json_array_append_new(w.entries, e) != 0) {
		snprintf(why, WALLET_WHY_MAX, "cannot make an entry of it");
		err = MTRK_SYNTAX;
	} else {
		err = datafile_save(&w);
	}
	datafile_close(&w);
	return err;
}

static json_t *
find(const struct datafile *w, uint64_t number)
{
	json_t *e;
	size_t i;

	json_array_foreach(
	    w->entries, i, e) if (wallet_number(e) == number) return e;
	snprintf(w->why, WALLET_WHY_MAX, "there is no message %llu in %.1000s",
	    (unsigned long long)number, w->path);
	return NULL;
}

enum mtrk_err
wallet_set_state(uint64_t number, const char *state, char *why)
{
	struct datafile w;
	enum mtrk_err err = datafile_open(&w, WALLET_FILE, why);
	json_t *e;

	if (err != MTRK_OK)
		return err;
	if ((e = find(&w, number)) == NULL)
		err = MTRK_NOTFOUND;
	else if (json_object_set_new(e, "state", json_string(state)) != 0)
		err = MTRK_NOMEM;
	else
		err = datafile_save(&w);
	datafile_close(&w);
	return err;
}

static bool
take_text(const json_t *e, const char *key, char *out, size_t size)
{
	return span_copy(
	    out, size, span_of(json_string_value(json_object_get(e, key))));
}

static enum mtrk_err
take_uri(const json_t *e, struct mtqp_uri *uri, char *why)
{
	const json_int_t port = json_integer_value(json_object_get(e, "port"));

	*uri = (struct mtqp_uri){ .port = (uint16_t)port };
	if (port < 0 || port > UINT16_MAX ||
	    !take_text(e, "server", uri->host, sizeof uri->host) ||
	    !take_text(e, "envid", uri->envid, sizeof uri->envid) ||
	    !take_text(e, "secret", uri->secret, sizeof uri->secret)) {
		snprintf(why, WALLET_WHY_MAX, "entry %llu is damaged",
		    (unsigned long long)wallet_number(e));
		return MTRK_CORRUPT;
	}
	return MTRK_OK;
}

enum mtrk_err
wallet_find(uint64_t number, struct mtqp_uri *uri, char *why)
{
	struct datafile w;
	enum mtrk_err err = datafile_read(&w, WALLET_FILE, why);
	const json_t *e;

	if (err != MTRK_OK)
		return err;
	e = find(&w, number);
	err = e != NULL ? take_uri(e, uri, why) : MTRK_NOTFOUND;
	datafile_close(&w);
	return err;
}

enum mtrk_err
wallet_find_message(struct span id, struct mtqp_uri *uri, char *why)
{
	struct datafile w;
	enum mtrk_err err = datafile_read(&w, WALLET_FILE, why);
	size_t i;

	if (err != MTRK_OK)
		return err;
	snprintf(why, WALLET_WHY_MAX,
	    "this message was not sent with mtrk-track from here, or is "
	    "forgotten");
	err = MTRK_NOTFOUND;
	for (i = json_array_size(w.entries); i > 0 && err == MTRK_NOTFOUND;) {
		const json_t *e = json_array_get(w.entries, --i);

		if (id.n > 0 &&
		    span_is(id,
			json_string_value(json_object_get(e, "message_id"))))
			err = take_uri(e, uri, why);
	}
	datafile_close(&w);
	return err;
}

enum mtrk_err
wallet_forget(bool (*goes)(const json_t *entry, void *arg), void *arg,
    size_t *n, char *why)
{
	struct datafile w;
	enum mtrk_err err = datafile_open(&w, WALLET_FILE, why);
	size_t i;

	*n = 0;
	if (err != MTRK_OK)
		return err;
	for (i = json_array_size(w.entries); i > 0; i--)
		if (goes(json_array_get(w.entries, i - 1), arg)) {
			json_array_remove(w.entries, i - 1);
			(*n)++;
		}
	if (*n > 0)
		err = datafile_save(&w);
	datafile_close(&w);
	return err;
}

enum mtrk_err
wallet_all(json_t **out, char *why)
{
	struct datafile w;
	enum mtrk_err err = datafile_read(&w, WALLET_FILE, why);

	*out = err == MTRK_OK ? json_incref(w.entries) : NULL;
	if (err == MTRK_OK)
		datafile_close(&w);
	return err;
}
