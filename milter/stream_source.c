#include "milter/stream_source.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "milter/chunk.h"

/* Lines that were given since the last mark, each with its newline; those
 * before `again_at` were given again since. */
enum { KEPT_MAX = 64 << 20 /* octets; ours */ };

struct stream_source {
	int fd;
	bool ended;
	struct chunk chunk;
	struct buf kept;
	size_t again_at;
	uint64_t kept_offset; /* of kept's first octet */
};

static bool
fill(struct stream_source *s)
{
	size_t room;
	char *to = chunk_room(&s->chunk, &room);
	struct pollfd ready = { .fd = s->fd, .events = POLLIN };
	ssize_t got;

	if (s->ended || poll(&ready, 1, 0) <= 0)
		return false;
	do
		got = read(s->fd, to, room);
	while (got == -1 && errno == EINTR);
	s->ended = got == 0 || (got == -1 && errno != EAGAIN);
	if (got <= 0)
		return false;
	chunk_filled(&s->chunk, (size_t)got);
	return true;
}

static bool
fresh_line(struct stream_source *s, struct span *line)
{
	do
		if (chunk_line(&s->chunk, line))
			return true;
	while (fill(s));
	return s->ended && chunk_last_line(&s->chunk, line);
}

static bool
stream_line(void *self, struct span *line)
{
	struct stream_source *s = self;
	struct span rest;

	if (s->again_at < s->kept.n) {
		rest = span_from(buf_as_span(&s->kept), s->again_at);
		span_split(rest, '\n', line, &rest);
		s->again_at += line->n + 1;
		return true;
	}
	if (!fresh_line(s, line))
		return false;
	buf_span(&s->kept, *line);
	buf_chr(&s->kept, '\n');
	s->again_at = s->kept.n;
	return true;
}

static bool
stream_ended(const void *self)
{
	const struct stream_source *s = self;

	return s->ended && s->again_at == s->kept.n &&
	    s->chunk.at == s->chunk.n;
}

static const char *
stream_trouble(const void *self)
{
	(void)self;
	return NULL;
}

static void
stream_mark(void *self, char out[FOLLOW_MARK_MAX])
{
	struct stream_source *s = self;

	s->kept_offset += s->again_at;
	buf_drop(&s->kept, s->again_at);
	s->again_at = 0;
	snprintf(out, FOLLOW_MARK_MAX, "%" PRIu64, s->kept_offset);
}

static enum mtrk_err
stream_rewind(void *self, const char *mark)
{
	struct stream_source *s = self;
	uint64_t to;

	if (!span_number(span_of(mark), UINT64_MAX, &to))
		return MTRK_SYNTAX;
	if (to < s->kept_offset || s->kept.err != MTRK_OK)
		return MTRK_NOTFOUND;
	s->again_at = (size_t)(to - s->kept_offset);
	return MTRK_OK;
}

static uint64_t
stream_skipped(const void *self)
{
	const struct stream_source *s = self;

	return s->chunk.skipped;
}

static int
stream_poll_fd(void *self)
{
	const struct stream_source *s = self;

	return s->fd;
}

static void
stream_free(void *self)
{
	struct stream_source *s = self;

	buf_free(&s->kept);
	chunk_free(&s->chunk);
	free(s);
}

enum mtrk_err
stream_source_new(int fd, struct follow_source *out)
{
	static const struct follow_kind kind = {
		.line = stream_line,
		.ended = stream_ended,
		.trouble = stream_trouble,
		.mark = stream_mark,
		.rewind = stream_rewind,
		.skipped = stream_skipped,
		.poll_fd = stream_poll_fd,
		.free = stream_free,
	};
	struct stream_source *s = calloc(1, sizeof *s);

	if (s == NULL)
		return MTRK_NOMEM;
	s->fd = fd;
	s->kept = BUF(KEPT_MAX);
	if (!chunk_init(&s->chunk)) {
		free(s);
		return MTRK_NOMEM;
	}
	*out = (struct follow_source){ &kind, s };
	return MTRK_OK;
}
