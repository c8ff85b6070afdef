/* The store: what goes in comes out, claims on queue ids, group commit by
 * many threads, purge, limits, modes, versions. */
#include "tests/lib/cm.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/db.h"
#include "tests/lib/sample.h"

enum { MIB = 1 << 20, WAIT = 60000 };

static char dir[256], path[300], why[STORE_WHY_MAX];
static struct store *st;

static int
setup(void **state)
{
	(void)state;
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/store", dir);
	return store_open(path, STORE_WRITE, 64 * MIB, &st, why) != MTRK_OK;
}

static int
teardown(void **state)
{
	(void)state;
	store_close(&st);
	scratch_remove(dir);
	return 0;
}

static void
add(unsigned long n)
{
	struct sample s;

	sample_message(&s, n);
	assert_int_equal(store_add(st, &s.m, WAIT), MTRK_OK);
}

static int
happen(const struct happening_line *l)
{
	struct txn t = store_begin(st);
	int done = store_happened(&t, l);

	assert_int_equal(store_end(&t), MTRK_OK);
	return done;
}

static bool
no_pause(void *arg)
{
	(void)arg;
	return true;
}

static bool
count(const struct message *m, void *arg)
{
	(void)m;
	++*(unsigned *)arg;
	return true;
}

static unsigned
how_many(unsigned long number)
{
	char envid[SAMPLE_ENVID];
	unsigned n = 0;

	sample_envid(envid, number);
	assert_int_equal(store_find(st, span_of(envid), count, &n), MTRK_OK);
	return n;
}

static bool
check_story(const struct message *m, void *arg)
{
	(void)arg;
	assert_span(m->queue_id, "Q000000001");
	assert_span(m->message_id, "<id@h>");
	assert_int_equal(m->n_events, 4);
	assert_int_equal(m->events[1].action, ACTION_DELAYED);
	assert_span(m->events[1].text, "451 later");
	assert_span(m->events[2].text, "451 later"); /* kept once */
	assert_span(m->events[2].remote_mta, "mx.x.test");
	assert_int_equal(m->events[2].time, SAMPLE_ARRIVAL + 20);
	assert_int_equal(m->events[3].action, ACTION_RELAYED);
	assert_span(m->events[3].text, "250 ok");
	return true;
}

static void
one_story(void **state)
{
	struct sample s;
	struct happening_line l;

	(void)state;
	add(1);
	sample_message(&s, 1);
	l = (struct happening_line){ .what = HAPPENED_MESSAGE_ID,
		.instance = SPAN("default"),
		.queue_id = span_of(s.queue_id),
		.time = SAMPLE_ARRIVAL,
		.text = SPAN("<id@h>") };
	assert_int_equal(happen(&l), 1);
	l = sample_line(&s, ACTION_DELAYED, SAMPLE_ARRIVAL + 10, "451 later");
	assert_int_equal(happen(&l), 1);
	l.time += 10;
	assert_int_equal(happen(&l), 1);
	l = sample_line(&s, ACTION_RELAYED, SAMPLE_ARRIVAL + 30, "250 ok");
	assert_int_equal(happen(&l), 1);
	assert_int_equal(
	    store_find(st, span_of(s.envid), check_story, NULL), MTRK_OK);
	assert_int_equal(how_many(2), 0);
}

static bool
long_story(const struct message *m, void *arg)
{
	size_t *n = arg;

	*n = m->n_events;
	for (size_t i = 0; i < m->n_events; i++) {
		assert_int_equal(
		    m->events[i].time, SAMPLE_ARRIVAL + (int64_t)i);
		assert_span(m->events[i].text, "451 again");
	}
	return true;
}

/* The same text is stored anew now and then, and comes out each time. */
static void
many_retries(void **state)
{
	struct sample s;
	size_t n = 0;

	(void)state;
	add(1);
	sample_message(&s, 1);
	for (int i = 0; i < 200; i++) {
		struct happening_line l = sample_line(
		    &s, ACTION_DELAYED, SAMPLE_ARRIVAL + i, "451 again");

		assert_int_equal(happen(&l), 1);
	}
	assert_int_equal(
	    store_find(st, span_of(s.envid), long_story, &n), MTRK_OK);
	assert_int_equal(n, 200);
}

