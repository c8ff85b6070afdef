#include "mtqp/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
fail(const char *from, const char *why)
{
	fprintf(stderr, "mtrk-track: no password from %s: %s\n", from, why);
	return false;
}

static bool
read_line(FILE *f, const char *from, char out[PASSWORD_MAX])
{
	size_t n;

	if (fgets(out, PASSWORD_MAX, f) == NULL)
		return fail(from, "it tells nothing");
	n = strcspn(out, "\r\n");
	if (out[n] == '\0' && n == PASSWORD_MAX - 1)
		return fail(from, "it is too long");
	out[n] = '\0';
	return true;
}

static bool
of_environment(const char *value, char out[PASSWORD_MAX])
{
	return span_copy(out, PASSWORD_MAX, span_of(value)) ||
	    fail("MTRK_PASSWORD", "it is too long");
}

static bool
of_command(const char *command, char out[PASSWORD_MAX])
{
	/* the person's own words, for their own shell */
	FILE *f = popen(command, "re"); // NOLINT(cert-env33-c)
	bool ok;

	if (f == NULL) {
		fprintf(stderr,
		    "mtrk-track: no password from PasswordCommand: %m\n");
		return false;
	}
	ok = read_line(f, "PasswordCommand", out);
	/* it isn't to fail because nobody listens to the rest */
	while (getc(f) != EOF)
		;
	if (pclose(f) == 0)
		return ok;
	return ok ? fail("PasswordCommand", "it failed") : false;
}

static bool
of_file(const char *path, char out[PASSWORD_MAX])
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (f == NULL) {
		fprintf(stderr, "mtrk-track: no password from %s: %m\n", path);
		return false;
	}
	ok = read_line(f, path, out);
	fclose(f);
	return ok;
}

bool
password_read(const struct track_conf *c, char out[PASSWORD_MAX])
{
	const char *value = getenv("MTRK_PASSWORD");

	if (value != NULL)
		return of_environment(value, out);
	if (c->password_command[0] != '\0')
		return of_command(c->password_command, out);
	if (c->password_file[0] != '\0')
		return of_file(c->password_file, out);
	fprintf(stderr,
	    "mtrk-track: a login needs PasswordCommand, --password-file or "
	    "MTRK_PASSWORD\n");
	return false;
}
