/*
 * common/group.h -- group commit: many threads write, one thread commits, one
 * fsync serves all that wait.  (A write transaction of LMDB belongs to its
 * thread, and a stuck disk must not hold a caller for ever.)
 */
#ifndef MTRK_COMMON_GROUP_H
#define MTRK_COMMON_GROUP_H

#include "common/db.h"

struct group;

struct group *group_new(struct db *); /* borrows it; NULL: no memory */
void group_free(struct group **); /* waits for what is being committed */

/*
 * Group commit: `run` is called in the committing thread, within a
 * transaction shared with others' jobs; one fsync serves them all.  Returns
 * when it is durable, or failed, or MTRK_BUSY after `wait_ms`; then it may
 * yet be done.  While a commit hangs, for more than 5 s, it is MTRK_IO at once,
 * and it is not done.  `drop(arg)` is called once, when nobody needs
 * `arg` any more. A job that fails takes no other job with it.
 */
enum mtrk_err group_commit(struct group *, void (*run)(struct txn *, void *arg),
    void *arg, void (*drop)(void *arg), unsigned wait_ms);
/*
 * The same for who can't wait.  MTRK_OK: told(arg, outcome) will be called, in
 * the committing thread or by group_free().  Else it won't be.
 */
enum mtrk_err group_post(struct group *, void (*run)(struct txn *, void *arg),
    void *arg, void (*told)(void *arg, enum mtrk_err));

#endif
