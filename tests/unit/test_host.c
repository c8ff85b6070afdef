/* Hosts' names as people write them, and as the DNS has them. */
#include "tests/lib/cm.h"

#include "mtqp/host.h"

static const struct {
	const char *in, *host; /* NULL: refused */
	uint16_t port;
} rows[] = {
	{ "mail.example", "mail.example", 0 },
	{ "MAIL_1.example:25", "MAIL_1.example", 25 }, /* as it stands */
	{ "[2001:db8::1]:25", "2001:db8::1", 25 },
	{ "mail.bücher.example", "mail.xn--bcher-kva.example", 0 },
	{ "mail.bücher.example:587", "mail.xn--bcher-kva.example", 587 },
	{ "Mail.BÜCHER.example", "mail.xn--bcher-kva.example", 0 },
	{ "bu\xcc\x88"
	  "cher.example",
	    "xn--bcher-kva.example", 0 }, /* in two characters */
	{ "straße.example", "xn--strae-oqa.example", 0 }, /* not "ss" */
	{ "日本。example", "xn--wgv71a.example", 0 },
	/* what would be something else, or nothing */
	{ "bücher.example:0", NULL, 0 },
	{ "bücher.example:", NULL, 0 },
	{ "bücher:1:2", NULL, 0 },
	{ "bücher＠x.example", NULL, 0 },
	{ "bücher：25", NULL, 0 },
	{ "bücher x.example", NULL, 0 },
	{ "b\xfc"
	  "cher.example",
	    NULL, 0 }, /* Latin-1 */
	{ "bü\xe2\x80\xae.example", NULL, 0 }, /* right to left */
	{ "xn--a-ü.example", NULL, 0 },
	{ "ü" /* a label of more than 63 */
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    NULL, 0 },
	{ "", NULL, 0 },
	{ "a\"b", NULL, 0 },
};

static void
names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span in = span_of(rows[i].in);
		char host[HOST_MAX + 1];
		uint16_t port;
		bool taken = host_parse(in, host, &port) == MTRK_OK;

		if (taken != (rows[i].host != NULL) ||
		    (taken &&
			(strcmp(host, rows[i].host) != 0 ||
			    port != rows[i].port)))
			fail_msg("%s: %s %u", rows[i].in,
			    taken ? host : "refused", port);
		if (host_name(in, host) != (taken && port == 0))
			fail_msg("%s: a name without a port", rows[i].in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