static void
nobodys_lines(void **state)
{
	struct sample s;
	struct happening_line l;

	(void)state;
	add(1);
	sample_message(&s, 2);
	l = sample_line(&s, ACTION_RELAYED, SAMPLE_ARRIVAL, "250 ok");
	assert_int_equal(happen(&l), 0); /* another queue id */
	sample_message(&s, 1);
	l = sample_line(&s, ACTION_RELAYED, SAMPLE_ARRIVAL, "250 ok");
	l.instance = SPAN("other");
	assert_int_equal(happen(&l), 0); /* another instance */
	l.instance = SPAN("default");
	l.address = SPAN("stranger@x.test");
	assert_int_equal(happen(&l), -1); /* counted */
}

static bool
events_of(const struct message *m, void *arg)
{
	*(size_t *)arg = m->n_events;
	return true;
}

static size_t
events_under(unsigned long number)
{
	char envid[SAMPLE_ENVID];
	size_t n = 99;

	sample_envid(envid, number);
	assert_int_equal(
	    store_find(st, span_of(envid), events_of, &n), MTRK_OK);
	return n;
}

/* A queue id comes back: lines go to whoever had it at their time, and after
 * "removed" nobody has it (9 of 40,000 short ids came back within 28 s). */
static void
queue_id_again(void **state)
{
	struct sample a, b;
	struct happening_line l;
	struct txn t;

	(void)state;
	sample_message(&a, 1);
	sample_message(&b, 2);
	memcpy(b.queue_id, a.queue_id, sizeof b.queue_id);
	memcpy(b.rcpt, a.rcpt, sizeof b.rcpt);
	b.recipient.address = span_of(b.rcpt);
	b.m.queue_id = span_of(b.queue_id);
	b.m.arrival += 4;
	assert_int_equal(store_add(st, &a.m, WAIT), MTRK_OK);
	assert_int_equal(store_add(st, &b.m, WAIT), MTRK_OK);
	l = sample_line(&a, ACTION_RELAYED, SAMPLE_ARRIVAL + 2, "250 a");
	assert_int_equal(happen(&l), 1);
	assert_int_equal(events_under(1), 1);
	assert_int_equal(events_under(2), 0);
	l.time += 3;
	assert_int_equal(happen(&l), 1);
	assert_int_equal(events_under(2), 1);
	l.what = HAPPENED_REMOVED;
	assert_int_equal(happen(&l), 1); /* b's */
	l.what = HAPPENED_ACTION;
	l.time = SAMPLE_ARRIVAL + 2;
	assert_int_equal(happen(&l), 1); /* a's still */
	l.what = HAPPENED_REMOVED;
	assert_int_equal(happen(&l), 1);
	assert_int_equal(happen(&l), 0); /* an untracked message's now */
	t = store_look(st);
	assert_false(store_knows(&t, SPAN("default"), span_of(a.queue_id)));
	store_end(&t);
}

static bool
copy_number(const struct message *m, void *arg)
{
	*(uint64_t *)arg = m->number;
	return false;
}

static bool
check_handed(const struct message *m, void *arg)
{
	(void)arg;
	assert_int_equal(m->n_events, 1);
	assert_int_equal(m->events[0].kind, EVENT_HANDED);
	assert_int_equal(m->events[0].action, ACTION_TRANSFERRED);
	assert_span(m->events[0].remote_mta, "next.test");
	return true;
}

struct outcome {
	sem_t there;
	enum mtrk_err err;
};

static void
told(void *arg, enum mtrk_err err)
{
	struct outcome *o = arg;

	o->err = err;
	sem_post(&o->there);
}

static enum mtrk_err
hand(const struct message *m, const struct event *e)
{
	struct outcome o;

	sem_init(&o.there, 0, 0);
	assert_int_equal(store_hand(st, m, e, 1, told, &o), MTRK_OK);
	sem_wait(&o.there);
	sem_destroy(&o.there);
	return o.err;
}

