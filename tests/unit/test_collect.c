/* From log lines to a message's story, through a real store: order, links,
 * queue ids that come back, lying remotes, restarts. */
#include "tests/lib/cm.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/conf.h"
#include "milter/collect.h"

enum { MIB = 1 << 20, WAIT = 60000, T0 = 1795491000 };
#define STAMP "2026-11-24T03:30:00Z a " /* T0 */
#define LATER "2026-11-24T03:30:04Z a " /* T0 + 4 */
#define SENT(qid, to, text) \
	"postfix/smtp[1]: " qid ": to=<" to \
	">, relay=mx.x.test[192.0.2.1]:25, " \
	"delay=1, delays=0/0/0/0, dsn=2.0.0, status=sent (" text ")\n"
#define FROM(qid, from) \
	"postfix/qmgr[1]: " qid ": from=<" from \
	">, size=3, nrcpt=1 (queue active)\n"
#define ID(qid, id) "postfix/cleanup[1]: " qid ": message-id=" id "\n"
#define GONE(qid) "postfix/qmgr[1]: " qid ": removed\n"
#define ALIAS(qid, next) \
	"postfix/local[1]: " qid ": to=<a@h.test>, relay=local, delay=0, " \
	"delays=0/0/0/0, dsn=2.0.0, status=sent (forwarded as " next ")\n"

static char dir[256], path[300], log_path[300], why[STORE_WHY_MAX];
static struct store *st;
static struct follow *f;
static struct collect *c;
static struct conf conf;

static void
start(void)
{
	struct buf mark = BUF(MARK_MAX);

	store_get_mark(st, "log", &mark);
	assert_int_equal(
	    follow_new(log_path, mark.p != NULL ? mark.p : "", &f), MTRK_OK);
	assert_non_null(c = collect_new(&conf, st, f, "log"));
	buf_free(&mark);
}

static void
stop(void)
{
	collect_free(&c);
	follow_free(&f);
}

static int
setup(void **state)
{
	FILE *out;

	(void)state;
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/store", dir);
	snprintf(log_path, sizeof log_path, "%s/log", dir);
	conf_defaults(&conf);
	if ((out = fopen(log_path, "w")) == NULL ||
	    store_open(path, STORE_WRITE, 64 * MIB, &st, why) != MTRK_OK)
		return -1;
	fclose(out);
	start();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	stop();
	store_close(&st);
	scratch_remove(dir);
	return 0;
}

/* One message with recipients a@h.test and, if `two`, b@x.test. */
static void
record(const char *envid, const char *qid, int64_t arrival, bool two)
{
	struct recipient r[] = { { .address = SPAN("a@h.test") },
		{ .address = SPAN("b@x.test") } };
	struct message m = { .envid = span_of(envid),
		.arrival = arrival,
		.instance = SPAN("default"),
		.queue_id = span_of(qid),
		.sender = SPAN("s@h.test"),
		.recipients = r,
		.n_recipients = two ? 2 : 1 };

	memcpy(m.certifier, "01234567890123456789", CERTIFIER_LEN);
	assert_int_equal(store_add(st, &m, WAIT), MTRK_OK);
}

static void
collect(void)
{
	enum mtrk_err err;

	while ((err = collect_some(c)) == MTRK_OK || err == MTRK_TOOBIG)
		;
	assert_int_equal(err, MTRK_NOTFOUND);
}

static void
lines(const char *text)
{
	FILE *out = fopen(log_path, "a");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	collect();
}

static bool
tell(const struct message *m, void *arg)
{
	struct buf *b = arg;
	struct disposition d;
	char code[STATUS_TEXT];

	for (uint32_t i = 0; i < m->n_recipients; i++) {
		disposition_of(m, i, 86400, &d);
		status_format(d.status, code);
		buf_fmt(b, "%s%s %s %.*s", b->n > 0 ? ", " : "",
		    action_text(d.action), code, (int)d.final.n, d.final.p);
	}
	buf_fmt(b, " (%zu)", m->n_events);
	return true;
}

static void
is(const char *envid, const char *wanted)
{
	struct buf b = BUF(1000);

	assert_int_equal(store_find(st, span_of(envid), tell, &b), MTRK_OK);
	assert_string_equal(b.p, wanted);
	buf_free(&b);
}

