#include "mtqp/known_servers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/encode.h"
#include "common/when.h"
#include "mtqp/discover.h"

#define KNOWN_FILE "servers.json"
enum { KEY_TEXT = 48 };

static const char *
text_of(const json_t *e, const char *key)
{
	const char *s = json_string_value(json_object_get(e, key));

	return s != NULL ? s : "";
}

static json_t *
find(const struct datafile *f, const char *host, size_t *at)
{
	for (*at = 0; *at < json_array_size(f->entries); (*at)++) {
		json_t *e = json_array_get(f->entries, *at);

		if (strcasecmp(text_of(e, "host"), host) == 0)
			return e;
	}
	return NULL;
}

static void
key_text(const struct ask_tls *tls, char out[KEY_TEXT])
{
	out[0] = '\0';
	if (tls->has_key &&
	    base64_encode(tls->key, sizeof tls->key, BASE64_UNPADDED, out,
		KEY_TEXT) != MTRK_OK)
		out[0] = '\0';
}

static enum alarm
compare(const json_t *before, const struct ask_tls *tls, const char *key)
{
	const char *known = text_of(before, "key");

	if (before == NULL || known[0] == '\0')
		return ALARM_NONE;
	if (!tls->active)
		return ALARM_NO_TLS;
	if (strcmp(known, key) == 0)
		return ALARM_NONE;
	return tls->verified ? ALARM_NEW_KEY : ALARM_OTHER_KEY;
}

/* The key, and since when; "" and since when it was seen without TLS. */
static bool
set(struct datafile *f, json_t *e, const char *host, const char *key)
{
	char now[WHEN_TEXT];

	when_rfc3339(time(NULL), now);
	if (e == NULL) {
		e = json_pack("{ss}", "host", host);
		if (e == NULL || json_array_append_new(f->entries, e) != 0)
			return false;
	}
	return json_object_set_new(e, "key", json_string(key)) == 0 &&
	    json_object_set_new(e, "since", json_string(now)) == 0;
}

static enum mtrk_err
remember(const char *host, const char *key, char why[DATAFILE_WHY_MAX])
{
	struct datafile f;
	enum mtrk_err err = datafile_open(&f, KNOWN_FILE, why);
	size_t at;

	if (err != MTRK_OK)
		return err;
	err = set(&f, find(&f, host, &at), host, key) ? datafile_save(&f)
						      : MTRK_NOMEM;
	datafile_close(&f);
	return err;
}

enum mtrk_err
known_servers_note(const char *host, const struct ask_tls *tls,
    enum alarm *alarm, char since[SINCE_TEXT], char why[DATAFILE_WHY_MAX])
{
	struct datafile f;
	char key[KEY_TEXT];
	enum mtrk_err err;
	const json_t *e;
	size_t at;
	bool same;

	*alarm = ALARM_NONE;
	since[0] = '\0';
	/* a handshake that failed has said so, and tells nothing */
	if (!tls->greeted || tls->offered != tls->active ||
	    !discover_is_fqdn(host))
		return MTRK_OK;
	if ((err = datafile_read(&f, KNOWN_FILE, why)) != MTRK_OK)
		return err;
	e = find(&f, host, &at);
	key_text(tls, key);
	*alarm = compare(e, tls, key);
	snprintf(since, SINCE_TEXT, "%s", text_of(e, "since"));
	same = e != NULL && strcmp(text_of(e, "key"), key) == 0;
	datafile_close(&f);
	return same || *alarm == ALARM_NO_TLS || *alarm == ALARM_OTHER_KEY
	    ? MTRK_OK
	    : remember(host, key, why);
}

enum mtrk_err
known_servers_forget(const char *host, char why[DATAFILE_WHY_MAX])
{
	struct datafile f;
	enum mtrk_err err = datafile_open(&f, KNOWN_FILE, why);
	size_t at;

	if (err != MTRK_OK)
		return err;
	if (find(&f, host, &at) != NULL) {
		json_array_remove(f.entries, at);
		err = datafile_save(&f);
	} else {
		snprintf(why, DATAFILE_WHY_MAX, "%s is not known", host);
		err = MTRK_NOTFOUND;
	}
	datafile_close(&f);
	return err;
}