/* The gate finds and writes; never to another message. */
static void
handing(void **state)
{
	const struct event e = { .action = ACTION_TRANSFERRED,
		.status = STATUS(2, 0, 0),
		.time = SAMPLE_ARRIVAL,
		.remote_mta = SPAN("next.test") };
	char mine[SAMPLE_ENVID], other[SAMPLE_ENVID];
	struct message m = { 0 };

	(void)state;
	sample_envid(mine, 1);
	sample_envid(other, 2);
	m.envid = span_of(mine);
	add(1);
	assert_int_equal(
	    store_find(st, m.envid, copy_number, &m.number), MTRK_OK);
	assert_int_not_equal(m.number, 0);
	assert_int_equal(hand(&m, &e), MTRK_OK);
	assert_int_equal(
	    store_find(st, span_of(mine), check_handed, NULL), MTRK_OK);
	m.envid = span_of(other);
	assert_int_equal(hand(&m, &e), MTRK_NOTFOUND);
	m.number++;
	assert_int_equal(hand(&m, &e), MTRK_NOTFOUND);
	assert_int_equal(events_under(1), 1);
}

/* A40: several under one envid; the same again is the same. */
static void
same_envid(void **state)
{
	struct sample a, b;

	(void)state;
	sample_message(&a, 1);
	sample_message(&b, 2);
	b.m.envid = a.m.envid;
	assert_int_equal(store_add(st, &a.m, WAIT), MTRK_OK);
	assert_int_equal(store_add(st, &b.m, WAIT), MTRK_OK);
	assert_int_equal(store_add(st, &a.m, WAIT), MTRK_OK); /* replay */
	assert_int_equal(how_many(1), 2);
}

enum { THREADS = 16, EACH = 50 };

static void *
adder(void *arg)
{
	unsigned long first = (unsigned long)(uintptr_t)arg;

	for (unsigned long i = 0; i < EACH; i++) {
		struct sample s;

		sample_message(&s, first + i);
		if (store_add(st, &s.m, WAIT) != MTRK_OK)
			return NULL;
	}
	return arg;
}

static void
many_threads(void **state)
{
	pthread_t t[THREADS];
	unsigned n = 0;
	void *ok;

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&t[i], NULL, adder, (void *)(i * EACH + 1)),
		    0);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(t[i], &ok);
		assert_non_null(ok);
	}
	assert_int_equal(store_all(st, count, no_pause, &n), MTRK_OK);
	assert_int_equal(n, THREADS * EACH);
}

static unsigned
purge(int64_t now)
{
	const struct retention r = { 9 * 86400, 30 * 86400 };
	uint64_t at = 0;
	unsigned removed, all = 0;

	do {
		assert_int_equal(
		    store_purge(st, &r, now, 3, &at, &removed), MTRK_OK);
		all += removed;
	} while (at != 0);
	return all;
}

/* S21a: never a recipient still queued. */
static void
purging(void **state)
{
	const int64_t later = SAMPLE_ARRIVAL + 10 * 86400;

	(void)state;
	for (unsigned long i = 1; i <= 10; i++)
		add(i);
	for (unsigned long i = 1; i <= 6; i++) {
		struct sample s;
		struct happening_line l;

		sample_message(&s, i);
		l = sample_line(&s, i == 6 ? ACTION_DELAYED : ACTION_RELAYED,
		    SAMPLE_ARRIVAL + 5, "x");
		assert_int_equal(happen(&l), 1);
	}
	assert_int_equal(purge(later - 2 * 86400), 0);
	assert_int_equal(purge(later), 5);
	assert_int_equal(purge(later), 0);
	assert_int_equal(how_many(5), 0);
	assert_int_equal(how_many(6), 1);
	assert_int_equal(how_many(7), 1);
}