/* Lines first, then the record; also over a restart in between, which the
 * waiting room survives. */
static void
record_comes_late(void **state)
{
	(void)state;
	lines(STAMP ID("3F905A8456E", "<i@h>") STAMP FROM("3F905A8456E",
	    "s@h.test") STAMP SENT("3F905A8456E", "a@h.test", "250 ok")
		STAMP GONE("3F905A8456E"));
	assert_int_equal(collect_save(c), MTRK_OK);
	stop();
	start();
	record("e1", "3F905A8456E", T0, false);
	collect();
	is("e1", "relayed 2.1.9 a@h.test (2)"); /* with the Message-ID */
	stop();
	start();
	collect();
	is("e1", "relayed 2.1.9 a@h.test (2)"); /* once */
}

/* The store's files are deleted while a record is found to which lines
 * belong; and those that come later are found in the store that is new. */
static void
store_is_deleted(void **state)
{
	(void)state;
	lines(STAMP SENT("3F905A84561", "a@h.test", "250 ok"));
	record("e1", "3F905A84561", T0, false);
	scratch_unlink(path, "lock.mdb");
	collect();
	is("e1", "relayed 2.1.9 a@h.test (1)");

	lines(STAMP SENT("3F905A84562", "a@h.test", "250 ok"));
	record("e2", "3F905A84562", T0, false);
	scratch_unlink(path, "data.mdb");
	collect();
	lines(STAMP SENT("3F905A84563", "a@h.test", "250 ok"));
	record("e3", "3F905A84563", T0, false);
	collect();
	is("e3", "relayed 2.1.9 a@h.test (1)");
}

/* One message, of which nothing is to be kept. */
static void
is_purged(void)
{
	const struct retention none = { 0, 0 };
	unsigned removed;
	uint64_t at = 0;

	assert_int_equal(
	    store_purge(st, &none, T0 + 1, 10, &at, &removed), MTRK_OK);
	assert_int_equal(removed, 1);
}

/* All that was tracked is purged; the next record that comes late is found. */
static void
all_are_purged(void **state)
{
	(void)state;
	record("e1", "1F905A8456E", T0, false);
	lines(STAMP SENT("1F905A8456E", "a@h.test", "250 ok"));
	is_purged();
	lines(STAMP SENT("3F905A8456E", "a@h.test", "250 ok"));
	record("e2", "3F905A8456E", T0, false);
	collect();
	is("e2", "relayed 2.1.9 a@h.test (1)");
}

/* The clock was years ahead for a line, as before a machine has asked for the
 * time; that line waits for ever, and what comes then waits as it should. */
static void
clock_was_ahead(void **state)
{
	(void)state;
	lines("2036-01-01T00:00:00Z a " GONE("5F905A8456E")
		STAMP SENT("3F905A8456E", "a@h.test", "250 ok"));
	assert_int_equal(collect_save(c), MTRK_OK);
	stop();
	start();
	record("e1", "3F905A8456E", T0, false);
	collect();
	is("e1", "relayed 2.1.9 a@h.test (1)");
}

/* A big message: its Message-ID is logged long before it has arrived. */
static void
id_long_before(void **state)
{
	(void)state;
	record("e1", "3F905A8456E", T0 + 4, false);
	lines(STAMP ID("3F905A8456E", "<i@h>")
		LATER SENT("3F905A8456E", "a@h.test", "250 ok"));
	is("e1", "relayed 2.1.9 a@h.test (2)");
}

/* An untracked message had the id before, and its lines still wait. */
static void
another_had_the_id(void **state)
{
	(void)state;
	lines(STAMP ID("3F905A8456E", "<other@h>") STAMP SENT(
	    "3F905A8456E", "a@h.test", "250 other") STAMP GONE("3F905A8456E"));
	record("e1", "3F905A8456E", T0 + 4, false);
	collect();
	is("e1", "delayed 4.0.0 a@h.test (0)");
	lines(LATER ID("3F905A8456E", "<i@h>")
		LATER SENT("3F905A8456E", "a@h.test", "250 ok"));
	is("e1", "relayed 2.1.9 a@h.test (2)");
}

/* A short id is free for another tracked message as soon as its file is: both
 * records are there before a line is read, as when old logs are read again. */
