/*
 * common/notify.h -- tells the service manager that we are ready, alive,
 * reloading or stopping (sd_notify(3): datagrams to $NOTIFY_SOCKET).  Without
 * such a manager all of it does nothing.
 */
#ifndef MTRK_COMMON_NOTIFY_H
#define MTRK_COMMON_NOTIFY_H

/* Connect, while the socket can still be reached: before rights are dropped.
 * The environment's variables are taken away. */
void notify_open(void);
void notify(const char *state); /* "READY=1" */
/* How often "WATCHDOG=1" is due, in seconds; 0: never. */
unsigned notify_watchdog_s(void);
/* "WATCHDOG=1" if it is due: for a loop that comes by often. */
void notify_alive(void);

#endif
