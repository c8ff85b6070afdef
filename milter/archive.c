#include "milter/archive.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milter/logline.h"
#include "milter/siblings.h"

struct old_log {
	char name[NAME_MAX + 1];
	int64_t first; /* its first line's time */
	int64_t written; /* the file's */
};

struct archive {
	char dir[PATH_MAX];
	struct old_log *logs;
	size_t n, at;
	struct piece piece; /* of logs[at] */
	struct chunk chunk;
	char trouble[NAME_MAX + 128];
};

static bool
open_log(struct archive *a, const char *name)
{
	char path[SIBLINGS_PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", a->dir, name);
	if (piece_open(&a->piece, path) && piece_begin(&a->piece, &a->chunk))
		return true;
	snprintf(a->trouble, sizeof a->trouble, "%.255s: %m", name);
	piece_close(&a->piece);
	return false;
}

static bool
first_time(struct archive *a, int64_t *out)
{
	struct logline_cache cache = { 0 };
	struct logline parsed;
	struct span line;
	int64_t written = (int64_t)(a->piece.at.mtime_ns / 1000000000);

	if (piece_more(&a->piece, &a->chunk) != PIECE_MORE)
		return false;
	while (
	    chunk_line(&a->chunk, &line) || chunk_last_line(&a->chunk, &line))
		if (logline_parse(line, written, &cache, &parsed) == MTRK_OK) {
			*out = parsed.time;
			return true;
		}
	return false;
}

static enum mtrk_err
add(struct archive *a, const char *name)
{
	struct old_log *more = a->logs, *log;

	if ((a->n & (a->n - 1)) == 0) /* full at every power of two */
		more =
		    realloc(a->logs, (a->n == 0 ? 1 : a->n * 2) * sizeof *more);
	if (more == NULL)
		return MTRK_NOMEM;
	a->logs = more;
	log = &more[a->n];
	snprintf(log->name, sizeof log->name, "%s", name);
	log->written = (int64_t)(a->piece.at.mtime_ns / 1000000000);
	a->n += first_time(a, &log->first);
	return MTRK_OK;
}

static int
by_time(const void *x, const void *y)
{
	const struct old_log *a = x, *b = y;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return strcmp(a->name, b->name);
}

static enum mtrk_err
list(struct archive *a)
{
	enum mtrk_err err = MTRK_OK;
	DIR *d = opendir(a->dir);
	struct dirent *e;

	if (d == NULL)
		return MTRK_IO;
	while (err == MTRK_OK && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || e->d_type == DT_DIR ||
		    !open_log(a, e->d_name))
			continue;
		err = add(a, e->d_name);
		piece_close(&a->piece);
	}
	closedir(d);
	if (a->n > 0)
		qsort(a->logs, a->n, sizeof *a->logs, by_time);
	return err;
}

/* More octets of this file, or of the next; false: that was all. */
static bool
fill(struct archive *a)
{
	if (a->piece.fd == -1)
		return open_log(a, a->logs[a->at].name);
	return piece_more(&a->piece, &a->chunk) == PIECE_MORE;
}

static bool
archive_line(void *self, struct span *line)
{
	struct archive *a = self;

	while (a->at < a->n) {
		if (a->piece.fd != -1 && chunk_line(&a->chunk, line))
			return true;
		if (fill(a))
			continue;
		if (a->piece.fd != -1 && chunk_last_line(&a->chunk, line))
			return true;
		if (a->piece.gz != NULL && gz_damaged(a->piece.gz))
			snprintf(a->trouble, sizeof a->trouble,
			    "%s: damaged, or cut off", a->logs[a->at].name);
		piece_close(&a->piece);
		a->at++;
	}
	return false;
}

static bool
archive_ended(const void *self)
{
	const struct archive *a = self;

	return a->at == a->n;
}

static const char *
archive_trouble(const void *self)
{
	const struct archive *a = self;

	return a->trouble[0] != '\0' ? a->trouble : NULL;
}

/* "WHICH OFFSET"; of this reader only: the folder may change. */
static void
archive_mark(void *self, char out[FOLLOW_MARK_MAX])
{
	struct archive *a = self;

	if (a->piece.fd != -1)
		piece_settle(&a->piece, &a->chunk);
	snprintf(out, FOLLOW_MARK_MAX, "%zu %" PRIu64, a->at,
	    a->piece.fd != -1 ? a->piece.at.offset : 0);
}

static enum mtrk_err
archive_rewind(void *self, const char *mark)
{
	struct archive *a = self;
	struct span which, offset;
	uint64_t at, to;

	span_split(span_of(mark), ' ', &which, &offset);
	if (!span_number(which, a->n, &at) ||
	    !span_number(offset, INT64_MAX, &to))
		return MTRK_SYNTAX;
	piece_close(&a->piece);
	a->at = at;
	if (at == a->n || !open_log(a, a->logs[at].name))
		return MTRK_OK;
	a->piece.at.offset = to;
	return piece_begin(&a->piece, &a->chunk) ? MTRK_OK : MTRK_IO;
}

static uint64_t
archive_skipped(const void *self)
{
	const struct archive *a = self;

	return a->chunk.skipped;
}

static int64_t
archive_written(const void *self)
{
	const struct archive *a = self;

	return a->at < a->n ? a->logs[a->at].written : 0;
}

static int
archive_poll_fd(void *self)
{
	(void)self;
	return -1;
}

static void
archive_free(void *self)
{
	struct archive *a = self;

	piece_close(&a->piece);
	chunk_free(&a->chunk);
	free(a->logs);
	free(a);
}

enum mtrk_err
archive_new(const char *dir, struct follow_source *out)
{
	static const struct follow_kind kind = {
		.line = archive_line,
		.ended = archive_ended,
		.trouble = archive_trouble,
		.mark = archive_mark,
		.rewind = archive_rewind,
		.skipped = archive_skipped,
		.written = archive_written,
		.poll_fd = archive_poll_fd,
		.free = archive_free,
	};
	struct archive *a = calloc(1, sizeof *a);
	enum mtrk_err err = MTRK_NOMEM;

	if (a == NULL)
		return err;
	a->piece = NO_PIECE;
	if (!span_copy(a->dir, sizeof a->dir, span_of(dir)))
		err = MTRK_TOOBIG;
	else if (chunk_init(&a->chunk))
		err = list(a);
	if (err != MTRK_OK)
		archive_free(a);
	else
		*out = (struct follow_source){ &kind, a };
	return err;
}
