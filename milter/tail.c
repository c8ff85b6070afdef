#include "milter/tail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "milter/tail_private.h"

static bool
tail_line(void *self, struct span *line)
{
	struct tail *t = self;

	/* older lines first */
	if (t->rested)
		tail_left_behind(t, t->which + 1);
	t->rested = false;
	for (;;) {
		enum piece_more got;

		if (!t->changed && chunk_line(&t->chunk, line)) {
			t->given = true;
			return true;
		}
		got = tail_more(t);
		if (got == PIECE_END && !tail_elsewhere(t))
			return false;
		if (got == PIECE_CHANGED && !tail_broke_off(t))
			return false;
	}
}

static void
tail_mark(void *self, char out[FOLLOW_MARK_MAX])
{
	struct tail *t = self;
	size_t n = 0;

	tail_settle(t);
	t->given = false;
	out[0] = '\0';
	for (size_t i = 0; i < PIECES && tail_is_used(&t->pieces[i].at); i++) {
		char text[PLACE_TEXT];
		const char *between = i > 0 ? ";" : "";

		place_print(&t->pieces[i].at, text);
		n += (size_t)snprintf(
		    out + n, FOLLOW_MARK_MAX - n, "%s%s", between, text);
	}
}

static bool
parse_mark(const char *mark, struct place out[PIECES])
{
	struct span rest = span_of(mark), one;
	bool more = true;

	memset(out, 0, PIECES * sizeof *out);
	for (size_t i = 0; more && i < PIECES; i++) {
		more = span_split(rest, ';', &one, &rest);
		if (!place_parse(one, &out[i]))
			return false;
	}
	return !more;
}

/* From the files that are open, if it is one of them: its name may be gone. */
static struct piece
restore(const struct tail *t, struct piece *open, const struct place *at)
{
	struct piece p;

	for (size_t i = 0; i < PIECES; i++)
		if (open[i].fd != -1 && piece_same_file(&open[i], at)) {
			p = open[i];
			p.at = *at;
			open[i] = NO_PIECE;
			return p;
		}
	tail_find_place(t, at, &p);
	return p;
}

static enum mtrk_err
tail_rewind(void *self, const char *mark)
{
	struct tail *t = self;
	struct place places[PIECES];
	struct piece open[PIECES];

	if (!parse_mark(mark, places))
		return MTRK_SYNTAX;
	memcpy(open, t->pieces, sizeof open);
	for (size_t i = 0; i < PIECES; i++)
		t->pieces[i] = restore(t, open, &places[i]);
	for (size_t i = 0; i < PIECES; i++)
		piece_close(&open[i]);
	if (t->pieces[0].fd != -1)
		t->trouble[0] = '\0';
	t->live = places[0].offset == 0;
	t->rested = true;
	tail_begin(t, 0);
	return MTRK_OK;
}

static const char *
tail_trouble(const void *self)
{
	const struct tail *t = self;

	return t->trouble[0] != '\0' ? t->trouble : NULL;
}

static uint64_t
tail_skipped(const void *self)
{
	const struct tail *t = self;

	return t->chunk.skipped;
}

/* A folder that was mounted meanwhile is another one: watched anew, which
 * costs nothing if it is the same. */
static int
tail_poll_fd(void *self)
{
	struct tail *t = self;

	if (t->notify == -1)
		t->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (t->notify != -1)
		(void)inotify_add_watch(
		    t->notify, t->dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	return t->notify;
}

static void
tail_woken(void *self)
{
	struct tail *t = self;
	char events[4096];

	while (read(t->notify, events, sizeof events) > 0)
		;
}

static void
tail_free(void *self)
{
	struct tail *t = self;

	for (size_t i = 0; i < PIECES; i++)
		piece_close(&t->pieces[i]);
	piece_close(&t->cut);
	if (t->notify != -1)
		close(t->notify);
	chunk_free(&t->chunk);
	free(t);
}

static bool
set_paths(struct tail *t, const char *path)
{
	char *slash;
	int n;

	if (path[0] == '/')
		n = snprintf(t->path, sizeof t->path, "%s", path);
	else if (getcwd(t->dir, sizeof t->dir) == NULL)
		return false;
	else
		n = snprintf(t->path, sizeof t->path, "%s/%s", t->dir, path);
	memcpy(t->dir, t->path, sizeof t->dir);
	slash = strrchr(t->dir, '/');
	slash[slash == t->dir ? 1 : 0] = '\0';
	return n < (int)sizeof t->path;
}

enum mtrk_err
tail_new(const char *path, struct follow_source *out)
{
	static const struct follow_kind kind = {
		.line = tail_line,
		.trouble = tail_trouble,
		.mark = tail_mark,
		.rewind = tail_rewind,
		.skipped = tail_skipped,
		.poll_fd = tail_poll_fd,
		.woken = tail_woken,
		.free = tail_free,
	};
	struct tail *t = calloc(1, sizeof *t);

	if (t == NULL)
		return MTRK_NOMEM;
	t->notify = -1;
	t->cut = NO_PIECE;
	for (size_t i = 0; i < PIECES; i++)
		t->pieces[i] = NO_PIECE;
	*out = (struct follow_source){ &kind, t };
	if (!chunk_init(&t->chunk)) {
		tail_free(t);
		return MTRK_NOMEM;
	}
	if (!set_paths(t, path)) {
		tail_free(t);
		return MTRK_TOOBIG;
	}
	tail_begin(t, 0);
	(void)tail_poll_fd(t); /* before the first look at the file */
	if (access(t->path, R_OK) == -1)
		snprintf(t->trouble, sizeof t->trouble, "%m");
	return MTRK_OK;
}
