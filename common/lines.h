/*
 * common/lines.h -- lines that end in CRLF, and nothing else: cut from what
 * has been received so far.  Pure; a line tail never becomes a line.
 */
#ifndef MTRK_COMMON_LINES_H
#define MTRK_COMMON_LINES_H

#include "common/span.h"

enum line {
	LINE_MORE, /* not yet: wait for more octets */
	LINE_OK,
	LINE_TOO_LONG, /* said at once; the rest of it is discarded */
	LINE_BARE_LF, /* the same */
};

struct lines {
	size_t max; /* octets before CRLF */
	bool discarding; /* up to CRLF: of a line that was refused */
};

/*
 * What stands first in `in`, of which the caller removes *used octets
 * afterwards.  LINE_OK: *line is it, without CRLF.  LINE_MORE with *used > 0
 * happens when discarding.  It never needs more than max + 2 octets at once.
 */
enum line lines_next(
    struct lines *, struct span in, size_t *used, struct span *line);

#endif
