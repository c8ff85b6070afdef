/*
 * milter/chunk.h -- bytes of a file or stream on their way, given out line by
 * line.  Knows no files: who owns it reads into its room.
 */
#ifndef MTRK_MILTER_CHUNK_H
#define MTRK_MILTER_CHUNK_H

#include "common/span.h"

enum {
	CHUNK_SIZE = 256 * 1024, /* octets; ours */
	CHUNK_CONTEXT = 512, /* octets before a position that identify it: more
			      * than one line, as ends are often alike; ours */
	CHUNK_LINE_MAX = 16384, /* ours: Postfix cuts at 2000 or so */
};

struct chunk {
	char *bytes;
	size_t cap, at, n; /* not given out yet: bytes[at] to bytes[n-1] */
	uint64_t offset; /* of bytes[at] in the file */
	bool skipping; /* inside a line that is too long ... */
	uint64_t line_offset, line_tail; /* ... which began there */
	uint64_t skipped; /* such lines so far */
};

bool chunk_init(struct chunk *); /* false: no memory */
void chunk_free(struct chunk *);
/* Empty, at `offset`; `context` are the octets before it, as many as there
 * are up to CHUNK_CONTEXT. */
void chunk_restart(struct chunk *, uint64_t offset, struct span context);

/* Where to read to, of *n octets, not 0; then say how many came. */
char *chunk_room(struct chunk *, size_t *n);
void chunk_filled(struct chunk *, size_t n);
/* The octets before the room, which a file must still have there. */
struct span chunk_before_room(const struct chunk *);

/*
 * The next whole line, without its newline and without NULs before it (a
 * truncated file whose writer doesn't append begins with a hole).  A line
 * longer than CHUNK_LINE_MAX is left out whole and counted.
 */
bool chunk_line(struct chunk *, struct span *line);
/* What is left where no newline will come any more. */
bool chunk_last_line(struct chunk *, struct span *line);

/* The start of the first line that wasn't given out, and the hash of the
 * octets before it. */
uint64_t chunk_position(const struct chunk *, uint64_t *tail);
/* The first octets of the file, if they are still here; else none. */
struct span chunk_head(const struct chunk *, size_t max);

#endif
