/*
 * common/watch.h -- one descriptor's readiness, and one alarm, in a loop: for
 * what moves octets itself.  All functions run in the loop's thread.
 */
#ifndef MTRK_COMMON_WATCH_H
#define MTRK_COMMON_WATCH_H

#include "common/loop.h"

enum { WATCH_READ = 1, WATCH_WRITE = 2 };

struct watch;

/*
 * Calls ready(arg, WATCH_READ or WATCH_WRITE), one of them a call, as long as
 * it is so and wanted (at first nothing is).  ready() may free the watch.
 * The descriptor stays the caller's; it stays open until watch_free().
 */
struct watch *watch_new(struct loop *, int fd,
    void (*ready)(void *arg, unsigned what), void *arg); /* NULL: no memory */
bool watch_want(struct watch *, unsigned what); /* false: no memory */
/* Calls ready(arg, WATCH_READ) by the loop's next turn, whatever comes. */
void watch_wake(struct watch *);
void watch_free(struct watch **); /* NULL is fine */

struct alarm;

/* Calls due(arg) once, so many seconds after alarm_set(); set again, only the
 * new time counts.  Putting it off costs nothing. */
struct alarm *alarm_new(struct loop *, void (*due)(void *arg), void *arg);
void alarm_set(struct alarm *, unsigned after_s);
void alarm_free(struct alarm **); /* NULL is fine */

#endif
