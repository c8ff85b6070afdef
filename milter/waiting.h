/*
 * milter/waiting.h -- the waiting room: lines about queue ids that no tracked
 * message claims, in case its record, or the line that links it to one,
 * comes later.  A ring of a fixed size; the oldest fall out.
 *
 * What waits is kept in the store too, by the same transaction that says how
 * far the log was read.
 */
#ifndef MTRK_MILTER_WAITING_H
#define MTRK_MILTER_WAITING_H

#include "common/store.h"
#include "milter/logline.h"

struct waiting;

/* `bytes` of lines, `age_s` by the log's own clock.  NULL: no memory. */
struct waiting *waiting_new(uint64_t bytes, uint64_t age_s);
void waiting_free(struct waiting **);

uint32_t waiting_hash(struct span queue_id);
void waiting_put(
    struct waiting *, struct span queue_id, const struct logline *);
/* Cheap. */
bool waiting_any(const struct waiting *, struct span queue_id);
/* The lines about a queue id, oldest first, as handles; at most `max` of the
 * newest. */
size_t waiting_find(const struct waiting *, struct span queue_id,
    uint64_t *handles, size_t max);
/* Borrowed until the next waiting_put().  False: it was taken already. */
bool waiting_get(const struct waiting *, uint64_t handle, struct logline *out);
/* It has found its message. */
void waiting_take(struct waiting *, uint64_t handle);

/* Make the store's copy the same, and count there what fell out since: because
 * the room was full, because it was too old.  The room believes it when
 * waiting_saved() tells that the transaction succeeded. */
void waiting_save(struct waiting *, struct txn *, const char *log);
void waiting_saved(struct waiting *);
/* Begin anew with the store's copy.  False: nothing is waiting. */
bool waiting_load(struct waiting *, struct txn *, const char *log);

#endif