/* A record that can't be read stays, and those behind it don't. */
static void
broken_record(void **state)
{
	static const char *const message[] = { "message", NULL };
	const struct db_stamp none = { 0, "x", "x" };
	struct sample s;
	struct happening_line l;
	struct db *db;
	struct txn t;

	(void)state;
	for (unsigned long i = 1; i <= 3; i++) {
		add(i);
		sample_message(&s, i);
		l = sample_line(&s, ACTION_RELAYED, SAMPLE_ARRIVAL + 5, "x");
		assert_int_equal(happen(&l), 1);
	}
	store_close(&st);
	assert_int_equal(
	    db_open(path, DB_WRITE, message, none, MIB, &db, why, sizeof why),
	    MTRK_OK);
	t = txn_write(db);
	txn_put(&t, 0, SPAN("\0\0\0\0\0\2"), SPAN("\1\3"));
	assert_int_equal(txn_end(&t), MTRK_OK);
	db_close(&db);
	assert_int_equal(
	    store_open(path, STORE_WRITE, 64 * MIB, &st, why), MTRK_OK);
	assert_int_equal(purge(SAMPLE_ARRIVAL + 10 * 86400), 2);
}

/* The only message is purged while a link of another instance's log claims a
 * queue id for it: no other message gets its number, nor what is logged under
 * that id; the claim goes when it is seen. */
static void
numbers_are_given_once(void **state)
{
	struct sample s;
	struct happening_line l;
	struct txn t;

	(void)state;
	add(1);
	sample_message(&s, 1);
	l = sample_line(&s, ACTION_RELAYED, SAMPLE_ARRIVAL + 5, "x");
	assert_int_equal(happen(&l), 1);
	l.what = HAPPENED_FORWARDED;
	l.next = SPAN("N1");
	l.next_instance = SPAN("other");
	assert_int_equal(happen(&l), 1);
	l = sample_line(&s, ACTION_RELAYED, SAMPLE_ARRIVAL + 6, "x");
	l.queue_id = SPAN("N1");
	l.instance = SPAN("other");
	assert_int_equal(happen(&l), 1);
	assert_int_equal(purge(SAMPLE_ARRIVAL + 10 * 86400), 1);

	add(2);
	t = store_look(st);
	assert_int_equal(store_newest(&t), 2);
	assert_true(store_knows(&t, SPAN("other"), SPAN("N1")));
	store_end(&t);
	l.address = SPAN("r2@x.test");
	l.time += 20 * 86400;
	assert_int_equal(happen(&l), 0);
	assert_int_equal(events_under(2), 0);
	t = store_look(st);
	assert_false(store_knows(&t, SPAN("other"), SPAN("N1")));
	store_end(&t);
}

static void
marks_and_counts(void **state)
{
	struct buf b = BUF(100);
	struct txn t;

	(void)state;
	assert_int_equal(store_get_mark(st, "log", &b), MTRK_NOTFOUND);
	t = store_begin(st);
	store_set_mark(&t, "log", SPAN("1 2 3"));
	store_count(&t, "c", 2);
	store_count(&t, "c", 3);
	assert_int_equal(store_end(&t), MTRK_OK);
	assert_int_equal(store_get_mark(st, "log", &b), MTRK_OK);
	assert_span(buf_as_span(&b), "1 2 3");
	buf_free(&b);
}

/* At its limit: MTRK_FULL, what is there stays readable, and purging makes
 * room again. */
static void
full(void **state)
{
	enum mtrk_err err = MTRK_OK;
	unsigned long n = 0;
	struct sample s;
	struct happening_line l;

	(void)state;
	store_close(&st);
	scratch_remove(path);
	assert_int_equal(store_open(path, STORE_WRITE, MIB, &st, why), MTRK_OK);
	for (; err == MTRK_OK && n < 100000; n++) {
		sample_message(&s, n + 1);
		if ((err = store_add(st, &s.m, WAIT)) != MTRK_OK)
			break;
		if (n > 500)
			continue;
		l = sample_line(&s, ACTION_RELAYED, SAMPLE_ARRIVAL, "x");
		assert_int_equal(happen(&l), 1);
	}
	assert_int_equal(err, MTRK_FULL);
	assert_true(n > 1000);
	assert_int_equal(how_many(1), 1);
	assert_true(purge(SAMPLE_ARRIVAL + 10 * 86400) >= 500);
	add(n + 1);
}

