/*
 * tests/lib/sample.h -- messages and events to put into a store.
 */
#ifndef MTRK_TESTS_SAMPLE_H
#define MTRK_TESTS_SAMPLE_H

#include "common/store.h"

enum { SAMPLE_ARRIVAL = 1795500000 };

/* Message number n: envid "N@h.test", queue id "QN...", one recipient
 * "rN@x.test".  Everything it lends lives in the struct itself. */
struct sample {
	char envid[64], queue_id[32], rcpt[64];
	struct recipient recipient;
	struct message m;
};
void sample_message(struct sample *, unsigned long n);

/* An event of message n; `text` lives as long as the caller says. */
struct happening_line sample_line(
    const struct sample *, enum action, int64_t time, const char *text);

#endif
