#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "milter/siblings.h"
#include "milter/tail_private.h"

bool
tail_is_used(const struct place *p)
{
	return p->mtime_ns != 0 || p->inode != 0;
}

void
tail_settle(struct tail *t)
{
	if (!t->changed)
		piece_settle(&t->pieces[t->which], &t->chunk);
}

void
tail_begin(struct tail *t, unsigned which)
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
	if (tail_is_used(&t->pieces[0].at)) {
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
bool
tail_find_place(const struct tail *t, const struct place *p, struct piece *out)
{
	struct place copy = *p;
	struct sibling found;

	*out = (struct piece){ .fd = -1, .at = *p };
	if (!tail_is_used(p) ||
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
		if (tail_is_used(&p->at) && piece_is_of(&s->piece, &p->at))
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
	    (!tail_is_used(now) || s->piece.at.mtime_ns < now->mtime_ns ||
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

static bool
is_open_as(const struct piece *before, const struct piece *p)
{
	return before->fd != -1 && piece_same_file(before, &p->at);
}

/* Which piece's file is this, or its copy?  PIECES: none. */
static size_t
read_before_as(const struct tail *t, struct piece *p)
{
	size_t i = 0;

	while (i < PIECES && !is_open_as(&t->pieces[i], p) &&
	    !(t->pieces[i].at.head_n > 0 && piece_holds(p, &t->pieces[i].at)))
		i++;
	return i;
}

static void
bring_forward(struct tail *t, size_t i, struct piece p)
{
	uint64_t newest = t->pieces[0].at.mtime_ns;
	struct place at = t->pieces[i].at;

	at.device = p.at.device;
	at.inode = p.at.inode;
	if (at.mtime_ns < newest)
		at.mtime_ns = newest;
	p.at = at;
	piece_close(&t->pieces[i]);
	memmove(&t->pieces[1], &t->pieces[0], i * sizeof *t->pieces);
	t->pieces[0] = p;
	t->live = at.offset == 0;
	t->trouble[0] = '\0';
}

/* The log's own name is again of what was read before: it was mounted again, or
 * put back, or what hid it is gone. */
static bool
is_back(struct tail *t)
{
	struct piece p;
	size_t i;

	if (!piece_open(&p, t->path))
		return false;
	i = is_open_as(&t->pieces[0], &p) ? PIECES : read_before_as(t, &p);
	if (i == PIECES) {
		piece_close(&p);
		return false;
	}
	bring_forward(t, i, p);
	return true;
}

/* With errno. */
static bool
nothing(struct tail *t)
{
	if (t->pieces[0].fd == -1)
		snprintf(t->trouble, sizeof t->trouble, "%m");
	return false;
}

/* What was written after it, whatever it is called. */
static bool
take_next(struct tail *t)
{
	struct sibling next;

	errno = EACCES;
	if (!siblings_best(t->path, fits_next, better_next, t, &next))
		return nothing(t);
	t->trouble[0] = '\0';
	t->live = next.is_path;
	if (next.is_path && t->cut.fd != -1 &&
	    !piece_same_file(&t->cut, &next.piece.at))
		push_cut(t);
	push(t, next.piece);
	return true;
}

/* At the end of pieces[0]: is there a file to go on with?  Once it has lost
 * the log's name it is looked at once more, for what came in between. */
static bool
go_on(struct tail *t)
{
	struct piece *now = &t->pieces[0];
	struct stat st;
	enum piece_more last;

	if (is_unlinked(&t->cut)) {
		tail_settle(t);
		push_cut(t);
		tail_begin(t, 0);
		return true;
	}
	if (stat(t->path, &st) == -1)
		return nothing(t);
	if (now->fd != -1 && now->gz == NULL && st.st_dev == now->at.device &&
	    st.st_ino == now->at.inode)
		return false;
	if (!t->changed && (last = piece_more(now, &t->chunk)) != PIECE_END) {
		tail_settle(t);
		t->changed = last == PIECE_CHANGED;
		return true;
	}
	tail_settle(t);
	if (!is_back(t) && !take_next(t))
		return false;
	tail_begin(t, 0);
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
	tail_begin(t, 0);
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
	if (!tail_find_place(t, &at, &found)) {
		t->changed = true; /* nothing in the chunk counts */
		t->rested = !go_on(t);
		return !t->rested;
	}
	t->pieces[0] = found;
	tail_begin(t, 0);
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
bool
tail_left_behind(struct tail *t, unsigned i)
{
	for (; i < PIECES; i++) {
		if (has_grown(&t->pieces[i])) {
			tail_settle(t);
			tail_begin(t, i);
			return true;
		}
		let_go(t, &t->pieces[i]);
	}
	return false;
}

/* At the end of one piece. */
bool
tail_elsewhere(struct tail *t)
{
	if (tail_left_behind(t, t->which + 1))
		return true;
	if (t->which != 0) {
		tail_settle(t);
		tail_begin(t, 0);
		return true;
	}
	t->rested = !go_on(t);
	return !t->rested;
}

bool
tail_broke_off(struct tail *t)
{
	tail_settle(t);
	if (t->which == 0)
		return find_copy(t);
	piece_close(&t->pieces[t->which]);
	t->changed = true;
	return tail_elsewhere(t);
}

/* It is empty, but something happened to it since it was opened. */
static bool
was_emptied(const struct tail *t)
{
	const struct piece *now = &t->pieces[0];

	return now->fd != -1 && piece_changed_ns(now) != now->at.mtime_ns;
}

enum piece_more
tail_more(struct tail *t)
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
