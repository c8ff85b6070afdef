/*
 * The outbound gate as dialogues: what each side says and what the other
 * gets, whole and octet by octet; S21b, S21c, S27-S32, T22, T23, A38.
 */
#include "tests/lib/cm.h"
#include "tests/lib/gate_doors.h"

#define CERT GATE_DOORS_CERT
#define MARK " MTRK=" CERT ":700\r\n"
#define GREET \
	{ 'H', "220 mx ESMTP\r\n" }, \
	{ \
		'm', "220 mx ESMTP\r\n" \
	}
#define EHLO(last) \
	GREET, { 'M', "EHLO a.test\r\n" }, { 'h', "EHLO a.test\r\n" }, \
	    { 'H', "250-mx.b.test hi\r\n250-DSN\r\n250 " last "\r\n" }, \
	{ \
		'm', "250-mx.b.test hi\r\n250-DSN\r\n250 " last "\r\n" \
	}
#define MAIL "MAIL FROM:<a@x> SIZE=1 ENVID=q1@x"
#define OK \
	{ 'H', "250 ok\r\n" }, \
	{ \
		'm', "250 ok\r\n" \
	}
#define SAY(text) \
	{ 'M', text "\r\n" }, \
	{ \
		'h', text "\r\n" \
	}

enum { STEPS_MAX = 48 };

/* M, H: what the MTA or the next hop says; m, h: what must have reached it
 * since; t: TLS comes up (v: verified), f: it fails; r: connected again; n:
 * to another host, are there more; w: the wish; d: the door was told; c: the
 * next hop closes; i: is it idle, and is a verdict due; e: we stop. */
struct dialogue {
	const char *name;
	enum outbound_tls tls;
	struct {
		char who;
		const char *text;
	} steps[STEPS_MAX];
};

