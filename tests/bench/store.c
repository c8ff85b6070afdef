/*
 * tests/bench/store.c DIR -- what the store costs, on the disk of DIR:
 * records made durable by 16 threads against single LMDB commits, in turns,
 * medians of 5; and octets per message with one recipient and four events.
 */
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/crypto.h"
#include "tests/lib/cm.h"
#include "tests/lib/sample.h"

enum { ROUNDS = 5, THREADS = 16, SECONDS = 1, SIZED = 20000, WAIT = 60000 };

static struct store *st;
static unsigned long next_number = 1;
static double end_s;

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double v[ROUNDS])
{
	qsort(v, ROUNDS, sizeof *v, by_value);
	return v[ROUNDS / 2];
}

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s failed\n", what);
	exit(1);
}

static void *
adder(void *arg)
{
	unsigned long *done = arg;

	while (now_s() < end_s) {
		struct sample s;

		sample_message(
		    &s, __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED));
		must(store_add(st, &s.m, WAIT) == MTRK_OK, "store_add");
		++*done;
	}
	return NULL;
}

static double
grouped(void)
{
	unsigned long done[THREADS] = { 0 }, all = 0;
	pthread_t t[THREADS];
	double start_s = now_s();

	end_s = start_s + SECONDS;
	for (size_t i = 0; i < THREADS; i++)
		must(pthread_create(&t[i], NULL, adder, &done[i]) == 0,
		    "thread");
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		all += done[i];
	}
	return (double)all / (now_s() - start_s);
}

/*
 * The peer: the same record and its three indexes, put and committed one by
 * one by LMDB itself, with nothing of ours around it.
 */
enum { PEER_TABLES = 4 };

struct peer {
	MDB_env *env;
	MDB_dbi dbi[PEER_TABLES];
	unsigned long n;
};

static void
put(MDB_txn *t, MDB_dbi dbi, struct span key, struct span value)
{
	MDB_val k = { key.n, (void *)(uintptr_t)key.p };
	MDB_val v = { value.n, (void *)(uintptr_t)value.p };

	must(mdb_put(t, dbi, &k, &v, 0) == 0, "mdb_put");
}

static void
peer_add(struct peer *p)
{
	struct sample s;
	struct buf record = BUF(4096);
	unsigned char hash[CERTIFIER_LEN];
	char number[8], key[CERTIFIER_LEN + 8];
	MDB_txn *t;

	sample_message(&s, ++p->n);
	record_put_message(&record, &s.m);
	crypto_sha1(s.envid, strlen(s.envid), hash);
	for (size_t i = 0; i < sizeof number; i++)
		number[i] = (char)(p->n >> (56 - 8 * i));
	memcpy(key, hash, 8);
	memcpy(key + 8, number, 8);
	must(mdb_txn_begin(p->env, NULL, 0, &t) == 0, "mdb_txn_begin");
	put(t, p->dbi[0], (struct span){ number, 8 }, buf_as_span(&record));
	put(t, p->dbi[1], (struct span){ number, 8 },
	    (struct span){ number, 6 });
	put(t, p->dbi[2], (struct span){ key, 14 }, SPAN(""));
	put(t, p->dbi[3], span_of(s.queue_id), SPAN(""));
	must(mdb_txn_commit(t) == 0, "mdb_txn_commit");
	buf_free(&record);
}

static double
single(struct peer *p)
{
	double start_s = now_s();
	unsigned long before = p->n;

	while (now_s() < start_s + SECONDS)
		peer_add(p);
	return (double)(p->n - before) / (now_s() - start_s);
}