static void
id_comes_back(void **state)
{
	static const char story[] = STAMP ID("3F905A8456E", "<1@h>")
	    STAMP FROM("3F905A8456E", "s@h.test")
		STAMP SENT("3F905A8456E", "a@h.test", "250 first")
		    STAMP GONE("3F905A8456E") LATER ID("3F905A8456E", "<2@h>")
			LATER FROM("3F905A8456E", "s@h.test") LATER
	    "postfix/smtp[1]: 3F905A8456E: to=<a@h.test>, relay=none, delay=0, "
	    "delays=0/0/0/0, dsn=5.4.4, status=bounced (no such host)\n" LATER
		GONE("3F905A8456E");

	(void)state;
	record("e1", "3F905A8456E", T0, false);
	record("e2", "3F905A8456E", T0 + 4, false);
	lines(story);
	is("e1", "relayed 2.1.9 a@h.test (2)");
	is("e2", "failed 5.4.4 a@h.test (2)");
	lines(story); /* adds nothing */
	is("e1", "relayed 2.1.9 a@h.test (2)");
	is("e2", "failed 5.4.4 a@h.test (2)");
}

/* local(8) makes a new id, whose lines may come first; and a restart. */
static void
forwarded(void **state)
{
	(void)state;
	record("e1", "3F905A8456E", T0, true);
	lines(STAMP ID("8A92DA84522", "<i@h>") STAMP FROM("8A92DA84522",
	    "s@h.test") STAMP SENT("8A92DA84522", "c@y.test", "250 ok")
		STAMP ALIAS("3F905A8456E", "8A92DA84522"));
	is("e1", "relayed 2.1.9 c@y.test, delayed 4.0.0 b@x.test (2)");
	lines(STAMP ALIAS("3F905A8456E", "9A92DA84522"));
	is("e1", "delayed 4.0.0 c@y.test, delayed 4.0.0 b@x.test (3)");
	stop();
	start();
	lines(STAMP FROM("9A92DA84522", "owner@h.test")
		STAMP SENT("9A92DA84522", "d@y.test", "250 ok"));
	is("e1", "expanded 2.0.0 a@h.test, delayed 4.0.0 b@x.test (5)");
	lines(STAMP GONE("9A92DA84522")
		STAMP SENT("9A92DA84522", "e@y.test", "250 another's"));
	is("e1", "expanded 2.0.0 a@h.test, delayed 4.0.0 b@x.test (5)");
}

/* Sent to several: the first of them that is told of is not all (S30). */
static void
forwarded_to_several(void **state)
{
	(void)state;
	record("e1", "3F905A8456E", T0, true);
	lines(STAMP
	    "postfix/qmgr[1]: 8A92DA84522: from=<s@h.test>, size=3, "
	    "nrcpt=2 (queue active)\n" STAMP ALIAS("3F905A8456E", "8A92DA84522")
		STAMP SENT("8A92DA84522", "c@y.test", "250 ok"));
	is("e1", "expanded 2.0.0 a@h.test, delayed 4.0.0 b@x.test (3)");
	lines(LATER "postfix/qmgr[1]: 8A92DA84522: from=<s@h.test>, size=3, "
		    "nrcpt=1 (queue active)\n");
	is("e1", "expanded 2.0.0 a@h.test, delayed 4.0.0 b@x.test (3)");
}

/* A filter hands it back behind the aliases; and to nobody else's address. */
static void
filtered_behind_aliases(void **state)
{
	static const char to[] = STAMP
	    "postfix/smtp[1]: 3F905A8456E: to=<c@y.test>, orig_to=<a@h.test>, "
	    "relay=127.0.0.1[127.0.0.1]:25, delay=1, delays=0/0/0/0, "
	    "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 8A92DA84522)\n";

	(void)state;
	record("e1", "3F905A8456E", T0, true);
	lines(
	    STAMP ID("3F905A8456E", "<i@h>") STAMP ID("8A92DA84522", "<i@h>"));
	lines(to);
	lines(STAMP GONE("3F905A8456E")
		STAMP SENT("8A92DA84522", "d@y.test", "250 another's"));
	is("e1", "delayed 4.0.0 a@h.test, opaque 2.0.0 b@x.test (3)");
	lines(STAMP SENT("8A92DA84522", "c@y.test", "250 ok")
		STAMP GONE("8A92DA84522"));
	is("e1", "relayed 2.1.9 c@y.test, opaque 2.0.0 b@x.test (4)");
}

