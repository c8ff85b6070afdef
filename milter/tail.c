/*
 * pieces[0] is the file that is read, pieces[1] and on are those that were
 * read before it, the newest first: who writes may hold one of them open for
 * a while after it was renamed.  A piece that is closed is still known by its
 * place, so that its copy or its .gz isn't taken for something new.
 *
 * Files are read in the order of their last change, as it was when each was
 * opened.  So nothing that is unread was changed before the one that is read
 * now was opened.
 */
#include "milter/tail.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/siblings.h"

enum { PIECES = 4 /* ours */ };
static_assert(PIECES * PLACE_TEXT < FOLLOW_MARK_MAX, "all fit into a mark");

struct tail {
	char path[PATH_MAX], dir[PATH_MAX];
	int notify;
	struct piece pieces[PIECES];
	struct piece cut; /* open: was pieces[0] until it was written anew */
	unsigned which; /* whose octets are in the chunk */
	bool changed; /* the place of `which` isn't in its file any more */
	bool given; /* lines since the last mark */
	bool rested; /* there was nothing more when we looked last */
	bool live; /* pieces[0] had the log's name, and nothing in it yet */
	struct chunk chunk;
	char trouble[128];
};

static bool
is_used(const struct place *p)
{
	return p->mtime_ns != 0 || p->inode != 0;
}

static void
settle(struct tail *t)
{
	if (!t->changed)
		piece_settle(&t->pieces[t->which], &t->chunk);
}

static void
begin(struct tail *t, unsigned which)
{
	t->which = which;
	t->changed = !piece_begin(&t->pieces[which], &t->chunk);
}

static bool
is_unlinked(const struct piece *p)
{
	struct stat st;

	return p->fd != -1 && fstat(p->fd, &st) == 0 && st.st_nlink == 0;
}

/* The oldest is forgotten. */
static void
push(struct tail *t, struct piece next)
{
	if (is_used(&t->pieces[0].at)) {
		piece_close(&t->pieces[PIECES - 1]);
		memmove(&t->pieces[1], &t->pieces[0],
		    (PIECES - 1) * sizeof *t->pieces);
	}
	t->pieces[0] = next;
	if (piece_same_file(&t->cut, &next.at) && t->cut.fd != next.fd)
		piece_close(&t->cut);
}

/* It comes after its copy, and before what has the log's name after it. */
static void
push_cut(struct tail *t)
{
	struct piece cut = t->cut;

	t->cut = NO_PIECE;
	push(t, cut);
}

/* Which file has the place now? */
static bool
fits_place(struct sibling *s, void *arg)
{
	const struct place *p = arg;

	if (p->head_n == 0)
		return piece_same_file(&s->piece, p);
	return piece_holds(&s->piece, p);
}

static bool
better_for_place(
    const struct sibling *a, const struct sibling *b, const void *arg)
{
	const struct place *p = arg;
	bool same_a = piece_same_file(&a->piece, p);
	bool same_b = piece_same_file(&b->piece, p);

	if (same_a != same_b)
		return same_b;
	if ((a->piece.gz == NULL) != (b->piece.gz == NULL))
		return b->piece.gz == NULL;
	return b->piece.at.mtime_ns > a->piece.at.mtime_ns;
}

/* Closed, but with its place, if no file has it. */
static bool
find_place(const struct tail *t, const struct place *p, struct piece *out)
{
	struct place copy = *p;
	struct sibling found;

	*out = (struct piece){ .fd = -1, .at = *p };
	if (!is_used(p) ||
	    !siblings_best(
		t->path, fits_place, better_for_place, &copy, &found))
		return false;
	*out = found.piece;
	copy.device = found.piece.at.device;
	copy.inode = found.piece.at.inode;
	out->at = copy;
	return true;
}

