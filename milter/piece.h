/*
 * milter/piece.h -- one file of a log, plain or gzip, and a place in it that
 * is known again though the file is renamed, copied, compressed or mounted
 * elsewhere: by what is written at its start and before the place.
 */
#ifndef MTRK_MILTER_PIECE_H
#define MTRK_MILTER_PIECE_H

#include "milter/chunk.h"
#include "milter/gz.h"

enum { PIECE_HEAD = 256 /* octets at the start that identify it; ours */ };

struct place {
	uint64_t device, inode;
	uint64_t offset; /* in what is in the file, not compressed */
	uint64_t mtime_ns; /* the file's, when it was opened first */
	uint64_t head_n, head; /* hash of the first head_n octets */
	uint64_t tail; /* of up to CHUNK_CONTEXT octets before offset */
};

struct piece {
	int fd; /* -1: closed */
	struct gz *gz; /* NULL: plain */
	struct place at;
	uint64_t looked; /* its size then; its owner's */
};
#define NO_PIECE ((struct piece){ .fd = -1 })

/* Opens a regular file at offset 0; false, and errno, if that can't be. */
bool piece_open(struct piece *, const char *path);
void piece_close(struct piece *); /* the place stays */
ssize_t piece_read(struct piece *, void *, size_t n, uint64_t offset);

enum piece_more { PIECE_MORE, PIECE_END, PIECE_CHANGED };
/* What follows in the file goes into the chunk.  PIECE_CHANGED: it isn't the
 * file any more that the chunk's octets came from. */
enum piece_more piece_more(struct piece *, struct chunk *);
/* Let the chunk begin at the piece's place; false: that isn't there. */
bool piece_begin(struct piece *, struct chunk *);
/* Take the place over from the chunk. */
void piece_settle(struct piece *, const struct chunk *);

uint64_t piece_changed_ns(const struct piece *); /* the file's mtime now */
bool piece_same_file(const struct piece *, const struct place *);
/* Is the place in this file's content? */
bool piece_holds(struct piece *, const struct place *);
/* The same without unpacking all before it, when the start says enough. */
bool piece_is_of(struct piece *, const struct place *);

enum { PLACE_TEXT = 160 };
void place_print(const struct place *, char out[PLACE_TEXT]);
bool place_parse(struct span, struct place *);

#endif