/* A remote may say what it likes; without the Message-ID, and for other
 * recipients than the message's own, it is told nothing. */
static void
lying_remote(void **state)
{
	(void)state;
	record("e1", "3F905A8456E", T0, false);
	lines(STAMP ID("3F905A8456E", "<i@h>")
		STAMP ID("8A92DA84522", "<victim@h>") STAMP SENT("3F905A8456E",
		    "a@h.test", "250 Ok: queued as 8A92DA84522"));
	is("e1", "relayed 2.1.9 a@h.test (2)");
	lines(STAMP SENT("8A92DA84522", "a@h.test", "250 victim's"));
	is("e1", "relayed 2.1.9 a@h.test (2)");
	record("e2", "4F905A8456E", T0, false);
	lines(STAMP ID("4F905A8456E", "<copy@h>")
		STAMP ID("8B92DA84522", "<copy@h>") STAMP SENT("4F905A8456E",
		    "a@h.test", "250 Ok: queued as 8B92DA84522"));
	is("e2", "delayed 4.0.0 a@h.test (2)");
	lines(STAMP SENT("8B92DA84522", "victim@h.test", "250 victim's"));
	is("e2", "delayed 4.0.0 a@h.test (2)");
	lines(STAMP SENT("8B92DA84522", "a@h.test", "250 ok"));
	is("e2", "relayed 2.1.9 a@h.test (3)");
	/* nor another tracked message's */
	record("e3", "5F905A8456E", T0, false);
	lines(STAMP ID("5F905A8456E", "<copy@h>") STAMP SENT(
	    "3F905A8456E", "a@h.test", "250 Ok: queued as 5F905A8456E"));
	lines(STAMP SENT("5F905A8456E", "a@h.test", "250 ok"));
	is("e3", "relayed 2.1.9 a@h.test (2)");
}

#define SM(qid, rest) "1795491000.5 " qid ": " rest "\n"
#define SM_SENT "delay=00:00:00, mailer=local, pri=3, dsn=2.0.0, stat=Sent"

/* Sendmail at LogLevel 9: who no line names can only be the one. */
static void
the_only_one_left(void **state)
{
	(void)state;
	record("e1", "6AO3VWuT028419", T0, true);
	lines(SM("6AO3VWuT028419", "to=games, " SM_SENT));
	is("e1", "opaque 2.0.0 a@h.test, opaque 2.0.0 b@x.test (1)");
	lines(SM("6AO3VWuT028419", "to=<b@x.test>, " SM_SENT));
	is("e1", "delivered 2.0.0 games, delivered 2.0.0 b@x.test (2)");
	lines(SM("6AO3VWuT028419", "to=news, " SM_SENT));
	is("e1", "expanded 2.0.0 a@h.test, delivered 2.0.0 b@x.test (3)");
}

/* A bounce without a name counts if nobody is known to have failed. */
static void
bounce_without_name(void **state)
{
	(void)state;
	record("e1", "6AO3VWuT028419", T0, true);
	lines(
	    SM("6AO3VWuT028419", "to=<b@x.test>, " SM_SENT) SM("6AO3VWuT028419",
		"6AO3VWuT028499: DSN: aliasing/forwarding loop broken"));
	is("e1", "failed 5.0.0 a@h.test, delivered 2.0.0 b@x.test (2)");
	lines(SM("6AO3VWuT028419", "6AO3VWuT028498: DSN: User unknown"));
	is("e1", "failed 5.0.0 a@h.test, delivered 2.0.0 b@x.test (2)");
}

#define SM_BEGIN(qid) \
	"1795491000.5 " qid \
	"[1]: to=<a@h.test>, delay=00:00:00, mailer=esmtp, pri=3, ...\n"
#define SM_MIDDLE(qid) \
	"1795491000.5 " qid \
	"[2]:  relay=mx.x.test. [192.0.2.1], dsn=5.1.1, reply=550 5.1.1 ...\n"
#define SM_END(qid) "1795491000.5 " qid "[3]: no, stat=User unknown\n"