static bool
is_known(struct tail *t, struct sibling *s)
{
	for (size_t i = 0; i < PIECES; i++) {
		const struct piece *p = &t->pieces[i];

		if (p->fd != -1 && piece_same_file(p, &s->piece.at))
			return true;
		if (is_used(&p->at) && piece_is_of(&s->piece, &p->at))
			return true;
	}
	return false;
}

/* What was written after the piece that is read now, and isn't read yet. */
static bool
fits_next(struct sibling *s, void *arg)
{
	struct tail *t = arg;
	const struct place *now = &t->pieces[0].at;
	char first;

	if (!s->is_path &&
	    (!is_used(now) || s->piece.at.mtime_ns < now->mtime_ns ||
		piece_read(&s->piece, &first, 1, 0) != 1))
		return false;
	return !is_known(t, s);
}

/* The oldest first; what has the log's own name is the newest. */
static bool
better_next(const struct sibling *a, const struct sibling *b, const void *arg)
{
	(void)arg;
	if (a->is_path != b->is_path)
		return a->is_path;
	if (a->piece.at.mtime_ns != b->piece.at.mtime_ns)
		return b->piece.at.mtime_ns < a->piece.at.mtime_ns;
	return a->piece.gz != NULL && b->piece.gz == NULL;
}

/* The same content under the log's name, as another file: it was mounted
 * again, or put back. */
static bool
is_back(struct tail *t)
{
	struct piece p;
	struct place at = t->pieces[0].at;

	if (at.head_n == 0 || !piece_open(&p, t->path))
		return false;
	if ((t->pieces[0].fd != -1 && piece_same_file(&t->pieces[0], &p.at)) ||
	    !piece_holds(&p, &at)) {
		piece_close(&p);
		return false;
	}
	at.device = p.at.device;
	at.inode = p.at.inode;
	p.at = at;
	piece_close(&t->pieces[0]);
	t->pieces[0] = p;
	t->trouble[0] = '\0';
	return true;
}

/* At the end of pieces[0]: is there a file to go on with?  Once it has lost
 * the log's name it is looked at once more, for what came in between. */
static bool
go_on(struct tail *t)
{
	struct piece *now = &t->pieces[0];
	struct sibling next;
	struct stat st;
	enum piece_more last;

	if (is_unlinked(&t->cut)) {
		settle(t);
		push_cut(t);
		begin(t, 0);
		return true;
	}
	if (stat(t->path, &st) == -1) {
		if (now->fd == -1)
			snprintf(t->trouble, sizeof t->trouble, "%m");
		return false;
	}
	if (now->fd != -1 && now->gz == NULL && st.st_dev == now->at.device &&
	    st.st_ino == now->at.inode)
		return false;
	if (!t->changed && (last = piece_more(now, &t->chunk)) != PIECE_END) {
		settle(t);
		t->changed = last == PIECE_CHANGED;
		return true;
	}
	settle(t);
	if (is_back(t)) {
		begin(t, 0);
		return true;
	}
	errno = EACCES;
	if (!siblings_best(t->path, fits_next, better_next, t, &next)) {
		if (now->fd == -1)
			snprintf(t->trouble, sizeof t->trouble, "%m");
		return false;
	}
	t->trouble[0] = '\0';
	t->live = next.is_path;
	if (next.is_path && t->cut.fd != -1 &&
	    !piece_same_file(&t->cut, &next.piece.at))
		push_cut(t);
	push(t, next.piece);
	begin(t, 0);
	return true;
}

static bool
is_before(struct sibling *s, void *arg)
{
	struct tail *t = arg;

	return !s->is_path && fits_next(s, arg) &&
	    s->piece.at.mtime_ns <= piece_changed_ns(&t->pieces[0]);
}

/* Nothing of this file was seen before: what was in it may have been copied
 * away before we looked, and comes first. */
static void
copied_away(struct tail *t)
{
	struct sibling copy;

	if (!t->live ||
	    !siblings_best(t->path, is_before, better_next, t, &copy))
		return;
	t->live = false;
	piece_close(&t->pieces[0]);
	t->pieces[0] = copy.piece;
	begin(t, 0);
}

