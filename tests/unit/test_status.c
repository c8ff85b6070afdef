/* Actions (T15, T22) and status codes (T16). */
#include "tests/lib/cm.h"

#include "common/status.h"

/* T15: the seven of RFC 3886 3.3.3, in any case. */
static const struct {
	const char *text;
	enum action action;
} action_rows[] = {
	{ "failed", ACTION_FAILED },
	{ "delayed", ACTION_DELAYED },
	{ "delivered", ACTION_DELIVERED },
	{ "expanded", ACTION_EXPANDED },
	{ "relayed", ACTION_RELAYED },
	{ "transferred", ACTION_TRANSFERRED },
	{ "opaque", ACTION_OPAQUE },
	{ "Delivered", ACTION_DELIVERED },
	{ "OPAQUE", ACTION_OPAQUE },
	{ "", ACTION_NONE },
	{ "none", ACTION_NONE },
	{ "deliver", ACTION_NONE },
	{ "delivereds", ACTION_NONE },
	{ " delivered", ACTION_NONE },
	{ "forwarded", ACTION_NONE },
};

static void
actions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(action_rows); i++)
		if (action_of(span_of(action_rows[i].text)) !=
		    action_rows[i].action)
			fail_msg("T15 \"%s\"", action_rows[i].text);
}

/* H8: a word for each, and each word is its own again. */
static void
actions_both_ways(void **state)
{
	(void)state;
	for (unsigned a = ACTION_NONE; a < ACTION_COUNT; a++) {
		const char *text = action_text((enum action)a);

		assert_non_null(text);
		if (action_of(span_of(text)) != (enum action)a)
			fail_msg("T15 action %u, \"%s\"", a, text);
	}
	assert_string_equal(action_text(ACTION_COUNT), "none");
	assert_string_equal(action_text((enum action)1000), "none");
}

/* T16; what is valid is formatted as it was. */
static const struct {
	const char *text;
	bool valid;
} status_rows[] = {
	{ "2.0.0", true },
	{ "4.4.7", true },
	{ "5.2.2", true },
	{ "2.1.9", true }, /* T22 */
	{ "5.999.999", true },
	{ "5.1000.0", false },
	{ "5.0.1000", false },
	{ "2.10.100", true },
	{ "0.0.0", false },
	{ "1.0.0", false },
	{ "3.0.0", false },
	{ "6.0.0", false },
	{ "9.0.0", false },
	{ "22.0.0", false },
	{ "02.0.0", false },
	{ "2.00.0", false },
	{ "2.01.0", false },
	{ "2.0.01", false },
	{ "2.0", false },
	{ "2", false },
	{ "", false },
	{ "...", false },
	{ "2..0", false },
	{ "2.0.", false },
	{ ".0.0", false },
	{ "2.0.0.0", false },
	{ "2.0.0 ", false },
	{ " 2.0.0", false },
	{ "2. 0.0", false },
	{ "2.0.0 (ok)", false },
	{ "2.-1.0", false },
	{ "2.+1.0", false },
	{ "2.a.0", false },
	{ "x.0.0", false },
	{ "2,0,0", false },
};

static void
statuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(status_rows); i++) {
		const char *text = status_rows[i].text;
		struct status s;
		char back[STATUS_TEXT];
		enum mtrk_err err = status_parse(span_of(text), &s);

		if (err != (status_rows[i].valid ? MTRK_OK : MTRK_SYNTAX))
			fail_msg("T16 \"%s\": %s", text, mtrk_err_text(err));
		status_format(s, back);
		if (strcmp(back, err == MTRK_OK ? text : "0.0.0") != 0)
			fail_msg("T16 \"%s\" became \"%s\"", text, back);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(actions),
		cmocka_unit_test(actions_both_ways),
		cmocka_unit_test(statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