#define PIPED(qid, service) \
	"postfix/pipe[1]: " qid ": to=<a@h.test>, relay=" service \
	", delay=1, delays=0/0/0/0, dsn=2.0.0, " \
	"status=sent (delivered via " service " service)\n"

/* It comes back from there, and the log doesn't tell as what. */
static void
content_filter(void **state)
{
	(void)state;
	snprintf(conf.content_filter, sizeof conf.content_filter, "filter");
	record("e1", "3F905A8456E", T0, false);
	record("e2", "4F905A8456E", T0, false);
	lines(STAMP PIPED("3F905A8456E", "filter")
		STAMP PIPED("4F905A8456E", "maildrop"));
	is("e1", "relayed 2.1.9 a@h.test (1)");
	is("e2", "delivered 2.0.0 a@h.test (1)");
}

/* Another instance is quick: what it says of a recipient comes before the line
 * that leads him there, his neighbour's line having led there already. */
static void
other_instance_is_quick(void **state)
{
	(void)state;
	record("e1", "3F905A8456E", T0, true);
	lines(
	    STAMP ID("3F905A8456E", "<i@h>") STAMP ID("4A905A8456E", "<i@h>"));
	lines(STAMP SENT("4A905A8456E", "a@h.test", "250 there"));
	lines(STAMP SENT(
	    "3F905A8456E", "b@x.test", "250 ok: queued as 4A905A8456E"));
	is("e1", "relayed 2.1.9 a@h.test, delayed 4.0.0 b@x.test (3)");
	lines(STAMP SENT("3F905A8456E", "a@h.test",
	    "250 ok: queued as 4A905A8456E") STAMP GONE("3F905A8456E"));
	is("e1", "relayed 2.1.9 a@h.test, delayed 4.0.0 b@x.test (4)");
	lines(STAMP SENT("4A905A8456E", "b@x.test", "250 there")
		STAMP GONE("4A905A8456E"));
	is("e1", "relayed 2.1.9 a@h.test, relayed 2.1.9 b@x.test (5)");
}

/* Between the pieces of a long line mtrk-collect may be killed. */
static void
long_line_over_a_restart(void **state)
{
	(void)state;
	record("e1", "6AO3VWuT028419", T0, false);
	lines(SM_BEGIN("6AO3VWuT028419") SM_MIDDLE("6AO3VWuT028419"));
	is("e1", "delayed 4.0.0 a@h.test (0)");
	stop();
	start();
	lines(SM_END("6AO3VWuT028419"));
	is("e1", "failed 5.1.1 a@h.test (1)");
}

/* A long line that comes before the record, whose own comes in between. */
static void
long_line_before_its_record(void **state)
{
	(void)state;
	lines(SM_BEGIN("6AO3VWuT028419") SM_MIDDLE("6AO3VWuT028419")
		SM_END("6AO3VWuT028419"));
	record("e1", "6AO3VWuT028419", T0, false);
	collect();
	is("e1", "failed 5.1.1 a@h.test (1)");
	lines(SM_BEGIN("6AO3VWuT028420"));
	record("e2", "6AO3VWuT028420", T0, false);
	lines(SM_MIDDLE("6AO3VWuT028420") SM_END("6AO3VWuT028420"));
	is("e2", "failed 5.1.1 a@h.test (1)");
}

/* Its last piece may end in dots of its own, or never come: the next line
 * shows it. */
static void
long_line_without_an_end(void **state)
{
	(void)state;
	record("e1", "6AO3VWuT028419", T0, false);
	lines(SM_BEGIN("6AO3VWuT028419") SM_MIDDLE("6AO3VWuT028419")
		SM("6AO3VWuT028419", "done; delay=00:00:00, ntries=1"));
	is("e1", "failed 5.1.1 a@h.test (1)");
}

/* What lost its begin says nothing, but is counted. */
static void
long_line_without_a_begin(void **state)
{
	(void)state;
	record("e1", "6AO3VWuT028419", T0, false);
	lines(SM_MIDDLE("6AO3VWuT028419") SM_END("6AO3VWuT028419"));
	is("e1", "delayed 4.0.0 a@h.test (0)");
	assert_int_equal(collect_numbers(c).not_understood, 1);
	lines(SM_BEGIN("6AO3VWuT028419") SM_END("6AO3VWuT028419"));
	is("e1", "delayed 4.0.0 a@h.test (0)");
	assert_int_equal(collect_numbers(c).not_understood, 2);
}

