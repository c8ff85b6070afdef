/*
 * mtqp/datafile.h -- a file of a person's own below $XDG_DATA_HOME/mtrk: a JSON
 * object a line, mode 0600, changed as a whole and by one program at a time.
 */
#ifndef MTRK_MTQP_DATAFILE_H
#define MTRK_MTQP_DATAFILE_H

#include <jansson.h>
#include <limits.h>

#include "common/err.h"

enum { DATAFILE_WHY_MAX = 1200 };

struct datafile {
	char dir[PATH_MAX], path[PATH_MAX + 64], lock[PATH_MAX + 16];
	int lock_fd;
	json_t *entries; /* array, in the order of the file */
	char *why; /* the caller's, DATAFILE_WHY_MAX; says what went wrong */
};

/* What stands there now, to look at: no lock, since it changes as a whole, and
 * nothing is made or written.  Otherwise as datafile_open(). */
enum mtrk_err datafile_read(
    struct datafile *, const char *name, char why[DATAFILE_WHY_MAX]);
/* Locks and reads; without a file there are no entries.  MTRK_CORRUPT names
 * the line that is none of ours.  datafile_close() only after MTRK_OK. */
enum mtrk_err datafile_open(
    struct datafile *, const char *name, char why[DATAFILE_WHY_MAX]);
/* The entries take the file's place, durably, or nothing changes. */
enum mtrk_err datafile_save(struct datafile *);
void datafile_close(struct datafile *);

#endif
