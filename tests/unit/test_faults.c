/*
 * Break it on purpose: the n-th call to LMDB, or of LMDB to the system, fails,
 * or the process is killed there; for every n until a run meets no fault.
 *
 * The functions below stand in front of the real ones: those of liblmdb for
 * the store, those of libc for liblmdb.
 */
#include "tests/lib/cm.h"

#include <dlfcn.h>
#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/sample.h"

enum { MIB = 1 << 20, WAIT = 60000 };

static atomic_long countdown; /* 0: not armed */
static atomic_bool fired, deadly;
static atomic_int code; /* what a failing call says */
static atomic_long steps;

static bool
fault(void)
{
	steps++;
	if (countdown == 0 || --countdown != 0)
		return false;
	if (deadly)
		kill(getpid(), SIGKILL);
	fired = true;
	return true;
}

static void
arm(long n, int what)
{
	fired = false;
	code = what;
	countdown = n;
}

static void *
real(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (f == NULL)
		abort();
	return f;
}

/* name, its parameters, the same as arguments, the value of a failure
 * NOLINTBEGIN(bugprone-macro-parentheses) */
#define STAND_IN(type, name, parameters, arguments, failure) \
	type name parameters; \
	type name parameters \
	{ \
		static type(*next) parameters; \
		if (next == NULL) \
			*(void **)&next = real(#name); \
		if (fault()) \
			return (errno = code > 0 ? code : EIO), (failure); \
		return next arguments; \
	}

/* NOLINTEND(bugprone-macro-parentheses) */
#define LMDB_SAYS (code == EIO ? EIO : MDB_MAP_FULL)
STAND_IN(int, mdb_txn_begin, (MDB_env * e, MDB_txn *p, unsigned f, MDB_txn **t),
    (e, p, f, t), LMDB_SAYS)
STAND_IN(int, mdb_get, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v),
    (t, d, k, v), LMDB_SAYS)
STAND_IN(int, mdb_put,
    (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned f),
    (t, d, k, v, f), LMDB_SAYS)
STAND_IN(int, mdb_del, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v),
    (t, d, k, v), LMDB_SAYS)
STAND_IN(int, mdb_cursor_open, (MDB_txn * t, MDB_dbi d, MDB_cursor **c),
    (t, d, c), LMDB_SAYS)
STAND_IN(int, mdb_cursor_get,
    (MDB_cursor * c, MDB_val *k, MDB_val *v, MDB_cursor_op op), (c, k, v, op),
    LMDB_SAYS)
STAND_IN(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
    (fd, p, n, at), -1)
STAND_IN(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at),
    (fd, v, n, at), -1)
STAND_IN(
    ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), -1)
STAND_IN(int, fdatasync, (int fd), (fd), -1)

STAND_IN(int, mdb_txn_renew, (MDB_txn * t), (t), LMDB_SAYS)
STAND_IN(int, mdb_dbi_open,
    (MDB_txn * t, const char *name, unsigned f, MDB_dbi *d), (t, name, f, d),
    LMDB_SAYS)
STAND_IN(int, mdb_env_create, (MDB_env * *e), (e), LMDB_SAYS)
STAND_IN(int, mdb_env_open,
    (MDB_env * e, const char *in, unsigned f, mdb_mode_t mode),
    (e, in, f, mode), LMDB_SAYS)
STAND_IN(int, mdb_env_set_mapsize, (MDB_env * e, size_t n), (e, n), LMDB_SAYS)

/* The transaction is over either way. */
int mdb_txn_commit(MDB_txn *);
int
mdb_txn_commit(MDB_txn *t)
{
	static int (*next)(MDB_txn *);

	if (next == NULL)
		*(void **)&next = real("mdb_txn_commit");
	if (!fault())
		return next(t);
	mdb_txn_abort(t);
	return LMDB_SAYS;
}

static char dir[256], path[300], why[STORE_WHY_MAX];
static struct store *st;

