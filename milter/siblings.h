/*
 * milter/siblings.h -- the files of one log in its folder: itself, and what
 * rotation made of it (mail.log.1, mail.log-20261124.gz, mail-1.log).
 */
#ifndef MTRK_MILTER_SIBLINGS_H
#define MTRK_MILTER_SIBLINGS_H

#include <limits.h>

#include "milter/piece.h"

enum { SIBLINGS_PATH_MAX = PATH_MAX + NAME_MAX + 2 };

/* A file found; `is_path`: it has the log's own name. */
struct sibling {
	struct piece piece;
	bool is_path;
};
typedef bool sibling_fits_fn(struct sibling *, void *arg);
typedef bool sibling_better_fn(
    const struct sibling *than_this, const struct sibling *, const void *arg);

/* The best of those that fit, open; false: none does.  Files that are renamed
 * while it looks are not overlooked. */
bool siblings_best(const char *path, sibling_fits_fn, sibling_better_fn,
    void *arg, struct sibling *out);

/* Can `name` be what rotation made of `base`? */
bool sibling_name(const char *base, const char *name);

#endif
