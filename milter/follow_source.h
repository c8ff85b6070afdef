/*
 * milter/follow_source.h -- what follow.c asks of a kind of source; follow.h
 * tells what each of these does.
 */
#ifndef MTRK_MILTER_FOLLOW_SOURCE_H
#define MTRK_MILTER_FOLLOW_SOURCE_H

#include "milter/follow.h"

struct follow_kind {
	bool (*line)(void *self, struct span *line);
	bool (*ended)(const void *self); /* NULL: never */
	const char *(*trouble)(const void *self);
	void (*mark)(void *self, char out[FOLLOW_MARK_MAX]);
	enum mtrk_err (*rewind)(void *self, const char *mark);
	uint64_t (*skipped)(const void *self);
	/* Before when its lines were written; NULL: now. */
	int64_t (*written)(const void *self);
	/* What to poll for; -1: nothing helps.  `woken` when it was ready. */
	int (*poll_fd)(void *self);
	void (*woken)(void *self);
	void (*free)(void *self);
};

struct follow_source {
	const struct follow_kind *kind;
	void *self;
};

#endif