/* Cut, or written anew: what was there may have been copied before. */
static bool
find_copy(struct tail *t)
{
	struct place at = t->pieces[0].at;
	struct piece found;

	piece_close(&t->cut);
	t->cut = t->pieces[0];
	t->cut.at = (struct place){
		.device = at.device, .inode = at.inode, .mtime_ns = at.mtime_ns
	};
	t->pieces[0] = (struct piece){ .fd = -1, .at = at };
	if (!find_place(t, &at, &found)) {
		t->changed = true; /* nothing in the chunk counts */
		t->rested = !go_on(t);
		return !t->rested;
	}
	t->pieces[0] = found;
	begin(t, 0);
	return true;
}

static bool
has_grown(struct piece *p)
{
	struct stat st;
	uint64_t seen = p->looked;

	if (p->fd == -1 || p->gz != NULL || fstat(p->fd, &st) == -1)
		return false;
	p->looked = (uint64_t)st.st_size;
	return p->looked > seen && p->looked > p->at.offset;
}

/* Nothing will ever be found there again, and it holds disk space. */
static void
let_go(struct tail *t, struct piece *p)
{
	if (!t->given && is_unlinked(p))
		piece_close(p);
}

/* What came into a file that was left, from pieces[i] on. */
static bool
left_behind(struct tail *t, unsigned i)
{
	for (; i < PIECES; i++) {
		if (has_grown(&t->pieces[i])) {
			settle(t);
			begin(t, i);
			return true;
		}
		let_go(t, &t->pieces[i]);
	}
	return false;
}

/* At the end of one piece. */
static bool
elsewhere(struct tail *t)
{
	if (left_behind(t, t->which + 1))
		return true;
	if (t->which != 0) {
		settle(t);
		begin(t, 0);
		return true;
	}
	t->rested = !go_on(t);
	return !t->rested;
}

static bool
broke_off(struct tail *t)
{
	settle(t);
	if (t->which == 0)
		return find_copy(t);
	piece_close(&t->pieces[t->which]);
	t->changed = true;
	return elsewhere(t);
}

/* It is empty, but something happened to it since it was opened. */
static bool
was_emptied(const struct tail *t)
{
	const struct piece *now = &t->pieces[0];

	return now->fd != -1 && piece_changed_ns(now) != now->at.mtime_ns;
}

static enum piece_more
more(struct tail *t)
{
	bool first = t->chunk.offset == 0 && t->chunk.n == 0;
	enum piece_more got;

	if (t->changed && t->pieces[t->which].fd != -1)
		return PIECE_CHANGED;
	got = piece_more(&t->pieces[t->which], &t->chunk);
	if (first && t->which == 0 &&
	    (got == PIECE_MORE || (got == PIECE_END && was_emptied(t))))
		copied_away(t);
	return got;
}

static bool
tail_line(void *self, struct span *line)
{
	struct tail *t = self;

	/* older lines first */
	if (t->rested)
		left_behind(t, t->which + 1);
	t->rested = false;
	for (;;) {
		enum piece_more got;

		if (!t->changed && chunk_line(&t->chunk, line)) {
			t->given = true;
			return true;
		}
		got = more(t);
		if (got == PIECE_END && !elsewhere(t))
			return false;
		if (got == PIECE_CHANGED && !broke_off(t))
			return false;
	}
}

static void
tail_mark(void *self, char out[FOLLOW_MARK_MAX])
{
	struct tail *t = self;
	size_t n = 0;

	settle(t);
	t->given = false;
	out[0] = '\0';
	for (size_t i = 0; i < PIECES && is_used(&t->pieces[i].at); i++) {
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
	find_place(t, at, &p);
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
	begin(t, 0);
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
	begin(t, 0);
	(void)tail_poll_fd(t); /* before the first look at the file */
	if (access(t->path, R_OK) == -1)
		snprintf(t->trouble, sizeof t->trouble, "%m");
	return MTRK_OK;
}
