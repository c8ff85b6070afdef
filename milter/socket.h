/*
 * milter/socket.h -- the milter's socket and the store's folder: who owns
 * them, with which mode, and what to tell Postfix.
 */
#ifndef MTRK_MILTER_SOCKET_H
#define MTRK_MILTER_SOCKET_H

#include <stdio.h>

#include "common/conf.h"
#include "common/store.h"

enum { SOCKET_WHY_MAX = STORE_WHY_MAX }; /* octets of `why` in all of these */

/* After it was made: give a local socket its user and group. */
enum mtrk_err milter_socket_own(const struct conf *, char *why);
/* The path of a local socket; NULL for inet and inet6. */
const char *milter_socket_path(const struct conf *);
void milter_socket_remove(const struct conf *); /* if it is ours still */
/* "smtpd_milters = ..." and the socket's final mode. */
void milter_socket_print(const struct conf *, FILE *);

/* As root: make the folder, if it is not there, and give it to User. */
enum mtrk_err milter_store_folder(const struct conf *, char *why);

/*
 * For -n, which ends soon: become User for good, if there is one and we are
 * root.  Could the store be opened, or made by who we are?  If it is there, it
 * is looked at as User.
 */
enum mtrk_err milter_become(const struct conf *, char *why);
enum mtrk_err milter_check_store(const struct conf *, char *why);

/* Would the milter start?  Changes nothing but who we are. */
enum mtrk_err milter_check(const struct conf *, char *why);

#endif