static struct buf told = { .max = 65536 };
static const struct dialogue dialogues[] = {
	{ "S27: the mark goes to a hop that lists MTRK, and only there",
	    OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), { 'M', MAIL "\r\n" }, { 'h', MAIL MARK }, OK,
		SAY("RCPT TO:<r2@b>"), OK, SAY("DATA"), { 'H', "354 go\r\n" },
		{ 'm', "354 go\r\n" }, SAY("x\r\n..\r\n."), { 'd', "" },
		{ 'H', "250 2.0.0 taken\r\n" }, { 'm', "250 2.0.0 taken\r\n" },
		{ 'd', "1 r2@b transferred mx.b.test 2.0.0 taken;" },
		SAY("QUIT") } },
	{ "S28: not to one that does not; ENVID and ORCPT stay",
	    OUTBOUND_TLS_MAY,
	    { EHLO("SIZE"), SAY(MAIL), OK,
		SAY("RCPT TO:<r1@b> ORCPT=rfc822;o1@x NOTIFY=NEVER"), OK,
		SAY("DATA"), { 'H', "354 go\r\n" }, { 'm', "354 go\r\n" },
		SAY("."), OK, { 'd', "0 r1@b relayed mx.b.test ok;" } } },
	{ "no ENVID, an unknown one, a list's sender (S31), no time left"
	  " (S21c): nothing is added",
	    OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), SAY("MAIL FROM:<a@x>"), OK, SAY("RSET"), OK,
		SAY("MAIL FROM:<a@x> ENVID=other@x"), OK, SAY("RSET"), OK,
		SAY("MAIL FROM:<owner-l@x> ENVID=q1@x"), OK, SAY("RSET"), OK,
		SAY("MAIL FROM:<a@x> ENVID=late@x"), OK, SAY("RSET"), OK,
		{ 'd', "" } } },
	{ "an MTA that speaks MTRK itself keeps its own", OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), SAY(MAIL " MTRK=" CERT), OK } },
	{ "pipelined", OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"),
		{ 'M',
		    MAIL "\r\nRCPT TO:<r2@b>\r\nRCPT TO:<r3@b>\r\nDATA\r\n" },
		{ 'h', MAIL MARK }, OK,
		{ 'h', "RCPT TO:<r2@b>\r\nRCPT TO:<r3@b>\r\nDATA\r\n" },
		{ 'H', "250 ok\r\n550-no\r\n550 no\r\n354 go\r\n" },
		{ 'm', "250 ok\r\n550-no\r\n550 no\r\n354 go\r\n" },
		{ 'M', ".\r\nQUIT\r\n" }, { 'h', ".\r\nQUIT\r\n" }, OK,
		{ 'd', "1 r2@b transferred mx.b.test ok;" } } },
	{ "the next message before the last one's reply", OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), { 'M', MAIL "\r\n" }, { 'h', MAIL MARK }, OK,
		SAY("RCPT TO:<r2@b>"), OK, SAY("DATA"), { 'H', "354 go\r\n" },
		{ 'm', "354 go\r\n" }, { 'M', "x\r\n.\r\n" MAIL "\r\n" },
		{ 'h', "x\r\n.\r\n" }, OK,
		{ 'd', "1 r2@b transferred mx.b.test ok;" }, { 'h', MAIL MARK },
		OK } },
	{ "refused recipients and messages are not told", OUTBOUND_TLS_MAY,
	    { EHLO("SIZE"), SAY(MAIL), OK, SAY("RCPT TO:<r2@b>"),
		{ 'H', "450 later\r\n" }, { 'm', "450 later\r\n" },
		SAY("RCPT TO:<r3@b>"), OK, SAY("DATA"), { 'H', "354 go\r\n" },
		{ 'm', "354 go\r\n" }, SAY("."), { 'H', "451 no\r\n" },
		{ 'm', "451 no\r\n" }, { 'd', "" } } },
	{ "a hop that lists MTRK and refuses it gets MAIL without",
	    OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), { 'M', MAIL "\r\nRCPT TO:<r2@b>\r\n" },
		{ 'h', MAIL MARK }, { 'H', "555 what\r\n" }, { 'm', "" },
		/* Sendmail keeps ENVID= of what it refuses, until RSET */
		{ 'h', "RSET\r\n" }, { 'H', "250 ok\r\n" }, { 'm', "" },
		{ 'h', MAIL "\r\n" }, OK, { 'h', "RCPT TO:<r2@b>\r\n" }, OK,
		SAY("DATA"), { 'H', "354 go\r\n" }, { 'm', "354 go\r\n" },
		SAY("."), OK, { 'd', "1 r2@b relayed mx.b.test ok;" } } },
	{ "one that closes instead: try later", OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), { 'M', MAIL "\r\n" }, { 'h', MAIL MARK },
		{ 'H', "555 what\r\n" }, { 'h', "RSET\r\n" },
		{ 'H', "421 bye\r\n" }, { 'm', "421 bye\r\n" }, { 'h', "" },
		{ 'c', "" }, { 'm', "" }, { 'w', "close" } } },
	{ "S29: one alias, one hop: the mark stays", OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), { 'M', MAIL "\r\n" }, { 'h', MAIL MARK }, OK,
		SAY("RCPT TO:<new@b> ORCPT=rfc822;o1@x"), OK, SAY("DATA"),
		{ 'H', "354 go\r\n" }, { 'm', "354 go\r\n" }, SAY("."), OK,
		{ 'd', "0 new@b transferred mx.b.test ok;" } } },
	{ "S30, S32: two of one: begun again without; the MTA sees nothing",
	    OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"),
		{ 'M',
		    MAIL "\r\nRCPT TO:<r3@b>\r\n"
			 "RCPT TO:<no@b> ORCPT=rfc822;r2@b\r\n"
			 "RCPT TO:<m1@b> ORCPT=rfc822;o1@x\r\n"
			 "RCPT TO:<m2@b> ORCPT=rfc822;o1@x\r\nDATA\r\n" },
		{ 'h', MAIL MARK }, OK,
		{ 'h',
		    "RCPT TO:<r3@b>\r\nRCPT TO:<no@b> ORCPT=rfc822;r2@b\r\n"
		    "RCPT TO:<m1@b> ORCPT=rfc822;o1@x\r\n" },
		OK, { 'H', "550 no\r\n" }, { 'm', "550 no\r\n" }, OK,
		{ 'h', "RSET\r\n" }, { 'H', "250 ok\r\n" }, { 'm', "" },
		{ 'h', MAIL "\r\n" }, { 'H', "250 ok\r\n" }, { 'm', "" },
		{ 'h', "RCPT TO:<r3@b>\r\n" }, { 'H', "250 ok\r\n" },
		{ 'h', "RCPT TO:<m1@b> ORCPT=rfc822;o1@x\r\n" },
		{ 'H', "250 ok\r\n" }, { 'm', "" },
		{ 'h', "RCPT TO:<m2@b> ORCPT=rfc822;o1@x\r\nDATA\r\n" }, OK,
		{ 'H', "354 go\r\n" }, { 'm', "354 go\r\n" }, SAY("."), OK,
		{ 'd',
		    "2 r3@b relayed mx.b.test ok;"
		    "0 m1@b relayed mx.b.test ok;"
		    "0 m2@b relayed mx.b.test ok;" } } },
	{ "the same, and the hop changes its mind: try later", OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), { 'M', MAIL "\r\n" }, { 'h', MAIL MARK }, OK,
		SAY("RCPT TO:<r2@b>"), OK, { 'M', "RCPT TO:<stranger@b>\r\n" },
		{ 'h', "RSET\r\n" }, { 'H', "250 ok\r\n" },
		{ 'h', MAIL "\r\n" }, { 'H', "452 full\r\n" },
		{ 'm', "421 4.3.0*" }, { 'w', "close" } } },
	{ "a recipient that the sender did not name: begun again",
	    OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), { 'M', MAIL "\r\n" }, { 'h', MAIL MARK }, OK,
		{ 'M', "RCPT TO:<bcc@b>\r\n" }, { 'h', "RSET\r\n" },
		{ 'H', "250 ok\r\n" }, { 'h', MAIL "\r\n" },
		{ 'H', "250 ok\r\n" }, { 'h', "RCPT TO:<bcc@b>\r\n" }, OK,
		SAY("DATA"), { 'H', "354 go\r\n" }, { 'm', "354 go\r\n" },
		SAY("."), OK, { 'd', "" } } },
	/* T23: LMTP that tracks is a hop: transferred; other LMTP is not */
	{ "an LMTP hop that tracks, a reply for each", OUTBOUND_TLS_MAY,
	    { GREET, { 'M', "LHLO a\r\n" }, { 'h', "LHLO a\r\n" },
		{ 'H', "250-lda.b.test\r\n250 MTRK\r\n" },
		{ 'm', "250-lda.b.test\r\n250 MTRK\r\n" }, { 'M', MAIL "\r\n" },
		{ 'h', MAIL MARK }, OK, SAY("RCPT TO:<r1@b> ORCPT=rfc822;o1@x"),
		OK, SAY("RCPT TO:<r2@b>"), { 'H', "550 no\r\n" },
		{ 'm', "550 no\r\n" }, SAY("RCPT TO:<r3@b>"), OK, SAY("DATA"),
		{ 'H', "354 go\r\n" }, { 'm', "354 go\r\n" }, SAY("."),
		{ 'H', "452 full\r\n250 put\r\n" },
		{ 'm', "452 full\r\n250 put\r\n" },
		{ 'd', "2 r3@b transferred lda.b.test put;" }, SAY("NOOP"),
		OK } },
	{ "one that does not delivers, and the MTA's log says so",
	    OUTBOUND_TLS_MAY,
	    { GREET, { 'M', "LHLO a\r\n" }, { 'h', "LHLO a\r\n" }, OK,
		SAY(MAIL), OK, SAY("RCPT TO:<r2@b>"), OK, SAY("DATA"),
		{ 'H', "354 go\r\n" }, { 'm', "354 go\r\n" }, SAY("."), OK,
		{ 'd', "" } } },
	{ "BDAT goes through by its count", OUTBOUND_TLS_MAY,
	    { EHLO("CHUNKING"), SAY(MAIL), OK, SAY("RCPT TO:<r2@b>"), OK,
		{ 'M', "BDAT 7\r\nQUIT\r\n." }, { 'h', "BDAT 7\r\nQUIT\r\n." },
		OK, { 'M', "BDAT 2 LAST\r\nxyRSET\r\n" },
		{ 'h', "BDAT 2 LAST\r\nxy" }, OK,
		{ 'd', "1 r2@b relayed mx.b.test ok;" },
		{ 'h', "RSET\r\n" } } },
	{ "BDAT refused before its chunk is there: the next reply is not its",
	    OUTBOUND_TLS_MAY,
	    { EHLO("CHUNKING"), SAY(MAIL), OK, SAY("RCPT TO:<r2@b>"), OK,
		{ 'M', "BDAT 9 LAST\r\nabc" }, { 'h', "BDAT 9 LAST\r\nabc" },
		{ 'i', "busy" }, { 'H', "552 too big\r\n" },
		{ 'm', "552 too big\r\n" }, { 'M', "defghiQUIT\r\n" },
		{ 'h', "defghiQUIT\r\n" }, { 'H', "221 bye\r\n" },
		{ 'm', "221 bye\r\n" }, { 'd', "" } } },
	{ "AUTH in several steps; commands in it are none", OUTBOUND_TLS_MAY,
	    { EHLO("AUTH PLAIN"), SAY("AUTH PLAIN"), { 'H', "334 \r\n" },
		{ 'm', "334 \r\n" }, SAY("QUIT"), { 'H', "334 a\r\n" },
		{ 'm', "334 a\r\n" }, SAY("MAIL"), { 'H', "235 in\r\n" },
		{ 'm', "235 in\r\n" }, SAY("NOOP"), OK } },
	{ "STARTTLS is done here and not shown", OUTBOUND_TLS_MAY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx.b.test\r\n250-SIZE\r\n250 STARTTLS\r\n" },
		{ 'h', "STARTTLS\r\n" }, { 'm', "" }, { 'w', "go" },
		{ 'H', "220 go\r\n" }, { 'w', "handshake" }, { 't', "" },
		{ 'h', "EHLO a\r\n" },
		{ 'H', "250-mx.b.test\r\n250-MTRK\r\n250 DSN\r\n" },
		{ 'm', "250-mx.b.test\r\n250-MTRK\r\n250 DSN\r\n" },
		{ 'M', MAIL "\r\n" }, { 'h', MAIL MARK }, { 'H', "250 ok\r\n" },
		{ 'm', "250 ok\r\n" }, { 'M', "STARTTLS\r\n" },
		{ 'm', "502 5.5.1*" } } },
	{ "refused or failing, it goes in clear", OUTBOUND_TLS_MAY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250-SIZE\r\n250 STARTTLS\r\n" },
		{ 'h', "STARTTLS\r\n" }, { 'H', "454 no\r\n" },
		{ 'm', "250-mx\r\n250 SIZE\r\n" }, { 'M', "EHLO a\r\n" },
		{ 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n" },
		{ 'h', "STARTTLS\r\n" }, { 'H', "220 go\r\n" }, { 'f', "" },
		{ 'w', "again" }, { 'r', "" }, { 'H', "220 mx\r\n" },
		{ 'm', "" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n" },
		{ 'm', "250-mx\r\n250 SIZE\r\n" }, SAY("NOOP") } },
	{ "required: not listed", OUTBOUND_TLS_VERIFY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250 mx\r\n" }, { 'm', "421 4.7.0*" },
		{ 'w', "close" } } },
	{ "required: refused", OUTBOUND_TLS_VERIFY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250 STARTTLS\r\n" }, { 'h', "STARTTLS\r\n" },
		{ 'H', "454 no\r\n" }, { 'm', "421 4.7.0*" },
		{ 'w', "close" } } },
	{ "required: fails", OUTBOUND_TLS_VERIFY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250 STARTTLS\r\n" }, { 'h', "STARTTLS\r\n" },
		{ 'H', "220 go\r\n" }, { 'f', "" },
		{ 'm', "421 4.7.5 TLS is required, and failed: cut\r\n" },
		{ 'w', "close" } } },
	{ "required: the certificate does not fit", OUTBOUND_TLS_VERIFY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250 STARTTLS\r\n" }, { 'h', "STARTTLS\r\n" },
		{ 'H', "220 go\r\n" }, { 't', "" },
		{ 'm', "421 4.7.5 the next hop's certificate: expired\r\n" },
		{ 'w', "close" } } },
	{ "required and there", OUTBOUND_TLS_VERIFY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250 STARTTLS\r\n" }, { 'h', "STARTTLS\r\n" },
		{ 'H', "220 go\r\n" }, { 'v', "" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250 mx\r\n" }, { 'm', "250 mx\r\n" }, SAY(MAIL), OK } },
	{ "required: HELO does not get round it", OUTBOUND_TLS_VERIFY,
	    { GREET, { 'M', "HELO a\r\n" }, { 'h', "" }, { 'm', "421 4.7.0*" },
		{ 'w', "close" } } },
	{ "required: what is no SMTP does not get round it",
	    OUTBOUND_TLS_VERIFY,
	    { { 'H', "hello\r\n" }, { 'm', "421 4.7.0*" }, { 'w', "close" } } },
	{ "required: nor a line of EHLO's reply that is none",
	    OUTBOUND_TLS_VERIFY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\nx\r\n250 SIZE\r\n" }, { 'm', "421 4.7.0*" },
		{ 'M', MAIL "\r\n" }, { 'h', "" }, { 'w', "close" } } },
	{ "what was listed in clear doesn't count under TLS", OUTBOUND_TLS_MAY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250-MTRK\r\n250 STARTTLS\r\n" },
		{ 'h', "STARTTLS\r\n" }, { 'H', "220 go\r\n" }, { 't', "" },
		{ 'h', "EHLO a\r\n" }, { 'H', "502 no\r\n" },
		{ 'm', "502 no\r\n" }, SAY(MAIL), OK } },
	{ "the hop closes in the middle of what the MTA does not see",
	    OUTBOUND_TLS_MAY,
	    { GREET, { 'M', "EHLO a\r\n" }, { 'h', "EHLO a\r\n" },
		{ 'H', "250-mx\r\n250 STARTTLS\r\n" }, { 'c', "" },
		{ 'm', "421 4.4.2*" }, { 'w', "close" } } },
	{ "a host that greets with a refusal: the next one", OUTBOUND_TLS_MAY,
	    { { 'n', "more" }, { 'M', "EHLO a\r\n" }, { 'h', "" },
		{ 'H', "554-no\r\n554 go away\r\n" }, { 'm', "" },
		{ 'w', "next" }, { 'n', "" }, { 'w', "go" },
		{ 'H', "421 busy\r\n" }, { 'm', "421 busy\r\n" } } },
	{ "the hop closes: so do we", OUTBOUND_TLS_MAY,
	    { GREET, { 'c', "" }, { 'm', "" }, { 'w', "close" } } },
	{ "a hop that speaks no ESMTP", OUTBOUND_TLS_MAY,
	    { GREET, SAY("EHLO a"), { 'H', "502 what\r\n" },
		{ 'm', "502 what\r\n" }, SAY("HELO a"), OK,
		SAY("MAIL FROM:<a@x>"), OK } },
	{ "what is no SMTP goes through as it is", OUTBOUND_TLS_MAY,
	    { { 'H', "SSH-2.0\n\x01" }, { 'm', "SSH-2.0\n\x01" },
		{ 'M', "\x02\x03" }, { 'h', "\x02\x03" } } },
	{ "when it may stop: with nothing in hand, or at need without a"
	  " message whose verdict is due",
	    OUTBOUND_TLS_MAY,
	    { { 'i', "busy" }, EHLO("CHUNKING"), { 'i', "idle" },
		{ 'M', "NOOP" }, { 'i', "busy" }, { 'M', "\r\n" },
		{ 'h', "NOOP\r\n" }, OK, { 'i', "idle" }, SAY(MAIL),
		{ 'i', "busy" }, OK, { 'i', "busy" }, SAY("RCPT TO:<r2@b>"), OK,
		SAY("DATA"), { 'H', "354 go\r\n" }, { 'm', "354 go\r\n" },
		SAY("x"), { 'i', "busy" }, SAY("."), { 'i', "verdict" }, OK,
		{ 'i', "idle" }, SAY("RSET"), { 'i', "busy" }, OK, { 'e', "" },
		{ 'm', "421 4.3.2 we stop\r\n" }, { 'w', "close" } } },
	{ "quoted paths", OUTBOUND_TLS_MAY,
	    { EHLO("MTRK"), SAY("MAIL FROM:<\"> ENVID=q1@x \"@x>"), OK,
		SAY("RSET"), OK, SAY("MAIL FROM:"), OK } },
};