static void
modes_and_formats(void **state)
{
	struct stat sb;
	char file[400];
	struct store *other;
	struct db *db;
	struct txn t;
	static const char *const meta[] = { "meta", NULL };
	const struct db_stamp stamp = { 0, "format", "mtrk 2" };
	struct span found;

	(void)state;
	snprintf(file, sizeof file, "%s/data.mdb", path);
	assert_int_equal(stat(file, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0640);
	snprintf(file, sizeof file, "%s/lock.mdb", path);
	assert_int_equal(stat(file, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0660);
	store_close(&st);

	assert_int_equal(
	    db_open(path, DB_WRITE, meta, stamp, MIB, &db, why, sizeof why),
	    MTRK_OK);
	t = txn_write(db);
	assert_true(txn_get(&t, 0, SPAN("format"), &found));
	assert_true(span_is(found, "mtrk 1"));
	txn_put(&t, 0, SPAN("format"), SPAN("mtrk 2"));
	assert_int_equal(txn_end(&t), MTRK_OK);
	db_close(&db);
	assert_int_equal(
	    store_open(path, STORE_READ, 0, &other, why), MTRK_FORMAT);
	assert_non_null(strstr(why, "mtrk 2"));
	assert_null(other);
}

/* LMDB 1.0's, or anybody's, file: said plainly. */
static void
not_a_store(void **state)
{
	char file[400], page[8192] = { 0 };
	struct store *other;
	FILE *f;

	(void)state;
	assert_int_equal(
	    store_open("/nonexistent/x", STORE_READ, 0, &other, why),
	    MTRK_NOTFOUND);
	assert_non_null(strstr(why, "no store"));
	store_close(&st);
	snprintf(file, sizeof file, "%s/data.mdb", path);
	assert_non_null(f = fopen(file, "w"));
	fwrite(page, 1, sizeof page, f);
	fclose(f);
	assert_int_equal(
	    store_open(path, STORE_READ, 0, &other, why), MTRK_FORMAT);
	assert_non_null(strstr(why, "LMDB"));
}

/* design.md 4: LMDB 1.0 and 0.9 cannot read each other's files. */
static void
lmdb_of_another_version(void **state)
{
	enum { VERSION_AT = 16 + 4 }; /* MDB_meta.mm_version */
	static const enum store_mode modes[] = { STORE_READ, STORE_WRITE };
	const uint32_t version = 2;
	char file[400];
	struct store *other;
	int fd;

	(void)state;
	add(1);
	store_close(&st);
	snprintf(file, sizeof file, "%s/data.mdb", path);
	assert_true((fd = open(file, O_RDWR | O_CLOEXEC)) != -1);
	for (off_t page = 0; page < 2; page++)
		assert_int_equal(pwrite(fd, &version, sizeof version,
				     page * sysconf(_SC_PAGESIZE) + VERSION_AT),
		    sizeof version);
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(
		    store_open(path, modes[i], 64 * MIB, &other, why),
		    MTRK_FORMAT);
		assert_null(other);
		assert_non_null(strstr(why, "data.mdb is not a store of LMDB"));
	}
}

/* By a copy that was interrupted, say: no silent death.  An empty file is what
 * there is before whoever makes the store has begun. */
static void
cut_off(void **state)
{
	static const enum store_mode modes[] = { STORE_READ, STORE_WRITE };
	char file[400];
	struct store *other;
	int status;
	pid_t pid;

	(void)state;
	add(1);
	store_close(&st);
	snprintf(file, sizeof file, "%s/data.mdb", path);
	assert_int_equal(truncate(file, 2 * sysconf(_SC_PAGESIZE)), 0);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if ((pid = fork()) == 0) {
			(void)store_open(path, modes[i], 64 * MIB, &other, why);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), EX_IOERR);
	}
	assert_int_equal(truncate(file, 0), 0);
	assert_int_equal(
	    store_open(path, STORE_READ, 0, &other, why), MTRK_NOTFOUND);
	assert_non_null(strstr(why, "there is no store yet"));
}

