/*
 * common/keeper.h -- a process of its own that can still open the files which
 * a daemon could read before it gave up its rights: a renewed certificate and
 * its key, without a restart and without a network process that may read keys
 * at will.  It opens those files and no others.
 */
#ifndef MTRK_COMMON_KEEPER_H
#define MTRK_COMMON_KEEPER_H

#include "common/err.h"
#include "common/span.h"

enum { KEEPER_FILES_MAX = 128, KEEPER_FILE_MAX = 1 << 20 /* octets */ };

struct keeper;

/* fork()s, with the rights of now: call it before there is a store or a
 * thread.  `paths` must live until this returns.  MTRK_TOOBIG: more than
 * KEEPER_FILES_MAX; MTRK_IO, MTRK_NOMEM. */
enum mtrk_err keeper_start(
    const char *const *paths, size_t n, struct keeper **out);
/* What file number `i` (of `paths`) holds now.  MTRK_IO keeps errno;
 * MTRK_TOOBIG: more than `out` takes. */
enum mtrk_err keeper_read(struct keeper *, size_t i, struct buf *out);
void keeper_stop(struct keeper **); /* and wait for its end; NULL is fine */

#endif
