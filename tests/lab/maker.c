/*
 * tests/lab/maker.c STORE LOG N BASE -- a store with N tracked messages
 * ("-": none) that arrive from BASE on, ten a second, and the log that
 * Postfix writes of them: 5 lines each, those of ten messages mixed; every
 * eighth is deferred once before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/crypto.h"
#include "common/store.h"

enum { MIXED = 10, WAIT_MS = 60000, STEPS = 6 };

struct made {
	char envid[64], queue_id[32], rcpt[64];
	struct recipient recipient;
	struct message m;
};

/* Of every message: AAECAwQFBgcICQoLDA0ODw== in base64. */
static const unsigned char secret[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
	12, 13, 14, 15 };

static void
make(struct made *s, unsigned long n, int64_t base)
{
	memset(s, 0, sizeof *s);
	snprintf(s->envid, sizeof s->envid, "%lu@maker.test", n);
	/* long ids as Postfix makes them, without its vowels' absence */
	snprintf(s->queue_id, sizeof s->queue_id, "4%014lXz", n);
	snprintf(s->rcpt, sizeof s->rcpt, "recipient%lu@example.org", n % 997);
	s->recipient = (struct recipient){
		.original_type = SPAN("rfc822"),
		.original = span_of(s->rcpt),
		.address = span_of(s->rcpt),
	};
	s->m = (struct message){
		.envid = span_of(s->envid),
		.arrival = base + (int64_t)(n / 10),
		.instance = SPAN("default"),
		.queue_id = span_of(s->queue_id),
		.sender = SPAN("sender@maker.test"),
		.client = SPAN("192.0.2.1"),
		.recipients = &s->recipient,
		.n_recipients = 1,
	};
	crypto_sha1(secret, sizeof secret, s->m.certifier);
}

static void
stamp(FILE *out, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[32];

	localtime_r(&t, &tm);
	strftime(text, sizeof text, "%b %e %H:%M:%S", &tm);
	fprintf(out, "%s mx ", text);
}

static void
line(FILE *out, const struct made *s, unsigned long n, int step)
{
	static const char to[] =
	    "postfix/smtp[25593]: %s: to=<%s>, relay=mx.example.org"
	    "[192.0.2.25]:25, delay=0.12, delays=0.01/0.02/0.04/0.04, dsn=%s, "
	    "status=%s (%s)\n";

	if (step == 3 && n % 8 != 0)
		return;
	stamp(out, s->m.arrival);
	switch (step) {
	case 0:
		fprintf(out, "postfix/smtpd[25589]: %s: client=unknown[%s]\n",
		    s->queue_id, "192.0.2.1");
		break;
	case 1:
		fprintf(out,
		    "postfix/cleanup[25592]: %s: message-id=<%lu@maker.test>\n",
		    s->queue_id, n);
		break;
	case 2:
		fprintf(out,
		    "postfix/qmgr[25489]: %s: from=<sender@maker.test>, "
		    "size=349, nrcpt=1 (queue active)\n",
		    s->queue_id);
		break;
	case 3:
		fprintf(out, to, s->queue_id, s->rcpt, "4.7.1", "deferred",
		    "host mx.example.org[192.0.2.25] said: 451 4.7.1 later");
		break;
	case 4:
		fprintf(out, to, s->queue_id, s->rcpt, "2.0.0", "sent",
		    "250 2.0.0 Ok: queued as 6B0504633049");
		break;
	case 5:
		fprintf(out, "postfix/qmgr[25489]: %s: removed\n", s->queue_id);
		break;
	}
}

static void
write_log(FILE *out, unsigned long n, int64_t base)
{
	static struct made mixed[MIXED];

	for (unsigned long first = 0; first < n; first += MIXED) {
		for (unsigned long i = 0; i < MIXED; i++)
			make(&mixed[i], first + i, base);
		for (int step = 0; step < STEPS; step++)
			for (unsigned long i = 0; i < MIXED && first + i < n;
			     i++)
				line(out, &mixed[i], first + i, step);
	}
}

/* In large groups, and none of them waited for: it is only a test's. */
static int
fill(const char *dir, unsigned long n, int64_t base)
{
	char why[STORE_WHY_MAX];
	struct store *st;

	if (store_open(dir, STORE_WRITE, 1ull << 34, &st, why) != MTRK_OK) {
		fprintf(stderr, "maker: %s\n", why);
		return 1;
	}
	for (unsigned long i = 0; i < n; i++) {
		struct made s;
		bool last = i % 1000 == 999 || i + 1 == n;
		enum mtrk_err err;

		make(&s, i, base);
		err = store_add(st, &s.m, last ? WAIT_MS : 0);
		if (err != MTRK_OK && (last || err != MTRK_BUSY)) {
			fprintf(stderr, "maker: %s\n", mtrk_err_text(err));
			return 1;
		}
	}
	store_close(&st);
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned long n;
	int64_t base;
	FILE *out;

	if (argc != 5) {
		fprintf(stderr, "usage: log_maker STORE|- LOG N BASE\n");
		return 64;
	}
	n = strtoul(argv[3], NULL, 10);
	base = strtoll(argv[4], NULL, 10);
	if (strcmp(argv[1], "-") != 0 && fill(argv[1], n, base) != 0)
		return 1;
	if ((out = fopen(argv[2], "we")) == NULL)
		return 1;
	write_log(out, n, base);
	return fclose(out) == 0 ? 0 : 1;
}
