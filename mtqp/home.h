/*
 * mtqp/home.h -- where a person's own files are (XDG Base Directory).
 */
#ifndef MTRK_MTQP_HOME_H
#define MTRK_MTQP_HOME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * "$VARIABLE/mtrk" if that is absolute, else "mtrk" below `folder` in the home
 * directory, of $HOME or of the system's own list.  False: there is none, or
 * it is too long; then errno is set, and `out` says which.
 */
bool home_path(
    const char *variable, const char *folder, char *out, size_t size);

#endif
