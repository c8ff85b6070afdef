/*
 * milter/tail.h -- a log file that somebody writes and somebody else renames,
 * copies and truncates, compresses, removes or mounts elsewhere: its lines,
 * each once, in the order of writing.
 */
#ifndef MTRK_MILTER_TAIL_H
#define MTRK_MILTER_TAIL_H

#include "milter/follow_source.h"

enum mtrk_err tail_new(const char *path, struct follow_source *out);

#endif