static const char *
wish_text(enum outbound_wish w)
{
	static const char *const texts[] = { "go", "handshake", "again", "next",
		"close" };

	return texts[w];
}

static const char *
hand_text(const struct outbound *o)
{
	if (outbound_awaits_verdict(o))
		return outbound_idle(o) ? "both" : "verdict";
	return outbound_idle(o) ? "idle" : "busy";
}

/* "text*" is a beginning. */
static bool
is_as_wanted(struct span got, const char *want)
{
	size_t n = strlen(want);

	if (n > 0 && want[n - 1] == '*')
		return got.n >= n - 1 && memcmp(got.p, want, n - 1) == 0;
	return span_is(got, want);
}

static void
want(const struct dialogue *d, size_t i, struct buf *b)
{
	if (!is_as_wanted(buf_as_span(b), d->steps[i].text))
		fail_msg("%s, step %zu: got \"%.*s\", want \"%s\"", d->name, i,
		    (int)b->n, b->n > 0 ? b->p : "", d->steps[i].text);
	buf_cut(b, 0);
}

static void
say(struct outbound *o, char who, const char *text, bool whole)
{
	size_t n = strlen(text), step = whole ? n : 1;

	for (size_t i = 0; i < n; i += step)
		assert_true(
		    (who == 'M' ? outbound_from_mta : outbound_from_hop)(
			o, (struct span){ text + i, step }));
}

