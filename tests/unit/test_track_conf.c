/* mtqp/track_conf.c: a person's own settings, their faults, their mode. */
#include <sys/stat.h>

#include "mtqp/track_conf.h"
#include "tests/lib/cm.h"

static char dir[256], path[320];

static int
setup(void **state)
{
	char folder[300];

	(void)state;
	scratch_make(dir);
	snprintf(folder, sizeof folder, "%s/mtrk", dir);
	snprintf(path, sizeof path, "%s/track.conf", folder);
	return setenv("XDG_CONFIG_HOME", dir, 1) != 0 ||
	    mkdir(folder, 0700) != 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

static enum mtrk_err
load(const char *text, struct track_conf *c, char *errors, size_t size)
{
	FILE *f = fopen(path, "w"), *e;
	enum mtrk_err err;

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	memset(errors, 0, size);
	assert_non_null(e = fmemopen(errors, size - 1, "w"));
	err = track_conf_load(c, e);
	fclose(e);
	return err;
}

static void
settings(void **state)
{
	struct track_conf c;
	char errors[500];

	(void)state;
	assert_int_equal(track_conf_load(&c, stderr), MTRK_OK); /* no file */
	assert_int_equal(c.keep_s, KEEP_DAYS * 86400);
	assert_int_equal(load("# mine\n\nserver  mail.example:587\r\n"
			      "MTQP träck.example\nTimeout 2d\n"
			      "PasswordCommand pass show mail | head -1\n"
			      "RequireTLS YES\nKeep 60d",
			     &c, errors, sizeof errors),
	    MTRK_OK);
	assert_string_equal(c.server, "mail.example");
	assert_int_equal(c.server_port, 587);
	assert_string_equal(c.mtqp, "xn--trck-moa.example");
	assert_int_equal(c.mtqp_port, 0);
	assert_string_equal(c.password_command, "pass show mail | head -1");
	assert_true(c.require_tls && !c.assume_mtrk && c.has_timeout);
	assert_int_equal(c.timeout_s, 2 * 86400);
	assert_int_equal(c.keep_s, 60 * 86400);
}

/* Every fault names the file, the line and the reason. */
static void
faults(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "Server x\nColour red\n", "track.conf:2: unknown setting" },
		{ "Server x\nServer y\n", "track.conf:2: given twice" },
		{ "From <a@x>\n", "track.conf:1: an address expected" },
		{ "RequireTLS perhaps\n", "track.conf:1: yes or no" },
		{ "Server a:b:c:d:\n", "track.conf:1: HOST" },
		{ "Host a\"b\n", "track.conf:1: a host's name" },
		{ "Host a:25\n", "track.conf:1: a host's name" },
		{ "From\n", "track.conf:1: a value is missing" },
		{ "Timeout 9999999999\n", "track.conf:1: a time" },
		{ "Keep soon\n", "track.conf:1: a time" },
	};
	struct track_conf c;
	char errors[500];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum mtrk_err err =
		    load(cases[i].text, &c, errors, sizeof errors);

		if (err != MTRK_SYNTAX || strstr(errors, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, errors);
	}
}

/* It can name a command, so nobody else may write it. */
static void
written_by_others(void **state)
{
	struct track_conf c;
	char errors[500];

	(void)state;
	load("Server x\n", &c, errors, sizeof errors);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(
	    load("Server x\n", &c, errors, sizeof errors), MTRK_DENIED);
	assert_non_null(strstr(errors, "chmod go-w"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(settings, setup, teardown),
		cmocka_unit_test_setup_teardown(faults, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    written_by_others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
