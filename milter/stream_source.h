/*
 * milter/stream_source.h -- the lines of a pipe: standard input.  What was
 * read since the last mark is kept, so that it can be given again.
 */
#ifndef MTRK_MILTER_STREAM_SOURCE_H
#define MTRK_MILTER_STREAM_SOURCE_H

#include "milter/follow_source.h"

/* `fd` stays the caller's. */
enum mtrk_err stream_source_new(int fd, struct follow_source *out);

#endif
