/*
 * tests/cases/postfix.log, sendmail.log and hostile.log: a log line, what we
 * make of it, a blank line; "#" comments.  To add some, give the lines to
 * test_mta -, read what it says of them, and put both there.
 */
#include "common/log.h"
#include "milter/mta.h"
#include "milter/splice.h"
#include "tests/lib/cm.h"

enum { TEXT = 8192, ROOM = 1 << 20, NOW = 1795500000 /* 2026-11-24 */ };

static void
put(struct buf *b, const char *name, struct span value)
{
	char q[2048];

	if (value.n > 0)
		buf_fmt(b, " %s=%s", name, log_quote(value, q, sizeof q));
}

static void
say_action(const struct happening_line *h, struct buf *b)
{
	char code[STATUS_TEXT];

	if (h->what == HAPPENED_TO_ALL || h->what == HAPPENED_DELETED)
		buf_str(b, " all");
	else if (h->what == HAPPENED_ONE_FAILED)
		buf_str(b, " one");
	else
		put(b, h->member ? "member" : "rcpt", h->address);
	if (h->hidden)
		buf_str(b, " hidden");
	if (h->untried)
		buf_str(b, " untried");
	put(b, "orig", h->original);
	status_format(h->status, code);
	put(b, "code", span_of(code));
	put(b, "remote", h->remote_mta);
	put(b, "next", h->next);
}

static void
say_happening(const struct happening_line *h, struct buf *b)
{
	static const char *const words[] = {
		[HAPPENED_MESSAGE_ID] = "message-id",
		[HAPPENED_FROM] = "queued",
		[HAPPENED_NOTE] = "note",
		[HAPPENED_ALIAS] = "alias",
		[HAPPENED_EXPANDED] = "expanded",
		[HAPPENED_REQUEUED] = "requeued",
		[HAPPENED_SPLIT] = "split",
		[HAPPENED_CLONED] = "list",
		[HAPPENED_REMOVED] = "removed",
	};
	bool acts = h->action != ACTION_NONE;

	if (h->what == HAPPENED_FORWARDED)
		buf_str(b, "forwarded");
	else if (h->what == HAPPENED_REFUSED)
		buf_str(b, "refused");
	else
		buf_str(b, acts ? action_text(h->action) : words[h->what]);
	put(b, "qid", h->queue_id);
	if (acts) {
		say_action(h, b);
		return;
	}
	if (h->what == HAPPENED_MESSAGE_ID) {
		buf_chr(b, ' ');
		buf_span(b, h->text);
		return;
	}
	put(b, h->member ? "member" : "address", h->address);
	if (h->several)
		buf_str(b, " several");
	put(b, "next", h->next);
	if (h->what == HAPPENED_NOTE)
		put(b, "text", h->text);
}

/* What a line says; pieces of a line together, with the last of them. */
static void
say(struct span text, char out[TEXT])
{
	static struct logline_cache cache;
	static struct waiting *room;
	static struct buf whole;
	struct buf b = BUF(TEXT - 1);
	struct happening_line h;
	const struct mta *mta;
	struct logline l;
	struct span id;
	enum said said;
	unsigned part;

	if (room == NULL)
		assert_non_null(room = waiting_new(ROOM, 86400));
	snprintf(out, TEXT, "nothing");
	if (logline_parse(text, NOW, &cache, &l) != MTRK_OK ||
	    (mta = mta_of(&l, &id, &part)) == NULL ||
	    (part > 0 &&
		splice_add(room, id, part, &l, &whole) != SPLICE_WHOLE) ||
	    (said = mta->parse(&l, &h)) == SAID_KNOWN || said == SAID_NOTHING)
		return;
	if (said == SAID_UNKNOWN) {
		snprintf(out, TEXT, "not understood");
		return;
	}
	say_happening(&h, &b);
	while (mta->next != NULL && mta->next(&h)) {
		buf_str(&b, " + ");
		say_happening(&h, &b);
	}
	snprintf(out, TEXT, "%s", b.p);
	buf_free(&b);
}

static unsigned
run_file(const char *name)
{
	char path[512], line[TEXT] = "", text[TEXT], said[TEXT];
	unsigned cases = 0, number = 0;
	bool want = false;
	FILE *f;

	snprintf(path, sizeof path, "%s/cases/%s", MTRK_TESTS_DIR, name);
	assert_non_null(f = fopen(path, "re"));
	while (fgets(text, sizeof text, f) != NULL) {
		text[strcspn(text, "\n")] = '\0';
		number++;
		if (text[0] == '\0' || text[0] == '#') {
			want = false;
		} else if (!want) {
			snprintf(line, sizeof line, "%s", text);
			want = true;
		} else {
			say(span_of(line), said);
			if (strcmp(said, text) != 0)
				fail_msg("%s:%u: %s\n  want: %s\n  got:  %s",
				    name, number, line, text, said);
			cases++;
			want = false;
		}
	}
	fclose(f);
	return cases;
}

static void
samples(void **state)
{
	(void)state;
	assert_true(run_file("postfix.log") > 150);
}

static void
sendmail_samples(void **state)
{
	(void)state;
	assert_true(run_file("sendmail.log") > 200);
}

static void
strangers_words(void **state)
{
	(void)state;
	assert_true(run_file("hostile.log") > 8);
}

/* No byte of a line, cut or changed, may give a queue id or address that
 * isn't where Postfix puts it. */
