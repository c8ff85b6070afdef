#include "mtqp/wallet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/when.h"

enum { LINE_MAX_LEN = 1 << 20 /* octets of an entry; ours */ };

struct wallet {
	char dir[PATH_MAX], path[PATH_MAX + 16], lock[PATH_MAX + 16];
	int lock_fd;
	json_t *entries;
	char *why;
};

static enum mtrk_err
fail(struct wallet *w, const char *path)
{
	snprintf(w->why, WALLET_WHY_MAX, "%.1000s: %m", path);
	return MTRK_IO;
}

static bool
set_paths(struct wallet *w)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n;

	if (data != NULL && data[0] == '/')
		n = snprintf(w->dir, sizeof w->dir, "%s/mtrk", data);
	else
		n = snprintf(w->dir, sizeof w->dir, "%s/.local/share/mtrk",
		    home != NULL ? home : "");
	snprintf(w->path, sizeof w->path, "%s/sent.json", w->dir);
	snprintf(w->lock, sizeof w->lock, "%s/lock", w->dir);
	return n > 0 && n < PATH_MAX;
}

/* mkdir -p, 0700 for what is ours to make. */
static bool
make_dirs(char *path)
{
	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return false;
		*p = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* A line that doesn't parse is kept out, never written over silently. */
static enum mtrk_err
read_entries(struct wallet *w)
{
	FILE *f = fopen(w->path, "re");
	char *line = NULL;
	size_t room = 0;
	unsigned number = 0;
	enum mtrk_err err = MTRK_OK;

	if (f == NULL)
		return errno == ENOENT ? MTRK_OK : fail(w, w->path);
	while (err == MTRK_OK && getline(&line, &room, f) > 0) {
		json_t *e = json_loads(line, 0, NULL);

		number++;
		if (!json_is_object(e) || room > LINE_MAX_LEN) {
			snprintf(w->why, WALLET_WHY_MAX,
			    "%.1000s:%u: not an entry of mtrk-track", w->path,
			    number);
			err = MTRK_CORRUPT;
			json_decref(e);
		} else {
			json_array_append_new(w->entries, e);
		}
	}
	free(line);
	fclose(f);
	return err;
}

static void
wallet_close(struct wallet *w)
{
	json_decref(w->entries);
	if (w->lock_fd != -1)
		close(w->lock_fd);
}

static enum mtrk_err
wallet_open(struct wallet *w, char *why)
{
	enum mtrk_err err;

	*w = (struct wallet){ .lock_fd = -1, .why = why };
	if (!set_paths(w) || !make_dirs(w->dir))
		return fail(w, w->dir);
	w->lock_fd = open(w->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (w->lock_fd == -1 || flock(w->lock_fd, LOCK_EX) == -1) {
		fail(w, w->lock);
		wallet_close(w);
		return MTRK_IO;
	}
	w->entries = json_array();
	err = w->entries == NULL ? MTRK_NOMEM : read_entries(w);
	if (err != MTRK_OK)
		wallet_close(w);
	return err;
}

static bool
write_entries(const struct wallet *w, FILE *f)
{
	size_t i;
	json_t *e;

	json_array_foreach(
	    w->entries, i, e) if (json_dumpf(e, f, JSON_COMPACT) != 0 ||
	    fputc('\n', f) == EOF) return false;
	return fflush(f) == 0 && fsync(fileno(f)) == 0;
}

/* Beside the old one, made durable, then in its place. */
static enum mtrk_err
save(struct wallet *w)
{
	char temp[PATH_MAX + 32];
	FILE *f = NULL;
	int fd, dir;
	bool ok;

	snprintf(temp, sizeof temp, "%s.new", w->path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || (f = fdopen(fd, "w")) == NULL)
		return fail(w, temp);
	ok = fchmod(fd, 0600) == 0 && write_entries(w, f);
	if (fclose(f) != 0 || !ok || rename(temp, w->path) == -1) {
		fail(w, temp);
		unlink(temp);
		return MTRK_IO;
	}
	dir = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir != -1) {
		fsync(dir);
		close(dir);
	}
	return MTRK_OK;
}

static json_t *
entry_json(const struct wallet_entry *e, uint64_t number)
{
	json_t *rcpts = json_array();
	char when[WHEN_TEXT];
	json_t *subject = json_string(e->subject);
	json_t *id = json_string(e->message_id);

	for (size_t i = 0; i < e->n_recipients; i++)
		json_array_append_new(rcpts, json_string(e->recipients[i]));
	when_rfc3339(e->time, when);
	if (subject == NULL) /* not UTF-8 */
		subject = json_string("?");
	if (id == NULL)
		id = json_string("");
	return json_pack("{sI, ss, ss, ss, si, ss, so, so, so, ss}", "number",
	    (json_int_t)number, "time", when, "envid", e->uri.envid, "secret",
	    e->uri.secret, "port", (int)e->uri.port, "server", e->uri.host,
	    "recipients", rcpts, "subject", subject, "message_id", id, "state",
	    "unsent");
}

uint64_t
wallet_number(const json_t *e)
{
	return (uint64_t)json_integer_value(json_object_get(e, "number"));
}

enum mtrk_err
wallet_add(const struct wallet_entry *entry, uint64_t *number, char *why)
{
	struct wallet w;
	enum mtrk_err err = wallet_open(&w, why);
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
		err = save(&w);
	}
	wallet_close(&w);
	return err;
}

