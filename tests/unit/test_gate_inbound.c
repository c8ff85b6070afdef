/* The inbound gate's machine: scripted dialogues in any fragmentation. */
#include "tests/lib/cm.h"

#include "milter/gate_inbound.h"

#define CERT "VheLhqV/rCKJmplkGFwsyW59pYk"
#define EHLO_REPLY "250-mx\r\n250-DSN\r\n250 CHUNKING\r\n"
#define EHLO_SHOWN "250-mx\r\n250-DSN\r\n250-CHUNKING\r\n250 MTRK\r\n"

/* More than a line may be. */
#define X512 X64 X64 X64 X64 X64 X64 X64 X64
#define X64 X16 X16 X16 X16
#define X16 "xxxxxxxxxxxxxxxx"
#define LONG X512 X512 X512 X512

enum { STEPS_MAX = 16, TEXT_MAX = 8192 };

/* What one side sends, and what each side has got after that. */
struct step {
	char from; /* 'C', 'S'; NUL ends the script */
	const char *sends, *client_gets, *server_gets;
};

struct dialogue {
	const char *name;
	struct inbound_rules rules;
	enum inbound_wish wish; /* at the end */
	struct step steps[STEPS_MAX];
};

static const struct dialogue dialogues[] = {
	{ "ehlo", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "ehlo b\r\n", "", "ehlo b\r\n" },
		{ 'S', "250 mx\r\n", "250 mx\r\n", "" }, /* no DSN: S5 */
		{ 'C', "MAIL FROM:<a> MTRK=x\r\n", "",
		    "MAIL FROM:<a> MTRK=x\r\n" },
		{ 'S', "555 5.5.4 no\r\n", "555 5.5.4 no\r\n", "" } } },
	{ "hidden keywords", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S',
		    "250-mx\r\n250-STARTTLS\r\n250-XCLIENT NAME ADDR\r\n"
		    "250-dsn\r\n250-AUTH PLAIN\r\n250 XFORWARD NAME\r\n",
		    "250-mx\r\n250-dsn\r\n250-AUTH PLAIN\r\n250 MTRK\r\n", "" },
		{ 'C', "XCLIENT ADDR=1.2.3.4\r\n", "", "XCLIENT\r\n" },
		{ 'S', "550 no\r\n", "550 no\r\n", "" },
		{ 'C', " \txforward ADDR=1.2.3.4\n", "", "xforward\r\n" },
		{ 'S', "550 no\r\n", "550 no\r\n", "" },
		{ 'C', "STARTTLS\r\n", "502 5.5.1 STARTTLS is not offered\r\n",
		    "" } } },
	/* 63 octets and their NUL fill what was allocated first */
	{ "EHLO's reply with lines that are none", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', "250-" X16 X16 X16 "12345678\r\n\n250 DSN\r\n",
		    "250-" X16 X16 X16 "12345678\r\n\n250-DSN\r\n"
		    "250 MTRK\r\n",
		    "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', "250\r\n", "250\r\n", "" } } },
	{ "a pipelined transaction", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C',
		    "EHLO a\r\nMAIL FROM:<a@x> ENVID=q@x MTRK=" CERT
		    ":9\r\nRCPT TO:<b>\r\nDATA\r\nnot yet\r\n.\r\nQUIT\r\n",
		    "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN,
		    "MAIL FROM:<a@x> ENVID=q@x AUTH=MTRK+3D" CERT
		    ":9\r\nRCPT TO:<b>\r\nDATA\r\n" },
		{ 'S', "250 1\r\n250 2\r\n", "250 1\r\n250 2\r\n", "" },
		{ 'S', "354 go\r\n", "354 go\r\n", "not yet\r\n.\r\nQUIT\r\n" },
		{ 'S', "250 took\r\n221 bye\r\n", "250 took\r\n221 bye\r\n",
		    "" } } },
	{ "a MAIL that was refused is forgotten before the next one",
	    { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C',
		    "NOOP\r\nMAIL FROM:<a> ENVID=q@x MTRK=" CERT
		    " X=1\r\nRCPT TO:<b>\r\nMAIL FROM:<a> AUTH=<>\r\nNOOP\r\n",
		    "",
		    "NOOP\r\nMAIL FROM:<a> ENVID=q@x AUTH=MTRK+3D" CERT
		    " X=1\r\nRCPT TO:<b>\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "" },
		{ 'S', "555 what\r\n503 no\r\n", "555 what\r\n503 no\r\n",
		    "RSET\r\n" },
		{ 'S', "250 ok\r\n", "", "MAIL FROM:<a> AUTH=<>\r\nNOOP\r\n" },
		{ 'S', "250 1\r\n250 2\r\n", "250 1\r\n250 2\r\n", "" } } },
	{ "one that was taken is not: the next MAIL is the MTA's to refuse",
	    { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C',
		    "MAIL FROM:<a> ENVID=q@x MTRK=" CERT
		    "\r\nMAIL FROM:<a> AUTH=<>\r\n",
		    "", "MAIL FROM:<a> ENVID=q@x AUTH=MTRK+3D" CERT "\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n",
		    "MAIL FROM:<a> AUTH=<>\r\n" },
		{ 'S', "503 nested\r\n", "503 nested\r\n", "" } } },
	{ "nor is the one that it would take the place of", { .tls = false },
	    INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "MAIL FROM:<a>\r\n", "", "MAIL FROM:<a>\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "" },
		{ 'C',
		    "MAIL FROM:<b> ENVID=q@x MTRK=" CERT
		    "\r\nMAIL FROM:<c> AUTH=<>\r\n",
		    "", "MAIL FROM:<b> ENVID=q@x AUTH=MTRK+3D" CERT "\r\n" },
		{ 'S', "503 nested\r\n", "503 nested\r\n",
		    "MAIL FROM:<c> AUTH=<>\r\n" },
		{ 'S', "503 nested\r\n", "503 nested\r\n", "" } } },
	{ "what Sendmail alone would find twice, it is left to",
	    { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C',
		    "MAIL FROM:<a> ENVID=q@x MTRK=" CERT
		    " X=1\r\nMAIL FROM:<a> ENVID=q@x AUTH=<>\r\n",
		    "",
		    "MAIL FROM:<a> ENVID=q@x AUTH=MTRK+3D" CERT
		    " X=1\r\nMAIL FROM:<a> ENVID=q@x AUTH=<>\r\n" },
		{ 'S', "555 what\r\n501 dup\r\n", "555 what\r\n501 dup\r\n",
		    "" } } },
	{ "DATA refused: what follows are commands", { .tls = false },
	    INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "DATA\r\nEHLO x\r\n.\r\n", "", "DATA\r\n" },
		{ 'S', "503 no\r\n", "503 no\r\n", "EHLO x\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, ".\r\n" } } },
	{ "a refusal of the gate's own keeps its place", { .tls = false },
	    INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "RSET\r\nMAIL FROM:<a> MTRK=" CERT "\r\nRCPT TO:<b>\r\n",
		    "", "RSET\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n501 5.5.4 MTRK needs ENVID\r\n",
		    "RCPT TO:<b>\r\n" },
		{ 'S', "503 no\r\n", "503 no\r\n", "" } } },
	{ "BDAT", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "BDAT 4\r\n", "502 5.5.1 CHUNKING is not offered\r\n",
		    "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "BDAT 9\r\nEHLO x\r\n.BDAT 0 last\r\nNOOP\r\n", "",
		    "BDAT 9\r\nEHLO x\r\n.BDAT 0 last\r\nNOOP\r\n" },
		{ 'S', "250 a\r\n250 b\r\n250 c\r\n",
		    "250 a\r\n250 b\r\n250 c\r\n", "" },
		/* what another may read differently is waited for */
		{ 'C', "BDAT 0x4\r\nabcd\r\n", "", "BDAT 0x4\r\n" },
		{ 'S', "501 no\r\n", "501 no\r\n", "abcd\r\n" } } },
	{ "BDAT, as MTAs part words", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "BDAT  4\tlast\r\nabcdNOOP\r\n", "",
		    "BDAT  4\tlast\r\nabcdNOOP\r\n" },
		{ 'S', "250 a\r\n250 b\r\n", "250 a\r\n250 b\r\n", "" },
		{ 'C', "BDAT 4 LAST x\r\nabcd\r\n", "", "BDAT 4 LAST x\r\n" },
		{ 'S', "501 no\r\n", "501 no\r\n", "abcd\r\n" } } },
	/* and a reply in the middle of it would make commands of the rest */
	{ "chunks of 2^31, 2^32 and 2^63 - 1", { .tls = false }, INBOUND_CLOSE,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "RSET\r\nBDAT 2147483648\r\nRSET\r\nDATA\r\n", "",
		    "RSET\r\nBDAT 2147483648\r\nRSET\r\nDATA\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "" },
		{ 'S', "552 big\r\n", "552 big\r\n", "" } } },
	{ "2^32", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "BDAT 4294967296 LAST\r\nRSET\r\nDATA\r\n", "",
		    "BDAT 4294967296 LAST\r\nRSET\r\nDATA\r\n" } } },
	{ "2^63 - 1", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "BDAT 9223372036854775807\r\nDATA\r\n", "",
		    "BDAT 9223372036854775807\r\nDATA\r\n" } } },
	{ "2^63, 2^64 + 1", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', EHLO_REPLY, EHLO_SHOWN, "" },
		{ 'C', "BDAT 9223372036854775808\r\nNOOP\r\n", "",
		    "BDAT 9223372036854775808\r\n" },
		{ 'S', "501 no\r\n", "501 no\r\n", "NOOP\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "" },
		{ 'C', "BDAT 18446744073709551617 LAST\r\nxNOOP\r\n", "",
		    "BDAT 18446744073709551617 LAST\r\n" },
		{ 'S', "501 no\r\n", "501 no\r\n", "xNOOP\r\n" } } },
	{ "lines that are too long: what must be read doesn't pass",
	    { .tls = true }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "XCLIENT ADDR=1.2.3.4 N=" LONG "\r\nNOOP\r\n",
		    "500 5.5.2 The line is too long\r\n", "NOOP\r\n" },
		{ 'C', "EHLO " LONG "\r\n", "", "" },
		{ 'S', "250 ok\r\n",
		    "250 ok\r\n500 5.5.2 The line is too long\r\n", "" },
		{ 'C', "STARTTLS " LONG "\nBDAT 4 " LONG "\r\n",
		    "500 5.5.2 The line is too long\r\n"
		    "500 5.5.2 The line is too long\r\n",
		    "" },
		{ 'C', "NOOP " LONG "\r\nDATA\r\n", "", "NOOP " LONG "\r\n" },
		{ 'S', "500 no\r\n", "500 no\r\n", "DATA\r\n" } } },
	{ "AUTH's lines are not commands", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "AUTH LOGIN\r\n", "", "AUTH LOGIN\r\n" },
		{ 'S', "334 VXNlcg==\r\n", "334 VXNlcg==\r\n", "" },
		{ 'C', "DATA\r\n", "", "DATA\r\n" },
		{ 'S', "334 UGFzcw==\r\n", "334 UGFzcw==\r\n", "" },
		{ 'C', "XCLIENT\r\nNOOP\r\n", "", "XCLIENT\r\n" },
		{ 'S', "235 in\r\n", "235 in\r\n", "NOOP\r\n" } } },
	{ "odd lines are waited for", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "NOOP\nDATA\r\nx\r\n.\r\n", "", "NOOP\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "DATA\r\n" },
		{ 'S', "354 go\r\n", "354 go\r\n", "x\r\n.\r\n" },
		{ 'S', "250 took\r\n", "250 took\r\n", "" },
		{ 'C', "NOOP\rDATA\r\nNOOP\r\n", "", "NOOP\rDATA\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "NOOP\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "" },
		{ 'C', " RSET\r\nNOOP\r\n", "", " RSET\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "NOOP\r\n" } } },
	{ "smuggled ends of content are content", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "DATA\r\n", "", "DATA\r\n" },
		{ 'S', "354 go\r\n", "354 go\r\n", "" },
		{ 'C',
		    "a\n.\nb\n.\r\nc\r\n.\nd\r\n.\re\r.\r\nf\r.\rg\r\n.\r\r\nh"
		    "\n..\ni.\r\n..\r\n.x\r\n.\r\n",
		    "",
		    "a\n..\nb\n..\r\nc\r\n..\nd\r\n..\re\r..\r\nf\r..\rg\r\n.."
		    "\r\r\nh\n..\ni.\r\n..\r\n.x\r\n.\r\n" },
		{ 'C', "NOOP\r\n", "", "NOOP\r\n" } } },
	{ "a reply that nobody asked for", { .tls = false }, INBOUND_DROP,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "NOOP\r\n", "", "NOOP\r\n" },
		{ 'S', "354 go\r\n", "354 go\r\n", "" } } },
	{ "STARTTLS", { .tls = true }, INBOUND_CLIENT_TLS,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', "250-mx\r\n250 DSN\r\n",
		    "250-mx\r\n250-DSN\r\n250-STARTTLS\r\n250 MTRK\r\n", "" },
		{ 'C', "EHLO a\r\n", "", "EHLO a\r\n" },
		{ 'S', "250-mx\r\n250-STARTTLS\r\n250 DSN\r\n",
		    "250-mx\r\n250-STARTTLS\r\n250-DSN\r\n250 MTRK\r\n", "" },
		{ 'C', "STARTTLS now\r\n",
		    "501 5.5.4 STARTTLS has no parameter\r\n", "" },
		{ 'C', "MAIL FROM:<a>\r\n", "", "MAIL FROM:<a>\r\n" },
		{ 'S', "250 ok\r\n", "250 ok\r\n", "" },
		{ 'C', "STARTTLS\r\n", "", "RSET\r\n" },
		{ 'S', "250 flushed\r\n", "220 2.0.0 Ready to start TLS\r\n",
		    "" } } },
	{ "STARTTLS after AUTH", { .tls = true }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "AUTH PLAIN x\r\n", "", "AUTH PLAIN x\r\n" },
		{ 'S', "235 in\r\n", "235 in\r\n", "" },
		{ 'C', "STARTTLS\r\n",
		    "503 5.5.1 STARTTLS goes before AUTH\r\n", "" } } },
	{ "an MTA that goes", { .tls = false }, INBOUND_GO,
	    { { 'S', "220 mx\r\n", "220 mx\r\n", "" },
		{ 'C', "QUIT\r\n", "", "QUIT\r\n" },
		{ 'S', "221 bye\r\n421 late\r\n", "221 bye\r\n421 late\r\n",
		    "" } } },
};

