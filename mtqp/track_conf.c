#include "mtqp/track_conf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/conf.h"
#include "mtqp/home.h"
#include "mtqp/host.h"
#include "mtqp/letter.h"

enum type {
	TYPE_TEXT,
	TYPE_ADDRESS,
	TYPE_YES_NO,
	TYPE_HOST,
	TYPE_NAME,
	TYPE_TIMEOUT,
	TYPE_TIME
};

/* `at` is an offset into struct track_conf; `more` a text's room, or
 * where a TYPE_HOST's port and a TYPE_TIMEOUT's flag stand. */
static const struct setting {
	const char *name;
	enum type type;
	size_t at, more;
} settings[] = {
#define AT(field) offsetof(struct track_conf, field)
#define TEXT(field) \
	TYPE_TEXT, AT(field), sizeof(((struct track_conf *)0)->field)
	{ "Server", TYPE_HOST, AT(server), AT(server_port) },
	{ "MTQP", TYPE_HOST, AT(mtqp), AT(mtqp_port) },
	{ "Host", TYPE_NAME, AT(host), 0 },
	{ "From", TYPE_ADDRESS, AT(from),
	    sizeof(((struct track_conf *)0)->from) },
	{ "User", TEXT(user) },
	{ "PasswordCommand", TEXT(password_command) },
	{ "PasswordFile", TEXT(password_file) },
	{ "CA", TEXT(ca_file) },
	{ "Resolver", TEXT(resolver) },
	{ "AssumeMTRK", TYPE_YES_NO, AT(assume_mtrk), 0 },
	{ "RequireTLS", TYPE_YES_NO, AT(require_tls), 0 },
	{ "AllowPrivate", TYPE_YES_NO, AT(allow_private), 0 },
	{ "Timeout", TYPE_TIMEOUT, AT(timeout_s), AT(has_timeout) },
	{ "Keep", TYPE_TIME, AT(keep_s), 0 },
#undef TEXT
#undef AT
};

static const char *
set(struct track_conf *c, const struct setting *s, struct span value)
{
	void *at = (char *)c + s->at, *more = (char *)c + s->more;

	if (value.n == 0)
		return "a value is missing";
	switch (s->type) {
	case TYPE_TEXT:
		return span_copy(at, s->more, value) ? NULL : "too long";
	case TYPE_ADDRESS:
		return letter_is_address(value) && span_copy(at, s->more, value)
		    ? NULL
		    : "an address expected, without a name or <>";
	case TYPE_YES_NO:
		*(bool *)at = span_iis(value, "yes");
		return *(bool *)at || span_iis(value, "no")
		    ? NULL
		    : "yes or no expected";
	case TYPE_HOST:
		return host_parse(value, at, more) == MTRK_OK
		    ? NULL
		    : "HOST or HOST:PORT expected";
	case TYPE_NAME:
		return host_name(value, at) ? NULL : "a host's name expected";
	case TYPE_TIMEOUT:
		*(bool *)more = true;
		return conf_parse_time(value, at) &&
			*(uint64_t *)at <= MTRK_TIMEOUT_MAX
		    ? NULL
		    : "a time such as 36h, 9d expected";
	default:
		return conf_parse_time(value, at)
		    ? NULL
		    : "a time such as 36h, 9d expected";
	}
}

static const char *
take_line(struct track_conf *c, struct span line, bool *seen)
{
	size_t n = 0, i = 0;

	line = span_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return NULL;
	while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
		n++;
	while (i < ARRAY_LEN(settings) &&
	    !span_iis((struct span){ line.p, n }, settings[i].name))
		i++;
	if (i == ARRAY_LEN(settings))
		return "unknown setting";
	if (seen[i])
		return "given twice";
	seen[i] = true;
	return set(c, &settings[i], span_trim(span_from(line, n)));
}

static enum mtrk_err
take_lines(struct track_conf *c, FILE *f, const char *path, FILE *errors)
{
	bool seen[ARRAY_LEN(settings)] = { false };
	char line[2 * TRACK_CONF_TEXT];
	enum mtrk_err err = MTRK_OK;
	unsigned number = 0;

	while (fgets(line, sizeof line, f) != NULL) {
		struct span text = span_of(line);
		const char *why;

		number++;
		if (!span_ends(text, "\n") && !feof(f)) {
			fprintf(errors, "%s:%u: too long\n", path, number);
			return MTRK_SYNTAX;
		}
		while (text.n > 0 && strchr("\r\n", text.p[text.n - 1]) != NULL)
			text.n--;
		if ((why = take_line(c, text, seen)) == NULL)
			continue;
		fprintf(errors, "%s:%u: %s\n", path, number, why);
		err = MTRK_SYNTAX;
	}
	if (ferror(f)) {
		fprintf(errors, "%s: %m\n", path);
		return MTRK_IO;
	}
	return err;
}

static bool
own_path(char out[PATH_MAX])
{
	static const char name[] = "/track.conf";
	const size_t room = PATH_MAX - sizeof name;

	if (!home_path("XDG_CONFIG_HOME", ".config", out, room))
		return false;
	memcpy(out + strlen(out), name, sizeof name);
	return true;
}

/* It can name a command, so it is nobody else's: not even for root, who may
 * have got this HOME from somebody. */
static const char *
whose(const struct stat *sb)
{
	if (sb->st_mode & (S_IWGRP | S_IWOTH))
		return "others may write it: chmod go-w";
	if (sb->st_uid != geteuid() && sb->st_uid != 0)
		return "it belongs to somebody else";
	return NULL;
}

enum mtrk_err
track_conf_load(struct track_conf *c, FILE *errors)
{
	const char *path = c->path, *why;
	struct stat sb;
	enum mtrk_err err = MTRK_OK;
	FILE *f;

	*c = (struct track_conf){ .keep_s = KEEP_DAYS * (uint64_t)86400 };
	if (!own_path(c->path))
		return MTRK_OK;
	if ((f = fopen(path, "re")) == NULL) {
		if (errno == ENOENT || errno == ENOTDIR)
			return MTRK_OK;
		fprintf(errors, "%s: %m\n", path);
		return MTRK_IO;
	}
	why =
	    fstat(fileno(f), &sb) == 0 ? whose(&sb) : "cannot tell whose it is";
	if (why != NULL) {
		fprintf(errors, "%s: %s\n", path, why);
		err = MTRK_DENIED;
	}
	if (err == MTRK_OK)
		err = take_lines(c, f, path, errors);
	fclose(f);
	return err;
}