static void
step(struct outbound *o, const struct dialogue *d, size_t i, bool whole)
{
	const char *text = d->steps[i].text;

	switch (d->steps[i].who) {
	case 'M':
	case 'H':
		say(o, d->steps[i].who, text, whole);
		break;
	case 'm':
		want(d, i, outbound_to_mta(o));
		break;
	case 'h':
		want(d, i, outbound_to_hop(o));
		break;
	case 'd':
		want(d, i, &told);
		break;
	case 'w':
		if (strcmp(wish_text(outbound_wish(o)), text) != 0)
			fail_msg("%s, step %zu: wish %s", d->name, i,
			    wish_text(outbound_wish(o)));
		break;
	case 't':
	case 'v':
		outbound_secured(o, d->steps[i].who == 'v' ? NULL : "expired");
		break;
	case 'f':
		outbound_tls_failed(o, "cut");
		break;
	case 'n':
		outbound_next(o, *text != '\0');
		break;
	case 'i':
		if (strcmp(hand_text(o), text) != 0)
			fail_msg("%s, step %zu: %s", d->name, i, hand_text(o));
		break;
	case 'e':
		outbound_end(o, "4.3.2 we stop");
		break;
	case 'r':
		outbound_reconnected(o);
		break;
	default:
		outbound_hop_closed(o);
	}
}