/* Both sides' input that is not taken yet, as the pump keeps it. */
struct run {
	struct inbound machine;
	struct buf held[2], got[2];
	enum inbound_wish wish;
};

static size_t
show(struct run *r, int side)
{
	struct inbound_turn t = { .to_client = &r->got[0],
		.to_server = &r->got[1] };
	size_t n = side == 0
	    ? inbound_from_client(&r->machine, buf_as_span(&r->held[0]), &t)
	    : inbound_from_server(&r->machine, buf_as_span(&r->held[1]), &t);

	buf_drop(&r->held[side], n);
	r->wish = t.wish;
	return n;
}

static void
feed(struct run *r, int side, struct span bytes)
{
	buf_span(&r->held[side], bytes);
	while (r->wish == INBOUND_GO &&
	    (show(r, side) > 0 ||
		(r->wish == INBOUND_GO && show(r, 1 - side) > 0)))
		;
}

static void
run_step(
    struct run *r, const struct dialogue *d, const struct step *s, size_t cut)
{
	struct span bytes = span_of(s->sends);

	for (int i = 0; i < 2; i++)
		buf_cut(&r->got[i], 0);
	while (bytes.n > 0) {
		size_t n = bytes.n < cut ? bytes.n : cut;

		feed(r, s->from == 'S', (struct span){ bytes.p, n });
		bytes = span_from(bytes, n);
	}
	if (!span_is(buf_as_span(&r->got[0]), s->client_gets) ||
	    !span_is(buf_as_span(&r->got[1]), s->server_gets))
		fail_msg("%s, cut %zu, behind \"%s\": client \"%s\" server "
			 "\"%s\"",
		    d->name, cut, s->sends, r->got[0].p, r->got[1].p);
}

