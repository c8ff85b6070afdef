/*
 * common/proc.h -- what a daemon needs of the system: its user, its signals,
 * the background.
 */
#ifndef MTRK_COMMON_PROC_H
#define MTRK_COMMON_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

/*
 * Become `user` for good (MTRK_IO: not to be had); MTRK_OK means that root
 * can't be had back.  When not started as root: stays who it is, says so at
 * debug level, MTRK_OK. MTRK_NOTFOUND: no such user, or it is root.  "": the
 * effective user for good; if that is root: MTRK_OK, root stays, with a
 * warning.
 */
enum mtrk_err proc_drop(const char *user);
/* The same, but addresses of others can still be bound (CAP_NET_ADMIN, for
 * IP_TRANSPARENT). */
enum mtrk_err proc_drop_but_net_admin(const char *user);
/* The numbers of a user, of a group.  MTRK_NOTFOUND. */
enum mtrk_err proc_user(const char *user, uid_t *, gid_t *);
enum mtrk_err proc_group(const char *group, gid_t *);

/* A peer that has gone, a file that may not grow: errno tells of it from now
 * on, and no signal.  False: errno tells why not. */
bool proc_faults_to_errno(void);
/* That, and TERM, INT and HUP become bytes in a pipe.  Returns the descriptor
 * to wait on, -1 on failure. */
int proc_signals(void);
/* 0: none; otherwise the oldest signal not yet handed out. */
int proc_next_signal(void);
/* All of them; called when there is something to read, with where they go. */
struct proc_signals_go {
	void (*hup)(void);
	void (*others)(int sig);
};
void proc_hand_signals(void *signals_go);

/* Go to the background; the parent exits 0 once proc_ready() was called, and
 * with the child's status if it ends before.  MTRK_IO keeps errno. */
enum mtrk_err proc_background(void);
void proc_ready(void); /* harmless in the foreground */

#endif
