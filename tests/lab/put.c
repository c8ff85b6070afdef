/*
 * put -- a tracked message with one recipient's outcome, straight into a
 * store, for tests of those who ask:
 *
 *	put STORE ENVID ORIGINAL FINAL ACTION STATUS REMOTE-MTA
 *
 * Once more with the same ENVID and ORIGINAL: what happened next.  The secret
 * is the octets 00 to 0f.  REMOTE-MTA "-": none.
 *
 *	put STORE hold
 *
 * has the store's lock for writers, says so, and keeps it until standard input
 * ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/crypto.h"
#include "common/store.h"

static void
fail(const char *what)
{
	fprintf(stderr, "put: %s\n", what);
	exit(1);
}

static void
certify(unsigned char out[CERTIFIER_LEN])
{
	unsigned char secret[SECRET_MIN];

	for (unsigned i = 0; i < SECRET_MIN; i++)
		secret[i] = (unsigned char)i;
	if (crypto_sha1(secret, sizeof secret, out) != MTRK_OK)
		fail("SHA-1");
}

/* FNV-1a: the same message has the same queue id. */
static unsigned
hash(const char *s, unsigned h)
{
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}

static void
put(struct store *s, char **argv)
{
	char queue_id[32];
	struct recipient r = { .original_type = SPAN("rfc822"),
		.original = span_of(argv[3]),
		.address = span_of(argv[4]) };
	struct message m = { .envid = span_of(argv[2]),
		.arrival = time(NULL) - 2,
		.instance = SPAN("default"),
		.sender = SPAN("sender@h.test"),
		.recipients = &r,
		.n_recipients = 1 };
	struct happening_line line = { .what = HAPPENED_ACTION,
		.instance = m.instance,
		.time = time(NULL),
		.address = r.address,
		.action = action_of(span_of(argv[5])),
		.remote_mta = span_of(argv[7]) };
	struct txn t;

	snprintf(queue_id, sizeof queue_id, "Q%08x",
	    hash(argv[3], hash(argv[2], 2166136261U)));
	line.queue_id = m.queue_id = span_of(queue_id);
	if (strcmp(argv[7], "-") == 0)
		line.remote_mta = SPAN("");
	if (line.action == ACTION_NONE ||
	    status_parse(span_of(argv[6]), &line.status) != MTRK_OK)
		fail("no such action or status");
	certify(m.certifier);
	if (store_add(s, &m, 10000) != MTRK_OK)
		fail("cannot add");
	t = store_begin(s);
	if (store_happened(&t, &line) != 1 || store_end(&t) != MTRK_OK)
		fail("cannot add what happened");
}

static void
hold(struct store *s)
{
	struct txn t = store_begin(s);

	puts("held");
	fflush(stdout);
	while (getchar() != EOF)
		;
	if (store_end(&t) != MTRK_OK)
		fail("cannot give back");
}

int
main(int argc, char **argv)
{
	char why[STORE_WHY_MAX];
	struct store *s;
	bool only_hold = argc == 3 && strcmp(argv[2], "hold") == 0;

	if (argc != 8 && !only_hold)
		fail("7 arguments");
	if (store_open(argv[1], STORE_WRITE, 64 << 20, &s, why) != MTRK_OK)
		fail(why);
	if (only_hold)
		hold(s);
	else
		put(s, argv);
	store_close(&s);
	return 0;
}