static json_t *
find(const struct wallet *w, uint64_t number)
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
	struct wallet w;
	enum mtrk_err err = wallet_open(&w, why);
	json_t *e;

	if (err != MTRK_OK)
		return err;
	if ((e = find(&w, number)) == NULL)
		err = MTRK_NOTFOUND;
	else if (json_object_set_new(e, "state", json_string(state)) != 0)
		err = MTRK_NOMEM;
	else
		err = save(&w);
	wallet_close(&w);
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
	*uri = (struct mtqp_uri){ 0 };
	if (!take_text(e, "server", uri->host, sizeof uri->host) ||
	    !take_text(e, "envid", uri->envid, sizeof uri->envid) ||
	    !take_text(e, "secret", uri->secret, sizeof uri->secret)) {
		snprintf(why, WALLET_WHY_MAX, "entry %llu is damaged",
		    (unsigned long long)wallet_number(e));
		return MTRK_CORRUPT;
	}
	uri->port = (uint16_t)json_integer_value(json_object_get(e, "port"));
	return MTRK_OK;
}

enum mtrk_err
wallet_find(uint64_t number, struct mtqp_uri *uri, char *why)
{
	struct wallet w;
	enum mtrk_err err = wallet_open(&w, why);
	const json_t *e;

	if (err != MTRK_OK)
		return err;
	e = find(&w, number);
	err = e != NULL ? take_uri(e, uri, why) : MTRK_NOTFOUND;
	wallet_close(&w);
	return err;
}

enum mtrk_err
wallet_find_message(struct span id, struct mtqp_uri *uri, char *why)
{
	struct wallet w;
	enum mtrk_err err = wallet_open(&w, why);
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
	wallet_close(&w);
	return err;
}

enum mtrk_err
wallet_forget(bool (*goes)(const json_t *entry, void *arg), void *arg,
    size_t *n, char *why)
{
	struct wallet w;
	enum mtrk_err err = wallet_open(&w, why);
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
		err = save(&w);
	wallet_close(&w);
	return err;
}

enum mtrk_err
wallet_all(json_t **out, char *why)
{
	struct wallet w;
	enum mtrk_err err = wallet_open(&w, why);

	*out = err == MTRK_OK ? json_incref(w.entries) : NULL;
	if (err == MTRK_OK)
		wallet_close(&w);
	return err;
}
