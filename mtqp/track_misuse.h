/*
 * mtqp/track_misuse.h -- what a person is told who called a command of
 * mtrk-track wrongly.
 */
#ifndef MTRK_MTQP_TRACK_MISUSE_H
#define MTRK_MTQP_TRACK_MISUSE_H

#include <getopt.h>

/* On standard error: "mtrk-track COMMAND: WHAT: "TEXT"" (text may be NULL) and
 * where to read more.  EX_USAGE. */
int track_misuse(const char *command, const char *what, const char *text);

/*
 * getopt_long() returned `c` and the command refused it: an option that is not
 * there has been told of by getopt_long itself, a bad value has not.
 * `options` is the command's own table.  EX_USAGE.
 */
int track_misused_option(
    const char *command, const struct option *options, int c);

#endif
