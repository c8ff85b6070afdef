/* MTRK= of MAIL becomes the AUTH carrier (S4, S6, S17, S18, S22, A8, A26). */
#include "tests/lib/cm.h"

#include "milter/carrier.h"
#include "milter/gate_mail.h"

#define CERT "VheLhqV/rCKJmplkGFwsyW59pYk"
#define PLUS "V+eLhqV/rCKJmplkGFwsyW59+Yk"

static enum mail_verdict
ask(const char *line, char out[4096], const char **why)
{
	struct buf b = BUF(4096);
	enum mail_verdict v;

	*why = "";
	v = gate_mail(span_of(line), &b, why);
	snprintf(out, 4096, "%s", b.p != NULL ? b.p : "");
	buf_free(&b);
	return v;
}

static void
marked(void **state)
{
	static const struct {
		const char *line, *want;
	} cases[] = {
		{ "MAIL FROM:<a@x> MTRK=" CERT ":86400 ENVID=q@x\r\n",
		    "MAIL FROM:<a@x> AUTH=MTRK+3D" CERT
		    ":86400 ENVID=q@x\r\n" },
		{ "mail from: <a@x> envid=q@x mtrk=" CERT "\r\n",
		    "mail from: <a@x> envid=q@x AUTH=MTRK+3D" CERT "\r\n" },
		{ "MAIL FROM:<> SIZE=1 ENVID=q@x MTRK=" PLUS " RET=HDRS\r\n",
		    "MAIL FROM:<> SIZE=1 ENVID=q@x AUTH=MTRK+3DV+2BeLhqV/"
		    "rCKJmplkGFwsyW59+2BYk RET=HDRS\r\n" },
		/* a real AUTH value, behind or in front */
		{ "MAIL FROM:<a@x> MTRK=" CERT " AUTH=e+3Dm@x ENVID=q@x\r\n",
		    "MAIL FROM:<a@x> AUTH=MTRK+3D" CERT
		    ";e+3Dm@x ENVID=q@x\r\n" },
		{ "MAIL FROM:<a@x> AUTH=e@x MTRK=" CERT " ENVID=q@x\r\n",
		    "MAIL FROM:<a@x> AUTH=MTRK+3D" CERT ";e@x ENVID=q@x\r\n" },
		{ "MAIL FROM:<a@x> AUTH=<> ENVID=q@x MTRK=" CERT "\r\n",
		    "MAIL FROM:<a@x> ENVID=q@x AUTH=MTRK+3D" CERT "\r\n" },
		/* quoted local parts may look like anything */
		{ "MAIL FROM:<\"a> MTRK=b \\\"\"@x> ENVID=q@x MTRK=" CERT
		  "\r\n",
		    "MAIL FROM:<\"a> MTRK=b \\\"\"@x> ENVID=q@x AUTH=MTRK+3D" CERT
		    "\r\n" },
		{ "MAIL FROM:<a@x> ENVID=q@x MTRK=" CERT "= \r\n",
		    "MAIL FROM:<a@x> ENVID=q@x AUTH=MTRK+3D" CERT "+3D \r\n" },
	};
	char out[4096];
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(ask(cases[i].line, out, &why), MAIL_MARKED);
		assert_string_equal(out, cases[i].want);
	}
}

/* What the gate writes is what the milter reads. */
static void
carried(void **state)
{
	char out[4096], *argv[16], *save = NULL;
	const char *why;
	struct mark m;
	size_t n = 0;

	(void)state;
	assert_int_equal(ask("MAIL FROM:<a@x> AUTH=j+2Bo@x ENVID=q+2B1@x "
			     "MTRK=" PLUS ":123456\r\n",
			     out, &why),
	    MAIL_MARKED);
	strtok_r(out, " ", &save); /* MAIL */
	while ((argv[n] = strtok_r(NULL, " \r\n", &save)) != NULL)
		n++;
	assert_int_equal(
	    carrier_read((const char *const *)argv, &m, &why), CARRIED_MARK);
	assert_string_equal(m.envid, "q+1@x");
	assert_int_equal(m.mtrk.timeout_s, 123456);
}

static void
plain(void **state)
{
	static const char *const cases[] = {
		"MAIL FROM:<a@x>\r\n",
		"MAIL FROM:<a@x> ENVID=q@x AUTH=<> SIZE=9\r\n",
		"MAIL FROM:<\"a> MTRK=b\"@x>\r\n",
		"MAIL FROM:a@x MTRK=" CERT " ENVID=q@x\r\n",
		"MAIL FROM:<a@x>AUTH=<> MTRK=" CERT " ENVID=q@x\r\n",
		"MAIL FROM:<a@x> AUTH=MTRK+3D" CERT " ENVID=q@x\r\n",
		"MAIL\r\n",
		"MAIL <\r\n",
	};
	char out[4096];
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(ask(cases[i], out, &why), MAIL_PLAIN);
		assert_string_equal(out, "");
	}
}

static void
refused(void **state)
{
	static const struct {
		const char *parameters, *why;
	} cases[] = {
		{ "MTRK=" CERT, "MTRK needs ENVID" },
		{ "MTRK=" CERT " ENVID=q@x MTRK=" CERT, "MTRK is given twice" },
		{ "AUTH=MTRK+3D" CERT " ENVID=q@x MTRK=" CERT,
		    "MTRK is given twice" },
		{ "MTRK=short ENVID=q@x", NULL },
		{ "MTRK=" CERT ": ENVID=q@x", NULL },
		{ "MTRK=" CERT ":1234567890 ENVID=q@x", NULL },
		{ "MTRK=" CERT ":9d ENVID=q@x", NULL },
		{ "MTRK ENVID=q@x", NULL },
		{ "MTRK= ENVID=q@x", NULL },
		{ "MTRK=" CERT " ENVID=noat", NULL },
		{ "MTRK=" CERT " ENVID=", NULL },
	};
	char line[4096], out[4096];
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(line, sizeof line, "MAIL FROM:<a@x> %s\r\n",
		    cases[i].parameters);
		assert_int_equal(ask(line, out, &why), MAIL_REFUSED);
		assert_string_equal(out, "");
		assert_true(strlen(why) > 5);
		if (cases[i].why != NULL)
			assert_string_equal(why, cases[i].why);
	}
}

/* 512 + 107 + 44 octets, and AUTH's 500 more, are taken; what would not fit
 * the MTA's line is refused. */
static void
lengths(void **state)
{
	char line[4096], out[4096], pad[2049];
	const char *why;
	static const struct {
		int local, auth;
		enum mail_verdict want;
	} cases[] = {
		{ 480, 0, MAIL_MARKED },
		{ 480, 490, MAIL_MARKED },
		{ 1900, 0, MAIL_MARKED },
		{ 2000, 0, MAIL_REFUSED },
	};

	(void)state;
	memset(pad, 'a', sizeof pad - 1);
	pad[sizeof pad - 1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(line, sizeof line,
		    "MAIL FROM:<%.*s@x> ENVID=%.*s@x MTRK=" CERT
		    ":123456789%s%.*s\r\n",
		    cases[i].local, pad, cases[i].local < 1000 ? 98 : 1, pad,
		    cases[i].auth > 0 ? " AUTH=" : "", cases[i].auth, pad);
		assert_int_equal(ask(line, out, &why), cases[i].want);
		assert_true(strlen(out) <= MAIL_LINE_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked),
		cmocka_unit_test(carried),
		cmocka_unit_test(plain),
		cmocka_unit_test(refused),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