static void
run(const struct dialogue *d, bool whole)
{
	struct outbound_doors doors = gate_doors_open(&told);
	struct outbound *o = outbound_new(&doors, d->tls);

	assert_non_null(o);
	buf_cut(&told, 0);
	for (size_t i = 0; i < STEPS_MAX && d->steps[i].who != '\0'; i++)
		step(o, d, i, whole);
	want(&(struct dialogue){ .name = d->name, .steps = { { 0, "" } } }, 0,
	    outbound_to_mta(o));
	outbound_free(&o);
	gate_doors_close();
}

static void
whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dialogues); i++)
		run(&dialogues[i], true);
}

static void
octet_by_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dialogues); i++)
		run(&dialogues[i], false);
}

/* More than a line may be is no line: it goes through, and nothing grows. */
static void
endless_line(void **state)
{
	struct outbound_doors doors = gate_doors_open(&told);
	struct outbound *o = outbound_new(&doors, OUTBOUND_TLS_MAY);
	char block[1000];
	size_t out;

	(void)state;
	memset(block, 'x', sizeof block);
	assert_true(outbound_from_hop(o, SPAN("220 mx\r\n")));
	for (size_t i = 0; i < 100; i++)
		assert_true(
		    outbound_from_mta(o, (struct span){ block, sizeof block }));
	out = outbound_to_hop(o)->n;
	assert_int_equal(100 * sizeof block, out);
	outbound_free(&o);
	gate_doors_close();
}

