#include "milter/piece.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static uint64_t
mtime_ns(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000 +
	    (uint64_t)st->st_mtim.tv_nsec;
}

uint64_t
piece_changed_ns(const struct piece *p)
{
	struct stat st;

	return fstat(p->fd, &st) == 0 ? mtime_ns(&st) : 0;
}

bool
piece_open(struct piece *p, const char *path)
{
	struct stat st;

	*p = NO_PIECE;
	p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (p->fd == -1)
		return false;
	if (fstat(p->fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		errno = EINVAL;
		piece_close(p);
		return false;
	}
	p->at.device = st.st_dev;
	p->at.inode = st.st_ino;
	p->at.mtime_ns = mtime_ns(&st);
	if (gz_is(p->fd) && (p->gz = gz_open(p->fd)) == NULL) {
		piece_close(p);
		errno = ENOMEM;
		return false;
	}
	return true;
}

void
piece_close(struct piece *p)
{
	gz_close(&p->gz);
	if (p->fd != -1)
		close(p->fd);
	p->fd = -1;
}

ssize_t
piece_read(struct piece *p, void *out, size_t n, uint64_t offset)
{
	ssize_t got;

	if (p->gz != NULL)
		return gz_read(p->gz, out, n, offset);
	do
		got = pread(p->fd, out, n, (off_t)offset);
	while (got == -1 && errno == EINTR);
	return got;
}

/* The octets before, again, and those behind, in one look at the file; the
 * number of the latter, -1 if the former have changed. */
static ssize_t
read_on(struct piece *p, struct chunk *c)
{
	struct span before = chunk_before_room(c);
	char again[CHUNK_CONTEXT];
	struct iovec v[2] = { { again, before.n }, { NULL, 0 } };
	uint64_t end = c->offset + (c->n - c->at);
	ssize_t got;

	v[1].iov_base = chunk_room(c, &v[1].iov_len);
	if (p->gz != NULL) {
		got = gz_read(p->gz, v[1].iov_base, v[1].iov_len, end);
		return got < 0 ? 0 : got; /* cut off: the end */
	}
	before = chunk_before_room(c); /* it may have moved */
	do
		got = preadv(p->fd, v, 2, (off_t)(end - before.n));
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return 0; /* the filesystem is away: later */
	if ((size_t)got < before.n ||
	    !span_eq(before, (struct span){ again, before.n }))
		return -1;
	return got - (ssize_t)before.n;
}

enum piece_more
piece_more(struct piece *p, struct chunk *c)
{
	ssize_t got = p->fd == -1 ? 0 : read_on(p, c);

	if (got == -1)
		return PIECE_CHANGED;
	chunk_filled(c, (size_t)got);
	return got > 0 ? PIECE_MORE : PIECE_END;
}

static bool
read_before(
    struct piece *p, const struct place *at, char out[CHUNK_CONTEXT], size_t *n)
{
	*n = at->offset < CHUNK_CONTEXT ? (size_t)at->offset : CHUNK_CONTEXT;
	return piece_read(p, out, *n, at->offset - *n) == (ssize_t)*n;
}

bool
piece_begin(struct piece *p, struct chunk *c)
{
	char before[CHUNK_CONTEXT];
	size_t n = 0;
	bool there = p->fd != -1 && read_before(p, &p->at, before, &n);
	struct span context = { before, there ? n : 0 };

	chunk_restart(c, p->at.offset, context);
	return there && (p->at.head_n == 0 || span_hash(context) == p->at.tail);
}

void
piece_settle(struct piece *p, const struct chunk *c)
{
	struct span head = chunk_head(c, PIECE_HEAD);

	p->at.offset = chunk_position(c, &p->at.tail);
	if (head.n > p->at.head_n) {
		p->at.head_n = head.n;
		p->at.head = span_hash(head);
	}
}

bool
piece_same_file(const struct piece *p, const struct place *at)
{
	return p->at.device == at->device && p->at.inode == at->inode;
}

static bool
begins_alike(struct piece *p, const struct place *at)
{
	char head[PIECE_HEAD];

	return at->head_n > 0 && at->head_n <= PIECE_HEAD &&
	    piece_read(p, head, (size_t)at->head_n, 0) == (ssize_t)at->head_n &&
	    span_hash((struct span){ head, (size_t)at->head_n }) == at->head;
}

bool
piece_holds(struct piece *p, const struct place *at)
{
	char before[CHUNK_CONTEXT];
	size_t n;

	return begins_alike(p, at) && read_before(p, at, before, &n) &&
	    span_hash((struct span){ before, n }) == at->tail;
}

bool
piece_is_of(struct piece *p, const struct place *at)
{
	if (p->gz != NULL && at->head_n == PIECE_HEAD)
		return begins_alike(p, at);
	return piece_holds(p, at);
}

void
place_print(const struct place *p, char out[PLACE_TEXT])
{
	snprintf(out, PLACE_TEXT,
	    "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	    " %" PRIu64 " %" PRIu64,
	    p->device, p->inode, p->offset, p->mtime_ns, p->head_n, p->head,
	    p->tail);
}

/* The last four are missing in marks of version 0.1. */
bool
place_parse(struct span text, struct place *p)
{
	uint64_t *const fields[] = { &p->device, &p->inode, &p->offset,
		&p->mtime_ns, &p->head_n, &p->head, &p->tail };
	size_t n = 0;
	bool more = true;

	*p = (struct place){ 0 };
	while (more && n < ARRAY_LEN(fields)) {
		struct span word;

		more = span_split(text, ' ', &word, &text);
		if (!span_number(word, UINT64_MAX, fields[n++]))
			return false;
	}
	return !more && (n == 3 || n == ARRAY_LEN(fields)) &&
	    p->offset <= INT64_MAX && p->head_n <= PIECE_HEAD;
}
