/*
 * milter/mta.h -- which MTA wrote a line, told by its tag and its form; every
 * line anew, so that one log may hold both.  Pure.
 */
#ifndef MTRK_MILTER_MTA_H
#define MTRK_MILTER_MTA_H

#include "milter/said.h"

struct mta {
	enum said (*parse)(const struct logline *, struct happening_line *out);
	/* more of the same line; NULL: there never is */
	bool (*next)(struct happening_line *);
};

/* NULL: a line about no queue id.  Whose history it belongs to goes to *id;
 * *part is 0 or the number of a piece of a long line. */
const struct mta *mta_of(
    const struct logline *, struct span *id, unsigned *part);

#endif