/* Its slot is given back, and what it looked at may be written again. */
static void
killed_reader(void **state)
{
	struct store *other;
	struct txn t;
	int fds[2], status;
	char ready;
	pid_t pid;

	(void)state;
	add(1);
	store_close(&st);
	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		if (store_open(path, STORE_READ, 0, &other, why) == MTRK_OK) {
			t = store_look(other);
			(void)!write(fds[1], &t, 1);
			pause();
		}
		_exit(1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &ready, 1), 1);
	close(fds[0]);
	assert_int_equal(
	    store_open(path, STORE_WRITE, 64 * MIB, &st, why), MTRK_OK);
	assert_int_equal(db_clear_dead_readers(store_db(st)), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(db_clear_dead_readers(store_db(st)), 1);
	assert_int_equal(db_clear_dead_readers(store_db(st)), 0);
}

static bool
keep_count(const struct message *m, void *arg)
{
	*(size_t *)arg = m->n_events;
	return true;
}

static size_t
number_of_events(const char *envid)
{
	size_t n = 0;

	assert_int_equal(
	    store_find(st, span_of(envid), keep_count, &n), MTRK_OK);
	return n;
}

/* The same log again, in any order, adds nothing; what differs in one word
 * does. */
static void
again(void **state)
{
	enum { LINES = 40 };
	static const int order[] = { 1, 1, -1, 7, 3 };
	struct sample s;

	(void)state;
	add(1);
	sample_message(&s, 1);
	for (size_t o = 0; o < ARRAY_LEN(order); o++)
		for (int i = 0; i < LINES; i++) {
			int k = (i * order[o] + LINES) % LINES;
			struct happening_line l = sample_line(&s,
			    ACTION_DELAYED, SAMPLE_ARRIVAL + k / 4,
			    k % 2 == 0 ? "451 later" : "451 much later");

			if (k % 4 >= 2)
				l.remote_mta = SPAN("my.x.test");
			assert_int_equal(happen(&l), 1);
			assert_true(number_of_events(s.envid) <= LINES);
		}
	assert_int_equal(number_of_events(s.envid), LINES);
}

/* How many octets the file grows by while somebody looks at an old state, or
 * has looked and rests. */
static uint64_t
growth(unsigned long from, bool rests)
{
	enum { ADDED = 100 };
	struct db *db = store_db(st);
	struct db_numbers before, after;

	assert_int_equal(db_numbers(db, &before), MTRK_OK);
	if (rests)
		db_rest(db);
	for (unsigned long i = 0; i < ADDED; i++)
		add(from + i);
	db_rest(db);
	assert_int_equal(db_numbers(db, &after), MTRK_OK);
	return after.file_bytes - before.file_bytes;
}

/* Looking again is cheap, and sees what came in between; nobody's pages are
 * kept by who rests. */
static void
lingering(void **state)
{
	uint64_t kept;

	(void)state;
	db_linger(store_db(st));
	assert_int_equal(how_many(1), 0);
	add(1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(how_many(1), 1);
	assert_int_equal(how_many(2), 0);
	add(2);
	assert_int_equal(how_many(2), 1);
	db_rest(store_db(st));
	db_rest(store_db(st));
	assert_int_equal(how_many(1), 1);
	kept = growth(1000, false);
	assert_true(growth(2000, true) < kept / 2);
}

int
main(void)
{
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		STORE_TEST(again),
		STORE_TEST(lingering),
		STORE_TEST(one_story),
		STORE_TEST(many_retries),
		STORE_TEST(nobodys_lines),
		STORE_TEST(queue_id_again),
		STORE_TEST(handing),
		STORE_TEST(same_envid),
		STORE_TEST(many_threads),
		STORE_TEST(purging),
		STORE_TEST(broken_record),
		STORE_TEST(numbers_are_given_once),
		STORE_TEST(marks_and_counts),
		STORE_TEST(full),
		STORE_TEST(modes_and_formats),
		STORE_TEST(not_a_store),
		STORE_TEST(lmdb_of_another_version),
		STORE_TEST(cut_off),
		STORE_TEST(killed_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
