/*
 * tests/cases/postfix.log and hostile.log: a log line, what we make of it, a
 * blank line; "#" comments.  To add one, copy a line and write what it means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "milter/postfix.h"

enum { TEXT = 4096, NOW = 1795500000 /* 2026-11-24 */ };

static void
say_action(const struct happening_line *l, char out[TEXT])
{
	char code[STATUS_TEXT], rcpt[512], orig[512], remote[512];
	int n;

	status_format(l->status, code);
	n = snprintf(out, TEXT, "%s qid=%.*s", action_text(l->action),
	    (int)l->queue_id.n, l->queue_id.p);
	n += l->what == HAPPENED_TO_ALL
	    ? snprintf(out + n, TEXT - (size_t)n, " all")
	    : snprintf(out + n, TEXT - (size_t)n, " rcpt=%s",
		  log_quote(l->address, rcpt, sizeof rcpt));
	if (l->original.n > 0)
		n += snprintf(out + n, TEXT - (size_t)n, " orig=%s",
		    log_quote(l->original, orig, sizeof orig));
	n += snprintf(out + n, TEXT - (size_t)n, " code=%s", code);
	if (l->remote_mta.n > 0)
		snprintf(out + n, TEXT - (size_t)n, " remote=%s",
		    log_quote(l->remote_mta, remote, sizeof remote));
}

static void
say(struct span text, char out[TEXT])
{
	static struct logline_cache cache;
	struct logline line;
	struct happening_line l;
	enum postfix_line what;

	snprintf(out, TEXT, "nothing");
	if (logline_parse(text, NOW, &cache, &line) != MTRK_OK ||
	    (what = postfix_parse(&line, &l)) == POSTFIX_NOTHING)
		return;
	if (what == POSTFIX_QUEUED)
		snprintf(out, TEXT, "queued qid=%.*s", (int)l.queue_id.n,
		    l.queue_id.p);
	else if (what == POSTFIX_EARLY)
		snprintf(out, TEXT, "message-id qid=%.*s %.*s",
		    (int)l.queue_id.n, l.queue_id.p, (int)l.text.n, l.text.p);
	else if (l.what == HAPPENED_REMOVED)
		snprintf(out, TEXT, "removed qid=%.*s", (int)l.queue_id.n,
		    l.queue_id.p);
	else
		say_action(&l, out);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples),
		cmocka_unit_test(strangers_words),
		cmocka_unit_test(cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