static void
run_dialogue(const struct dialogue *d, size_t cut)
{
	struct run r = { .held = { BUF(TEXT_MAX), BUF(TEXT_MAX) },
		.got = { BUF(TEXT_MAX), BUF(TEXT_MAX) } };

	inbound_start(&r.machine, &d->rules);
	for (size_t i = 0; d->steps[i].from != '\0'; i++)
		run_step(&r, d, &d->steps[i], cut);
	if (r.wish != d->wish)
		fail_msg("%s: wish %d", d->name, (int)r.wish);
	inbound_end(&r.machine);
	for (int i = 0; i < 2; i++) {
		buf_free(&r.held[i]);
		buf_free(&r.got[i]);
	}
}

static void
in_any_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dialogues); i++)
		for (size_t cut = 1; cut < 200; cut++)
			run_dialogue(&dialogues[i], cut);
}

/* A44: nothing that came in clear is looked at under TLS, on either side. */
static void
injection(void **state)
{
	static const struct inbound_rules rules = { .tls = true,
		.server_tls = true };
	struct run r = { .held = { BUF(TEXT_MAX), BUF(TEXT_MAX) },
		.got = { BUF(TEXT_MAX), BUF(TEXT_MAX) } };

	(void)state;
	inbound_start(&r.machine, &rules);
	feed(&r, 1, SPAN("220 mx\r\n"));
	feed(&r, 0, SPAN("STARTTLS\r\nNOOP\r\n"));
	assert_int_equal(r.wish, INBOUND_DROP);
	assert_span(buf_as_span(&r.got[1]), "");

	/* towards the MTA: EHLO twice, and its first reply is not shown */
	inbound_start(&r.machine, &rules);
	r.wish = INBOUND_GO;
	buf_cut(&r.held[0], 0);
	buf_cut(&r.got[0], 0);
	feed(&r, 1, SPAN("220 mx\r\n"));
	inbound_client_secured(&r.machine);
	buf_cut(&r.got[0], 0);
	feed(&r, 0, SPAN("EHLO a\r\n"));
	feed(&r, 1, SPAN("250-mx\r\n250 STARTTLS\r\n"));
	assert_span(buf_as_span(&r.got[1]), "EHLO a\r\nSTARTTLS\r\n");
	assert_span(buf_as_span(&r.got[0]), "");
	feed(&r, 1, SPAN("220 go\r\n250 injected\r\n"));
	assert_int_equal(r.wish, INBOUND_DROP);
	inbound_end(&r.machine);
	for (int i = 0; i < 2; i++) {
		buf_free(&r.held[i]);
		buf_free(&r.got[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_any_cut),
		cmocka_unit_test(injection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
