/*
 * milter/gz.h -- the one door to zlib: reading a gzip file at any place of
 * what is in it.
 */
#ifndef MTRK_MILTER_GZ_H
#define MTRK_MILTER_GZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct gz;

bool gz_is(int fd); /* does it begin as gzip files do? */
/* A reader of its own on the file of `fd`, which stays the caller's; NULL:
 * no memory. */
struct gz *gz_open(int fd);
void gz_close(struct gz **);
/* Up to n octets of the content at `offset`; going forwards is cheap.  0: the
 * end, of what is there so far; -1: not readable. */
ssize_t gz_read(struct gz *, void *, size_t n, uint64_t offset);
/* Did the last read find broken or missing octets? */
bool gz_damaged(struct gz *);

const char *gz_version(void);

#endif
