/*
 * mtqp/password.h -- the password of a login: of the environment, of a command
 * or of a file, never of the command line, where everybody on the host can
 * read it.
 */
#ifndef MTRK_MTQP_PASSWORD_H
#define MTRK_MTQP_PASSWORD_H

#include "mtqp/track_conf.h"

enum { PASSWORD_MAX = 256 /* octets with the NUL; ours */ };

/* $MTRK_PASSWORD, else the first line of what PasswordCommand prints, else of
 * PasswordFile.  False: said why on standard error. */
bool password_read(const struct track_conf *, char out[PASSWORD_MAX]);

#endif