static int
setup(void **state)
{
	struct sample s;

	(void)state;
	countdown = 0;
	scratch_make(dir);
	snprintf(path, sizeof path, "%s/store", dir);
	if (store_open(path, STORE_WRITE, 64 * MIB, &st, why) != MTRK_OK)
		return -1;
	for (unsigned long i = 1; i <= 3; i++) {
		sample_message(&s, i);
		if (store_add(st, &s.m, WAIT) != MTRK_OK)
			return -1;
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	countdown = 0;
	store_close(&st);
	scratch_remove(dir);
	return 0;
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
	*(size_t *)arg += 1 + m->n_events * 1000;
	return true;
}

/* Messages, plus a thousand times their events; by another process's eyes. */
static size_t
contents(void)
{
	size_t n = 0;

	assert_int_equal(store_all(st, count, no_pause, &n), MTRK_OK);
	return n;
}

static enum mtrk_err
add_one(unsigned long n)
{
	struct sample s;

	sample_message(&s, n);
	return store_add(st, &s.m, WAIT);
}

static enum mtrk_err
one_event(unsigned long n)
{
	struct sample s;
	struct happening_line l;
	struct txn t;

	sample_message(&s, 1);
	l = sample_line(
	    &s, ACTION_DELAYED, SAMPLE_ARRIVAL + (int64_t)n, "451 later");
	t = store_begin(st);
	store_happened(&t, &l);
	store_set_mark(&t, "log", SPAN("1 2 3"));
	return store_end(&t);
}

/*
 * Fail the 1st, 2nd, 3rd ... call below us until a run meets no fault.  After
 * each failure the store is as before, and the next call goes well again.
 */
static void
survives(enum mtrk_err (*step)(unsigned long n), int what)
{
	static unsigned long number = 100; /* never the same message */
	long n = 0;

	do {
		size_t before = contents();
		enum mtrk_err err;

		arm(++n, what);
		err = step(++number);
		countdown = 0;
		if (!fired) {
			assert_int_equal(err, MTRK_OK);
			break;
		}
		if (err == MTRK_OK)
			fail_msg("call %ld failed and nobody noticed", n);
		/* cures what LMDB thinks is beyond repair */
		assert_int_equal(step(++number), MTRK_OK);
		assert_true(contents() > before);
		assert_true(contents() - before <= 1001);
	} while (n < 1000);
	assert_in_range(n, 8, 999);
}

static void
adding_survives(void **state)
{
	(void)state;
	survives(add_one, ENOSPC);
	survives(add_one, EIO);
}

static void
events_survive(void **state)
{
	(void)state;
	survives(one_event, ENOSPC);
	survives(one_event, EIO);
}

/* Processes that log side by side are a second apart at times; that doesn't
 * have all of a long story looked at with each line. */
static void
a_second_late(void **state)
{
	enum { LINES = 300, FEW = 60 };
	struct sample s;
	long looks = 0;

	(void)state;
	sample_message(&s, 1);
	for (int i = 0; i < LINES; i++) {
		char text[16];
		struct happening_line l;
		struct txn t = store_begin(st);

		snprintf(text, sizeof text, "451 %d", i);
		l = sample_line(&s, ACTION_DELAYED,
		    SAMPLE_ARRIVAL + i / 2 + (i % 2 == 0), text);
		looks = steps;
		assert_int_equal(store_happened(&t, &l), 1);
		looks = steps - looks;
		assert_int_equal(store_end(&t), MTRK_OK);
	}
	assert_in_range(looks, 1, FEW);
}

/* A store that can't be opened says why, and can be opened afterwards. */
static void
opening_survives(void **state)
{
	(void)state;
	store_close(&st);
	for (size_t i = 0; i < 2; i++) {
		long n = 0;

		for (;;) {
			enum mtrk_err err;

			if (i == 0)
				scratch_remove(path); /* it is made anew */
			arm(++n, EIO);
			err = store_open(path, STORE_WRITE, 64 * MIB, &st, why);
			countdown = 0;
			if (!fired) {
				assert_int_equal(err, MTRK_OK);
				break;
			}
			if (err == MTRK_OK)
				fail_msg("call %ld failed unnoticed", n);
			assert_null(st);
			assert_true(why[0] != '\0');
			assert_int_equal(
			    store_open(path, STORE_WRITE, 64 * MIB, &st, why),
			    MTRK_OK);
			store_close(&st);
		}
		assert_in_range(n, 8, 999);
		store_close(&st);
	}
	assert_int_equal(
	    store_open(path, STORE_WRITE, 64 * MIB, &st, why), MTRK_OK);
}

/* The disk fails once, and then the folder is away: nobody dies of a store that
 * can't be opened again, and once it can, all is well. */
static void
folder_is_away(void **state)
{
	char elsewhere[320], envid[SAMPLE_ENVID];
	long n = 0;

	(void)state;
	sample_envid(envid, 1);
	snprintf(elsewhere, sizeof elsewhere, "%s.away", path);
	do {
		size_t found = 0;

		arm(++n, EIO);
		(void)add_one(1000 + (unsigned long)n);
		countdown = 0;
		assert_int_equal(rename(path, elsewhere), 0);
		for (int i = 0; i < 2; i++) {
			(void)add_one(1000 + (unsigned long)n);
			(void)store_find(st, span_of(envid), count, &found);
		}
		assert_int_equal(rename(elsewhere, path), 0);
		assert_int_equal(add_one(2000 + (unsigned long)n), MTRK_OK);
		assert_int_equal(
		    store_find(st, span_of(envid), count, &found), MTRK_OK);
		assert_true(found > 0);
	} while (fired);
	assert_in_range(n, 8, 999);
}

/* What was opened is deleted: nothing is said to be durable that nobody will
 * ever read, and there is a store again as soon as there can be. */
static void
files_are_deleted(void **state)
{
	struct stat found;
	char lock[320];

	(void)state;
	scratch_unlink(
	    path, "lock.mdb"); /* who comes now would not know of us */
	assert_int_equal(add_one(10), MTRK_OK);
	snprintf(lock, sizeof lock, "%s/lock.mdb", path);
	assert_int_equal(stat(lock, &found), 0);
	assert_int_equal(contents(), 4);

	scratch_unlink(path, "data.mdb");
	assert_int_equal(add_one(11), MTRK_OK);
	assert_int_equal(contents(), 1);

	scratch_remove(path);
	assert_int_equal(add_one(12), MTRK_NOTFOUND);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(add_one(13), MTRK_OK);
	assert_int_equal(contents(), 1);
}

/* The folder is only called something else: nothing is lost. */
static void
folder_is_renamed(void **state)
{
	char elsewhere[320];

	(void)state;
	snprintf(elsewhere, sizeof elsewhere, "%s.away", path);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(add_one(10), MTRK_OK);
	assert_int_equal(rename(elsewhere, path), 0);
	assert_int_equal(add_one(11), MTRK_OK);
	assert_int_equal(contents(), 5);
}

static void
copy_store(const char *from, const char *to)
{
	char command[1200];

	snprintf(command, sizeof command, "cp '%s/data.mdb' '%s'", from, to);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

/* An older data.mdb is put in the place of one that is in use: nobody writes
 * by the lock.mdb of the other.  Once all have left, it is as good as any. */
static void
data_is_replaced(void **state)
{
	char older[320], data[320];
	int fds[2], status;
	pid_t other;
	char byte;

	(void)state;
	snprintf(older, sizeof older, "%s/older", path);
	snprintf(data, sizeof data, "%s/data.mdb", path);
	copy_store(path, older);
	for (unsigned long i = 10; i < 20; i++)
		assert_int_equal(add_one(i), MTRK_OK);
	store_close(&st);
	assert_int_equal(pipe(fds), 0);
	if ((other = fork()) == 0) {
		if (store_open(path, STORE_WRITE, 64 * MIB, &st, why) !=
		    MTRK_OK)
			_exit(1);
		(void)!write(fds[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(
	    store_open(path, STORE_WRITE, 64 * MIB, &st, why), MTRK_OK);
	assert_int_equal(rename(older, data), 0);
	assert_int_equal(add_one(20), MTRK_IO);
	assert_int_equal(add_one(20), MTRK_IO);
	kill(other, SIGKILL);
	waitpid(other, &status, 0);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(add_one(20), MTRK_OK);
	assert_int_equal(contents(), 4);
	close(fds[0]);
	close(fds[1]);
}

/* What is looked up fails, and is found the next time. */
static void
reading_survives(void **state)
{
	char envid[SAMPLE_ENVID];
	long n = 0;

	(void)state;
	sample_envid(envid, 1);
	for (;;) {
		size_t found = 0;
		enum mtrk_err err;

		arm(++n, EIO);
		err = store_find(st, span_of(envid), count, &found);
		countdown = 0;
		if (err == MTRK_OK && found != 1)
			fail_msg("call %ld failed: \"no such message\"", n);
		if (!fired)
			break;
	}
	assert_in_range(n, 4, 999);
}

/* Somebody holds the store and doesn't end: one message waits as long as it
 * may, those behind it not at all.  Then all is well again. */
static void
stuck(void **state)
{
	/* a second for who commits to begin with it */
	enum { HANGS_MS = 6000, HOUR_MS = 3600 * 1000 };
	struct txn other = store_begin(st);
	struct sample s;
	enum mtrk_err err;

	(void)state;
	sample_message(&s, 11);
	assert_int_equal(store_add(st, &s.m, HANGS_MS), MTRK_BUSY);
	sample_message(&s, 12);
	assert_int_equal(store_add(st, &s.m, HOUR_MS), MTRK_IO);
	assert_int_equal(store_end(&other), MTRK_OK);
	do
		err = store_add(st, &s.m, WAIT);
	while (err == MTRK_IO);
	assert_int_equal(err, MTRK_OK);
	assert_int_equal(contents(), 5);
}

enum { MESSAGES = 1000, THREADS = 4, KILLS = 60 };

static int told; /* the pipe's end that hears of what was answered 250 */

static void *
adder(void *arg)
{
	unsigned long first = (unsigned long)(uintptr_t)arg;

	for (unsigned long i = first; i <= MESSAGES; i += THREADS)
		if (add_one(i + 1000) == MTRK_OK)
			(void)!write(told, &i, sizeof i);
	return NULL;
}

static void
child_adds(long kill_at)
{
	pthread_t t[THREADS];

	if (store_open(path, STORE_WRITE, 64 * MIB, &st, why) != MTRK_OK)
		_exit(1);
	steps = 0;
	deadly = true;
	countdown = kill_at;
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, adder, (void *)(i + 1));
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	(void)!write(told, &(unsigned long){ 0 }, sizeof(unsigned long));
	(void)!write(told, &(unsigned long){ (unsigned long)steps },
	    sizeof(unsigned long));
	_exit(0);
}

/* Every message answered 250 is in the store.  Returns how many steps there
 * were, if the child came to its end; 0 if it was killed. */
static unsigned long
run_and_kill(long kill_at)
{
	unsigned long got, all_steps = 0, answered[MESSAGES + 1] = { 0 };
	int fds[2], status;
	size_t n = 0;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	told = fds[1];
	if ((pid = fork()) == 0)
		child_adds(kill_at);
	close(fds[1]);
	while (read(fds[0], &got, sizeof got) == (ssize_t)sizeof got) {
		if (got == 0)
			(void)!read(fds[0], &all_steps, sizeof all_steps);
		else
			answered[n++] = got;
	}
	close(fds[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(
	    store_open(path, STORE_WRITE, 64 * MIB, &st, why), MTRK_OK);
	for (size_t i = 0; i < n; i++) {
		size_t found = 0;
		char envid[SAMPLE_ENVID];

		sample_envid(envid, answered[i] + 1000);
		store_find(st, span_of(envid), count, &found);
		if (found != 1)
			fail_msg("killed at %ld: %s was answered 250 and is "
				 "not there",
			    kill_at, envid);
	}
	contents();
	store_close(&st);
	scratch_remove(path);
	return all_steps;
}

static void
killed_anywhere(void **state)
{
	unsigned long all, random;

	(void)state;
	store_close(&st);
	scratch_remove(path);
	all = run_and_kill(0);
	assert_true(all > MESSAGES);
	/* spread over the whole run, never at the same steps, and a row of
	 * neighbours */
	random = (unsigned long)time(NULL);
	for (unsigned long i = 0; i < KILLS; i++)
		run_and_kill(
		    (long)(i * all / KILLS + random % (all / KILLS + 1) + 1));
	random %= all / 2 + 1; /* sooner is quicker */
	for (unsigned long i = 1; i <= KILLS / 2; i++)
		run_and_kill((long)(random + i));
}

int
main(void)
{
#define FAULT_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		FAULT_TEST(adding_survives),
		FAULT_TEST(events_survive),
		FAULT_TEST(a_second_late),
		FAULT_TEST(opening_survives),
		FAULT_TEST(folder_is_away),
		FAULT_TEST(files_are_deleted),
		FAULT_TEST(folder_is_renamed),
		FAULT_TEST(data_is_replaced),
		FAULT_TEST(reading_survives),
		FAULT_TEST(stuck),
		FAULT_TEST(killed_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
