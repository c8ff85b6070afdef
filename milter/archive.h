/*
 * milter/archive.h -- a folder of old logs, plain and gzip, each read to its
 * end, in the order of their first lines' times.
 */
#ifndef MTRK_MILTER_ARCHIVE_H
#define MTRK_MILTER_ARCHIVE_H

#include "milter/follow_source.h"

/* Files that hold no log line are left out.  MTRK_IO, and errno. */
enum mtrk_err archive_new(const char *dir, struct follow_source *out);

#endif
