/* What a milter session makes of MAIL, RCPT and the end; S12-S22, S26, A18. */
#include "tests/lib/cm.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "milter/session.h"

#define CERT "VheLhqV/rCKJmplkGFwsyW59pYk"

static struct session *s;

static int
setup(void **state)
{
	(void)state;
	return (s = session_new()) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	session_free(&s);
	return 0;
}

static enum carried
mail(const char *a, const char *b)
{
	const char *argv[] = { "<a@x.test>", a, b, NULL };
	const char *why = "";

	return session_mail(s, argv, 1000, &why);
}

static void
rcpt(const char *address, const char *p1, const char *p2)
{
	const char *argv[] = { address, p1, p2, NULL };

	session_rcpt(s, argv);
}

/* design.md 3: three spellings, any place, any case of the keyword. */
static void
carriers(void **state)
{
	static const struct {
		const char *p[4];
		enum carried want;
		const char *why; /* part of it */
	} cases[] = {
		{ { "ENVID=q1@x", "AUTH=MTRK+3D" CERT ":3600" }, CARRIED_MARK,
		    NULL },
		{ { "AUTH=MTRK+3D" CERT, "ENVID=q1@x", "SIZE=1" }, CARRIED_MARK,
		    NULL },
		{ { "ENVID=q1@x", "AUTH=MTRK=" CERT ":3600" }, CARRIED_MARK,
		    NULL },
		{ { "ENVID=q1@x", "AUTH=MTRK=" CERT ":1;<>" }, CARRIED_MARK,
		    NULL },
		{ { "envid=q1@x", "mtrk=" CERT }, CARRIED_MARK, NULL },
		{ { "ENVID=q1@x" }, CARRIED_NOTHING, NULL },
		{ { "AUTH=<>", "ENVID=q1@x" }, CARRIED_NOTHING, NULL },
		{ { "AUTH=e+3Dmc2@example.com" }, CARRIED_NOTHING, NULL },
		{ { NULL }, CARRIED_NOTHING, NULL },
		/* S22 */
		{ { "AUTH=MTRK+3D" CERT }, CARRIED_BAD, "ENVID" },
		{ { "ENVID=q1", "AUTH=MTRK+3D" CERT }, CARRIED_BAD, "" },
		{ { "ENVID=@x", "AUTH=MTRK+3D" CERT }, CARRIED_BAD, "" },
		{ { "ENVID=q+zz@x", "AUTH=MTRK+3D" CERT }, CARRIED_BAD, "" },
		/* S17, S18 */
		{ { "ENVID=q1@x", "AUTH=MTRK+3Dshort" }, CARRIED_BAD, "" },
		{ { "ENVID=q1@x", "AUTH=MTRK+3D" }, CARRIED_BAD, "" },
		{ { "ENVID=q1@x", "AUTH=MTRK+3D+zz" }, CARRIED_BAD, "" },
		{ { "ENVID=q1@x", "AUTH=MTRK+3D" CERT ":" }, CARRIED_BAD, "" },
		{ { "ENVID=q1@x", "AUTH=MTRK+3D" CERT ":1234567890" },
		    CARRIED_BAD, "" },
		{ { "ENVID=q1@x", "MTRK=" CERT, "AUTH=MTRK=" CERT },
		    CARRIED_BAD, "twice" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *argv[] = { "<a@x>", cases[i].p[0], cases[i].p[1],
			cases[i].p[2], NULL };
		const char *why = NULL;
		enum carried got = session_mail(s, argv, 1, &why);

		if (got != cases[i].want ||
		    (cases[i].why != NULL &&
			(why == NULL || strstr(why, cases[i].why) == NULL)))
			fail_msg("case %zu (%s): %d, %s", i,
			    cases[i].p[1] ? cases[i].p[1] : "-", got,
			    why ? why : "-");
	}
}

static void
one_message(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct message m;

	(void)state;
	sin.sin_addr.s_addr = htonl(0xc0000207);
	session_connect(s, (const struct sockaddr *)&sin);
	assert_int_equal(
	    mail("ENVID=q+2B1@x", "AUTH=MTRK+3D" CERT ":3600"), CARRIED_MARK);
	rcpt("<bob@y.test>", "NOTIFY=SUCCESS,DELAY",
	    "ORCPT=rfc822;b+2Bob@y.test");
	rcpt("<carol@y.test>", NULL, NULL);
	rcpt("<bob@y.test>", "NOTIFY=NEVER", NULL); /* named twice */
	rcpt("<Bob@Y.test>", NULL, NULL); /* Postfix delivers once */
	assert_int_equal(session_message(s, "4ABC", "default", &m), MTRK_OK);
	assert_span(m.envid, "q+1@x");
	assert_span(m.sender, "a@x.test");
	assert_span(m.client, "192.0.2.7");
	assert_span(m.queue_id, "4ABC");
	assert_true(m.has_timeout && m.timeout_s == 3600);
	assert_int_equal(m.arrival, 1000);
	assert_int_equal(m.n_recipients, 2);
	assert_span(m.recipients[0].address, "bob@y.test");
	assert_span(m.recipients[0].original, "b+ob@y.test");
	assert_span(m.recipients[0].original_type, "rfc822");
	assert_int_equal(m.recipients[0].notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	assert_span(m.recipients[1].address, "carol@y.test");
	assert_int_equal(m.recipients[1].original.n, 0);
}

/* RSET, a second message, an unmarked one in between. */
static void
several_messages(void **state)
{
	struct message m;

	(void)state;
	mail("ENVID=1@x", "AUTH=MTRK+3D" CERT);
	rcpt("<bob@y.test>", NULL, NULL);
	session_reset(s);
	assert_int_equal(
	    session_message(s, "4ABC", "default", &m), MTRK_NOTFOUND);
	assert_int_equal(mail("ENVID=2@x", NULL), CARRIED_NOTHING);
	rcpt("<bob@y.test>", NULL, NULL);
	assert_int_equal(
	    session_message(s, "4ABC", "default", &m), MTRK_NOTFOUND);
	mail("ENVID=3@x", "AUTH=MTRK+3D" CERT);
	assert_int_equal(/* every RCPT was refused */
	    session_message(s, "4ABC", "default", &m), MTRK_NOTFOUND);
	mail("ENVID=4@x", "AUTH=MTRK+3D" CERT); /* without a RSET before */
	rcpt("<dave@y.test>", NULL, NULL);
	assert_int_equal(session_message(s, "4ABD", "default", &m), MTRK_OK);
	assert_span(m.envid, "4@x");
	assert_int_equal(m.n_recipients, 1);
	assert_false(m.has_timeout);
}

/* Anything may be missing: close first, no argv, no queue id. */
static void
missing_things(void **state)
{
	const char *none[] = { NULL }, *why = NULL;
	struct session *no = NULL;
	struct message m;

	(void)state;
	session_connect(NULL, NULL);
	session_connect(s, NULL);
	session_rcpt(NULL, none);
	session_reset(NULL);
	session_free(&no);
	assert_int_equal(session_mail(NULL, none, 0, &why), CARRIED_NOTHING);
	assert_int_equal(session_mail(s, none, 0, &why), CARRIED_NOTHING);
	assert_int_equal(session_message(NULL, "1", "i", &m), MTRK_NOTFOUND);
	mail("ENVID=4@x", "AUTH=MTRK+3D" CERT);
	session_rcpt(s, none);
	rcpt("<>", NULL, NULL);
	assert_int_equal(session_message(s, NULL, "i", &m), MTRK_SYNTAX);
	assert_int_equal(session_message(s, "", "i", &m), MTRK_SYNTAX);
	assert_int_equal(session_message(s, "1", NULL, &m), MTRK_SYNTAX);
	assert_int_equal(session_message(s, "1", "i", &m), MTRK_OK);
	assert_span(m.client, "local");
}

static void
thousands(void **state)
{
	struct message m;

	(void)state;
	mail("ENVID=4@x", "AUTH=MTRK+3D" CERT);
	for (int i = 0; i < 5000; i++) {
		char address[64];

		snprintf(address, sizeof address, "<r%d@y.test>", i / 2);
		rcpt(address, NULL, NULL);
	}
	assert_int_equal(session_message(s, "1", "i", &m), MTRK_OK);
	assert_int_equal(m.n_recipients, 2500);
	assert_span(m.recipients[2499].address, "r2499@y.test");
}

int
main(void)
{
#define SESSION_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		SESSION_TEST(carriers),
		SESSION_TEST(one_message),
		SESSION_TEST(several_messages),
		SESSION_TEST(missing_things),
		SESSION_TEST(thousands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