static void
keep_example(struct span name, struct span line, void *arg)
{
	buf_fmt(arg, "%.*s: %.*s", (int)name.n, name.p, (int)line.n, line.p);
}

static void
keep_count(struct span name, uint64_t n, void *arg)
{
	if (span_is(name, "not-understood.smtp"))
		*(uint64_t *)arg = n;
}

/* Issue 3, 8. */
static void
not_understood(void **state)
{
	struct buf b = BUF(1000);
	uint64_t n = 0;

	(void)state;
	record("e1", "3F905A8456E", T0, false);
	lines(STAMP "postfix/smtp[1]: 3F905A8456E: something new\n" STAMP
		    "postfix/smtp[1]: 3F905A8456E: and again\n" STAMP
		    "postfix/smtp[1]: 4F905A8456E: of nobody\n");
	assert_int_equal(store_counters(st, keep_count, &n), MTRK_OK);
	assert_int_equal(n, 2);
	assert_int_equal(store_examples(st, keep_example, &b), MTRK_OK);
	assert_string_equal(
	    b.p, "not-understood.smtp: 3F905A8456E: something new");
	buf_free(&b);
}

static void
sum_and_names(struct span name, uint64_t n, void *arg)
{
	uint64_t *out = arg;

	if (span_starts(name, "not-understood.")) {
		out[0] += n;
		out[1]++;
	}
}

/* A program's name is anybody's who can write to the log. */
static void
programs_without_end(void **state)
{
	char line[128];
	uint64_t all[2] = { 0 };

	(void)state;
	record("e1", "3F905A8456E", T0, false);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(line, sizeof line,
		    STAMP "postfix/x%u[1]: 3F905A8456E: well\n", i);
		lines(line);
	}
	assert_int_equal(store_counters(st, sum_and_names, all), MTRK_OK);
	assert_int_equal(all[0], 300);
	assert_in_range(all[1], 10, 100);
}

/* Before libc's: each look at the clock takes so long. */
static atomic_int look_ms;

int
clock_gettime(clockid_t clock, struct timespec *t)
{
	static int (*next)(clockid_t, struct timespec *);
	static atomic_llong ahead_ms;
	int rc;

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
	rc = next(clock, t);
	ahead_ms += look_ms;
	t->tv_sec += ahead_ms / 1000;
	return rc;
}

/* Lines that take long are not all in one transaction: others wait for it. */
static void
slow_lines(void **state)
{
	FILE *out = fopen(log_path, "a");

	(void)state;
	record("e1", "3F905A8456E", T0, false);
	assert_non_null(out);
	for (unsigned i = 0; i < 100; i++)
		fputs(STAMP SENT("3F905A8456E", "a@h.test", "250 ok"), out);
	fclose(out);
	look_ms = 100;
	assert_int_equal(collect_some(c), MTRK_OK);
	look_ms = 0;
	assert_in_range(collect_numbers(c).lines, 1, 20);
	collect();
	assert_int_equal(collect_numbers(c).lines, 100);
	is("e1", "relayed 2.1.9 a@h.test (1)");
}

/* The room is bounded: what falls out is lost, and counted. */
static void
room_is_full(void **state)
{
	char line[512];
	FILE *out;

	(void)state;
	stop();
	conf.waiting_size = 65536;
	start();
	lines(STAMP SENT("3F905A8456E", "a@h.test", "250 ok"));
	assert_non_null(out = fopen(log_path, "a"));
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(line, sizeof line, STAMP GONE("5F%05XA8456E"), i);
		fputs(line, out);
	}
	fclose(out);
	collect();
	record("e1", "3F905A8456E", T0, false);
	record("e2", "5F007CFA8456E", T0, false);
	collect();
	is("e1", "delayed 4.0.0 a@h.test (0)");
}

#define REFUSED(qid, to) \
	"postfix/smtpd[1]: " qid \
	": milter-reject: RCPT from x[192.0.2.1]: 550 5.7.1 no; " \
	"from=<s@h.test> to=<" to "> proto=ESMTP helo=<x>\n"

