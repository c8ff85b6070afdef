/* What was sent, on the sender's disk: modes, numbers, states, damage. */
#include "tests/lib/cm.h"

#include <sys/stat.h>

#include "mtqp/wallet.h"

static char dir[256], path[300], why[WALLET_WHY_MAX];

static int
setup(void **state)
{
	(void)state;
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/mtrk/sent.json", dir);
	return setenv("XDG_DATA_HOME", dir, 1);
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

static uint64_t
add(const char *envid, const char *subject)
{
	static char rcpt[] = "bob@x.test";
	static char *rcpts[] = { rcpt };
	struct wallet_entry e = { .time = 1700000000,
		.recipients = rcpts,
		.n_recipients = 1,
		.subject = subject,
		.message_id = "" };
	char id[64];
	uint64_t n = 0;

	snprintf(id, sizeof id, "<%s.id>", envid);
	e.message_id = id;

	snprintf(e.uri.host, sizeof e.uri.host, "mx.test");
	snprintf(e.uri.envid, sizeof e.uri.envid, "%s", envid);
	snprintf(e.uri.secret, sizeof e.uri.secret, "QUJD");
	e.uri.port = 2038;
	assert_int_equal(wallet_add(&e, &n, why), MTRK_OK);
	return n;
}

static void
there_and_back(void **state)
{
	struct mtqp_uri uri;
	struct stat sb;
	json_t *all;

	(void)state;
	assert_int_equal(add("1@h", "hello"), 1);
	assert_int_equal(add("2@h", "\xff not UTF-8"), 2);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	assert_int_equal(wallet_find(2, &uri, why), MTRK_OK);
	assert_string_equal(uri.envid, "2@h");
	assert_string_equal(uri.secret, "QUJD");
	assert_int_equal(uri.port, 2038);
	assert_int_equal(wallet_find(3, &uri, why), MTRK_NOTFOUND);
	assert_non_null(strstr(why, "no message 3"));
	assert_int_equal(wallet_set_state(1, "sent", why), MTRK_OK);
	assert_int_equal(wallet_set_state(7, "sent", why), MTRK_NOTFOUND);
	assert_int_equal(wallet_all(&all, why), MTRK_OK);
	assert_int_equal(json_array_size(all), 2);
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(all, 0), "state")),
	    "sent");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(all, 1), "state")),
	    "unsent");
	json_decref(all);
}

/* As many recipients as fit into a command line of 2 MB. */
static void
many_recipients(void **state)
{
	enum { MANY = 7000, LENGTH = 280 };
	static char texts[MANY][LENGTH + 1];
	static char *rcpts[MANY];
	struct wallet_entry e = { .recipients = rcpts,
		.n_recipients = MANY,
		.subject = "",
		.message_id = "",
		.uri = { "mx.test", 0, "1@h", "QUJD" } };
	struct mtqp_uri uri;
	uint64_t n = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		memset(texts[i], 'x', LENGTH);
		rcpts[i] = texts[i];
	}
	assert_int_equal(wallet_add(&e, &n, why), MTRK_OK);
	assert_int_equal(wallet_find(n, &uri, why), MTRK_OK);
	assert_string_equal(uri.secret, "QUJD");
}

static bool
is_odd(const json_t *e, void *arg)
{
	(void)arg;
	return wallet_number(e) % 2 == 1;
}

/* A forgotten secret is not in the file any more; the rest stays. */
static void
forget(void **state)
{
	struct mtqp_uri uri;
	char text[4096] = "";
	size_t n;
	FILE *f;

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		char envid[16];

		snprintf(envid, sizeof envid, "%u@h", i);
		assert_int_equal(add(envid, ""), i);
	}
	assert_int_equal(
	    wallet_find_message(SPAN("<2@h.id>"), &uri, why), MTRK_OK);
	assert_string_equal(uri.envid, "2@h");
	assert_int_equal(
	    wallet_find_message(SPAN("<9@h.id>"), &uri, why), MTRK_NOTFOUND);
	assert_int_equal(
	    wallet_find_message(SPAN(""), &uri, why), MTRK_NOTFOUND);
	assert_int_equal(wallet_forget(is_odd, NULL, &n, why), MTRK_OK);
	assert_int_equal(n, 2);
	assert_int_equal(wallet_find(2, &uri, why), MTRK_OK);
	assert_int_equal(wallet_find(1, &uri, why), MTRK_NOTFOUND);
	assert_non_null(f = fopen(path, "r"));
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	fclose(f);
	assert_null(strstr(text, "1@h"));
	assert_non_null(strstr(text, "2@h"));
}

/* A damaged file is told with its line and never written over. */
static void
damage(void **state)
{
	struct stat before, after;
	struct wallet_entry e = { .subject = "", .message_id = "" };
	uint64_t n;
	FILE *f;

	(void)state;
	add("1@h", "");
	assert_non_null(f = fopen(path, "a"));
	fputs("{ half\n", f);
	fclose(f);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(wallet_add(&e, &n, why), MTRK_CORRUPT);
	assert_non_null(strstr(why, "sent.json:2:"));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
}

static void
nowhere(void **state)
{
	struct wallet_entry e = { .subject = "", .message_id = "" };
	uint64_t n;

	(void)state;
	setenv("XDG_DATA_HOME", "/proc/nowhere", 1);
	assert_int_equal(wallet_add(&e, &n, why), MTRK_IO);
	assert_non_null(strstr(why, "/proc/nowhere"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    there_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    many_recipients, setup, teardown),
		cmocka_unit_test_setup_teardown(forget, setup, teardown),
		cmocka_unit_test_setup_teardown(damage, setup, teardown),
		cmocka_unit_test_setup_teardown(nowhere, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
