/*
 * tests/lib/sample.h -- messages and events to put into a store.
 */
#ifndef MTRK_TESTS_SAMPLE_H
#define MTRK_TESTS_SAMPLE_H

#include "common/store.h"

enum { SAMPLE_ARRIVAL = 1795500000 };

enum { SAMPLE_ENVID = 64 };
void sample_envid(char out[SAMPLE_ENVID], unsigned long n);

/* Message number n: its sample_envid(), queue id "QN...", one recipient
 * "rN@x.test".  Everything it lends lives in the struct itself. */
struct sample {
	char envid[SAMPLE_ENVID], queue_id[32], rcpt[64];
	struct recipient recipient;
	struct message m;
};
void sample_message(struct sample *, unsigned long n);

/* An event of message n; `text` lives as long as the caller says. */
struct happening_line sample_line(
    const struct sample *, enum action, int64_t time, const char *text);

#endif
