/*
 * milter/tail_private.h -- what tail.c and tail_next.c share: the files of a
 * log that are read or were, and which of them comes next.
 *
 * pieces[0] is the file that is read, pieces[1] and on are those that were
 * read before it, the newest first: who writes may hold one of them open for
 * a while after it was renamed.  A piece that is closed is still known by its
 * place, so that its copy or its .gz isn't taken for something new.
 *
 * Files are read in the order of their last change, as it was when each was
 * opened.  So nothing that is unread was changed before the one that is read
 * now was opened.
 */
#ifndef MTRK_MILTER_TAIL_PRIVATE_H
#define MTRK_MILTER_TAIL_PRIVATE_H

#include <assert.h>
#include <limits.h>

#include "milter/follow.h"
#include "milter/piece.h"

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

bool tail_is_used(const struct place *);
/* Take the place over from the chunk, before another piece is begun. */
void tail_settle(struct tail *);
void tail_begin(struct tail *, unsigned which);
/* Which file has the place?  Closed, but with its place, if none has. */
bool tail_find_place(
    const struct tail *, const struct place *, struct piece *out);

/* What follows in the piece that is read. */
enum piece_more tail_more(struct tail *);
/* At its end, or where it isn't any more what was read: true, there is
 * another to go on with. */
bool tail_elsewhere(struct tail *);
bool tail_broke_off(struct tail *);
/* What came into a file that was left, from pieces[i] on. */
bool tail_left_behind(struct tail *, unsigned i);

#endif