static void
cut_anywhere(void **state)
{
	static const char line[] =
	    "Nov 24 03:28:35 a postfix-a/smtp[25593]: 38D4EA8478C: "
	    "to=<\"a>, dsn=2.0.0, status=sent (\"@x.test>, "
	    "orig_to=<v@a.test>, relay=mx[192.0.2.1]:25, conn_use=2, "
	    "delay=0.12, delays=0.01/0.02/0.04/0.04, dsn=2.0.0, "
	    "status=sent (250 2.0.0 Ok: queued as 6B0504633049)";
	char said[TEXT], copy[sizeof line];

	(void)state;
	for (size_t n = 0; n < sizeof line; n++) {
		say((struct span){ line, n }, said);
		if (strncmp(said, "relayed", 7) == 0)
			assert_non_null(strstr(said,
			    "rcpt=\\x22a>, dsn=2.0.0, status=sent "
			    "(\\x22@x.test orig=v@a.test"));
	}
	for (size_t n = 0; n + 1 < sizeof line; n++)
		for (int c = 0; c < 256; c += 5) {
			memcpy(copy, line, sizeof line);
			copy[n] = (char)c;
			say((struct span){ copy, sizeof line - 1 }, said);
			if (strncmp(said, "delivered", 9) == 0)
				fail_msg("%s", copy);
		}
}

/* A line that a syslogd cut may be lost, but tells nothing else. */
static void
cut_tells_nothing_else(void **state)
{
	static const char *const lines[] = {
		"Nov 24 03:28:35 a postfix/local[1]: 88A2FA84513: to=<f@a.test>, "
		"relay=local, delay=0.01, delays=0/0/0/0, dsn=2.0.0, "
		"status=sent (forwarded as 8A92DA84522)",
		"Nov 24 03:28:35 a postfix/qmgr[1]: 38D4EA8478C: from=<u@a.test>, "
		"size=349, nrcpt=1 (queue active)",
		"Nov 26 11:33:43 m sm-mta[1]: 6AQBXgiU029803: to=<g@f.test>, "
		"delay=00:00:00, xdelay=00:00:00, mailer=relay, pri=60030, "
		"relay=[127.0.0.1] [127.0.0.1], dsn=5.7.1, reply=451 5.7.1 "
		"greylisted, stat=Deferred: 451 5.7.1 greylisted",
		"Nov 26 11:33:43 m sm-mta[1]: 6AQBXgiU029803: to=<l@f.test>, "
		"delay=00:00:00, xdelay=00:00:00, mailer=relay, pri=60030, "
		"relay=[127.0.0.1] [127.0.0.1], dsn=4.6.0, reply=554 4.6.0 "
		"refused, stat=Service unavailable",
	};
	char whole[TEXT], said[TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		size_t length = strlen(lines[i]);

		say(span_of(lines[i]), whole);
		for (size_t n = 0; n < length; n++) {
			say((struct span){ lines[i], n }, said);
			if (strcmp(said, "nothing") != 0 &&
			    strcmp(said, "not understood") != 0 &&
			    strcmp(said, whole) != 0)
				fail_msg("%.*s\n%s", (int)n, lines[i], said);
		}
	}
}

/* As sm_syslog() does: behind the last comma or blank that fits, or anywhere;
 * the last piece says all. */
static void
say_in_pieces(const char *text, size_t fits, char out[TEXT])
{
	static const char stamp[] = "Nov 24 03:35:09 mta sm-mta[1]: ";
	char line[TEXT];
	unsigned part = 1;

	while (strlen(text) > fits) {
		size_t end = fits - 1;

		while (end > 0 && text[end] != ',' && text[end] != ' ')
			end--;
		end = end > 0 ? end + 1 : fits;
		snprintf(line, sizeof line, "%s6AO3Z9pI030797[%u]: %.*s ...",
		    stamp, part++, (int)end, text);
		say(span_of(line), out);
		assert_string_equal(out, "nothing");
		text += end;
	}
	snprintf(
	    line, sizeof line, "%s6AO3Z9pI030797[%u]: %s", stamp, part, text);
	say(span_of(line), out);
}

static void
cut_in_pieces(void **state)
{
	static const char text[] =
	    "to=<\"a,b c, ...\"@x.test>,<c@y.test>,list, ctladdr=<s@h.test> "
	    "(1/0), delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=60072, "
	    "relay=mx.x.test. [192.0.2.7], dsn=5.1.1, reply=550 5.1.1 "
	    "\\320\\275\\320\\265 ... no, stat=User unknown";
	char whole[TEXT], said[TEXT];

	(void)state;
	say_in_pieces(text, sizeof text, whole);
	assert_non_null(strstr(whole, "failed"));
	assert_non_null(strstr(whole, "rcpt=c@y.test code=5.1.1"));
	for (size_t fits = 4; fits < sizeof text; fits++) {
		say_in_pieces(text, fits, said);
		assert_string_equal(said, whole);
	}
}

/* The lines of standard input with what we make of them. */
static int
say_all(void)
{
	char line[TEXT], said[TEXT];

	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		say(span_of(line), said);
		printf("%s\n%s\n\n", line, said);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples),
		cmocka_unit_test(sendmail_samples),
		cmocka_unit_test(strangers_words),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(cut_tells_nothing_else),
		cmocka_unit_test(cut_in_pieces),
	};

	if (argc > 1 && strcmp(argv[1], "-") == 0)
		return say_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