static void
open_peer(const char *dir, struct peer *p)
{
	static const char *const names[PEER_TABLES] = { "a", "b", "c", "d" };
	MDB_txn *t;

	*p = (struct peer){ 0 };
	must(mkdir(dir, 0700) == 0 && mdb_env_create(&p->env) == 0 &&
		mdb_env_set_mapsize(p->env, 1u << 30) == 0 &&
		mdb_env_set_maxdbs(p->env, PEER_TABLES) == 0 &&
		mdb_env_open(p->env, dir, 0, 0600) == 0 &&
		mdb_txn_begin(p->env, NULL, 0, &t) == 0,
	    "LMDB");
	for (size_t i = 0; i < PEER_TABLES; i++)
		must(mdb_dbi_open(t, names[i], MDB_CREATE, &p->dbi[i]) == 0,
		    "mdb_dbi_open");
	must(mdb_txn_commit(t) == 0, "mdb_txn_commit");
}

static void
durable(const char *dir)
{
	char path[300], why[STORE_WHY_MAX];
	double a[ROUNDS], b[ROUNDS];
	struct peer peer;

	snprintf(path, sizeof path, "%s/peer", dir);
	open_peer(path, &peer);
	snprintf(path, sizeof path, "%s/store", dir);
	must(store_open(path, STORE_WRITE, 1ull << 32, &st, why) == MTRK_OK,
	    why);
	for (size_t i = 0; i < ROUNDS; i++) {
		a[i] = single(&peer);
		b[i] = grouped();
	}
	store_close(&st);
	mdb_env_close(peer.env);
	printf("%-52s %9.0f/s\n", "single LMDB commits of the same records",
	    median(a));
	printf("%-52s %9.0f/s\n", "records durable, 16 threads", median(b));
	printf("%-52s %9.2f   (>= 8)\n", "ratio", median(b) / median(a));
}

static void
event(struct txn *t, const struct sample *s, enum action a, int64_t time,
    const char *text)
{
	struct happening_line l = sample_line(s, a, time, text);

	store_happened(t, &l);
}

/* Three tries and a hand-over, with the texts that Postfix writes; and a
 * Message-ID, and the queue id given back. */
static void
one_life(struct txn *t, const struct sample *s)
{
	static const char later[] =
	    "host mx.x.test[192.0.2.1] said: 451 4.7.1 try again later "
	    "(in reply to RCPT TO command)";
	struct happening_line l = { .what = HAPPENED_MESSAGE_ID,
		.instance = SPAN("default"),
		.queue_id = span_of(s->queue_id),
		.time = SAMPLE_ARRIVAL,
		.text = SPAN("<20261124032835.38D4EA8478C@a.test>") };

	store_happened(t, &l);
	for (int i = 1; i <= 3; i++)
		event(t, s, ACTION_DELAYED, SAMPLE_ARRIVAL + i * 300, later);
	event(t, s, ACTION_RELAYED, SAMPLE_ARRIVAL + 3600,
	    "250 2.0.0 Ok: queued as 6B0504633049");
	l.what = HAPPENED_REMOVED;
	l.time += 3601;
	store_happened(t, &l);
}

static void
sizes(const char *dir)
{
	char path[300], why[STORE_WHY_MAX];
	struct db_numbers n;

	snprintf(path, sizeof path, "%s/sized", dir);
	must(store_open(path, STORE_WRITE, 1ull << 32, &st, why) == MTRK_OK,
	    why);
	for (unsigned long i = 1; i <= SIZED;) {
		struct txn t;
		struct sample s;

		/* as it happens: accepted, later the log is read */
		for (unsigned long k = 0; k < 10; k++) {
			sample_message(&s, i + k);
			must(store_add(st, &s.m, WAIT) == MTRK_OK, "add");
		}
		t = store_begin(st);
		for (unsigned long k = 0; k < 10; k++) {
			sample_message(&s, i + k);
			one_life(&t, &s);
		}
		must(store_end(&t) == MTRK_OK, "events");
		i += 10;
	}
	must(db_numbers(store_db(st), &n) == MTRK_OK, "numbers");
	printf("%-52s %9.0f B\n", "data.mdb per message with 4 events",
	    (double)n.file_bytes / SIZED);
	printf("%-52s %9.0f B   (<= 600)\n", "of that in use",
	    (double)n.used_bytes / SIZED);
	store_close(&st);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_store DIR\n");
		return 64;
	}
	durable(argv[1]);
	sizes(argv[1]);
	return 0;
}