/* A milter behind ours refuses one, before the message's record is there. */
static void
refused_by_another_milter(void **state)
{
	(void)state;
	lines(STAMP REFUSED("3F905A8456E", "b@x.test")
		STAMP REFUSED("3F905A8456E", "never-seen@x.test"));
	record("e1", "3F905A8456E", T0, true);
	lines(STAMP SENT("3F905A8456E", "a@h.test", "250 ok")
		STAMP GONE("3F905A8456E"));
	is("e1", "relayed 2.1.9 a@h.test, failed 5.7.1 b@x.test (2)");
}

/* Who left the queue without a word isn't waiting, and isn't kept for ever
 * (S21a, Q23). */
static void
left_without_a_word(void **state)
{
	(void)state;
	record("e1", "3F905A8456E", T0, true);
	lines(STAMP SENT("3F905A8456E", "a@h.test", "250 ok"));
	is("e1", "relayed 2.1.9 a@h.test, delayed 4.0.0 b@x.test (1)");
	lines(STAMP GONE("3F905A8456E"));
	is("e1", "relayed 2.1.9 a@h.test, opaque 2.0.0 b@x.test (2)");
	is_purged();
}

/* An alias leads to another recipient of the message: Sendmail delivers once,
 * and logs it as the alias's. */
static void
alias_to_a_recipient(void **state)
{
	(void)state;
	record("e1", "6AO3VWuT028419", T0, true);
	lines(SM("6AO3VWuT028419", "alias <a@h.test> => b@x.test")
		SM("6AO3VWuT028419", "to=b@x.test, " SM_SENT));
	is("e1", "delivered 2.0.0 b@x.test, delivered 2.0.0 b@x.test (2)");
	record("e2", "6AO3VWuT028420", T0, true); /* at LogLevel 9 */
	lines(SM("6AO3VWuT028420", "to=b@x.test, " SM_SENT));
	is("e2", "delivered 2.0.0 b@x.test, delivered 2.0.0 b@x.test (2)");
}

/* But who went on under another id waits there. */
static void
waits_under_another_id(void **state)
{
	(void)state;
	record("e1", "3F905A8456E", T0, true);
	lines(STAMP ALIAS("3F905A8456E", "4A905A8456E") STAMP SENT(
	    "3F905A8456E", "b@x.test", "250 ok") STAMP GONE("3F905A8456E"));
	is("e1", "delayed 4.0.0 a@h.test, relayed 2.1.9 b@x.test (2)");
	lines(STAMP GONE("4A905A8456E"));
	is("e1", "opaque 2.0.0 a@h.test, relayed 2.1.9 b@x.test (3)");
	record("e2", "6AO3VWuT028419", T0, true);
	lines(SM("6AO3VWuT028419",
	    "split: maxrcpts=1, rcpts=2, count=1, "
	    "id=6AO3VWuT028420") SM("6AO3VWuT028419", "to=<b@x.test>, " SM_SENT)
		SM("6AO3VWuT028419", "done; delay=00:00:00, ntries=1"));
	is("e2", "delayed 4.0.0 a@h.test, delivered 2.0.0 b@x.test (2)");
}

int
main(void)
{
#define STORY(s) cmocka_unit_test_setup_teardown(s, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORY(record_comes_late),
		STORY(store_is_deleted),
		STORY(all_are_purged),
		STORY(clock_was_ahead),
		STORY(id_long_before),
		STORY(another_had_the_id),
		STORY(id_comes_back),
		STORY(forwarded),
		STORY(forwarded_to_several),
		STORY(filtered_behind_aliases),
		STORY(lying_remote),
		STORY(the_only_one_left),
		STORY(bounce_without_name),
		STORY(content_filter),
		STORY(other_instance_is_quick),
		STORY(long_line_over_a_restart),
		STORY(long_line_before_its_record),
		STORY(long_line_without_an_end),
		STORY(long_line_without_a_begin),
		STORY(refused_by_another_milter),
		STORY(left_without_a_word),
		STORY(alias_to_a_recipient),
		STORY(waits_under_another_id),
		STORY(not_understood),
		STORY(programs_without_end),
		STORY(slow_lines),
		STORY(room_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