/* Recipients without end: the mark is taken back before their lines are more
 * than is kept; none is lost. */
static void
endless_recipients(void **state)
{
	struct outbound_doors doors = gate_doors_open(&told);
	struct outbound *o = outbound_new(&doors, OUTBOUND_TLS_MAY);
	static const char line[] = "RCPT TO:<r2@b> ORCPT=rfc822;r2@b\r\n";
	size_t n = OUTBOUND_HELD_MAX / (sizeof line - 1) + 10, got = 0;

	(void)state;
	outbound_from_hop(o, SPAN("220 mx\r\n"));
	outbound_from_mta(o, SPAN("EHLO a\r\n"));
	outbound_from_hop(o, SPAN("250-mx\r\n250 MTRK\r\n"));
	outbound_from_mta(o, SPAN(MAIL "\r\n"));
	outbound_from_hop(o, SPAN("250 ok\r\n"));
	buf_cut(outbound_to_mta(o), 0);
	for (size_t i = 0; i < n; i++) {
		outbound_from_mta(o, SPAN(line));
		while (outbound_to_hop(o)->n > 0) {
			buf_cut(outbound_to_hop(o), 0);
			assert_true(outbound_from_hop(o, SPAN("250 ok\r\n")));
		}
		got += outbound_to_mta(o)->n / (sizeof "250 ok\r\n" - 1);
		buf_cut(outbound_to_mta(o), 0);
	}
	assert_int_equal(1, outbound_numbers(o).unmarked);
	assert_int_equal(n, got); /* one reply a recipient */
	outbound_free(&o);
	gate_doors_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(octet_by_octet),
		cmocka_unit_test(endless_line),
		cmocka_unit_test(endless_recipients),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&told);
	return failed;
}
