/*
 * milter/follow.h -- the lines of a mail log, wherever it is: a growing file
 * across rotation, a folder of old logs, the journal, standard input; and
 * how far they were read.  Knows nothing of what the lines mean.
 */
#ifndef MTRK_MILTER_FOLLOW_H
#define MTRK_MILTER_FOLLOW_H

#include "common/err.h"
#include "common/span.h"

struct follow;

enum { FOLLOW_LINE_MAX = 16384, FOLLOW_MARK_MAX = 1024 };

/*
 * Follow `path` from where `mark` says that a follower of the same path was
 * ("": from the start).  "-" is standard input, "journal" systemd's journal,
 * "journal:DIR" the journal files of a folder; a folder is read to its end,
 * each file of it, also gzip, by the time of its first line; all else is a
 * file, which need not be there yet.
 * *out is yours until follow_free(); NULL on failure (MTRK_NOMEM,
 * MTRK_TOOBIG, MTRK_IO, MTRK_NOTFOUND: not built in).
 */
enum mtrk_err follow_new(
    const char *path, const char *mark, struct follow **out);
void follow_free(struct follow **);

/*
 * The next whole line, without its newline; it lives until the next call.
 * Lines longer than FOLLOW_LINE_MAX are left out whole and counted.  False:
 * there is none now.
 */
bool follow_line(struct follow *, struct span *line);
/* At the end of standard input, or of a folder, for good. */
bool follow_ended(const struct follow *);
/* Why the source can't be read now; NULL: it can. */
const char *follow_trouble(const struct follow *);
/* Seconds since 1970 before which the last line was written: for stamps
 * without a year. */
int64_t follow_written(const struct follow *);

/* Where it is: behind the last line that follow_line() gave. */
void follow_mark(const struct follow *, char mark[FOLLOW_MARK_MAX]);
/* Back to a mark: the lines behind it are given again. */
enum mtrk_err follow_rewind(struct follow *, const char *mark);
uint64_t follow_skipped(const struct follow *);

/* Wait until there may be more, at most timeout_ms; also wakes up when
 * other_fd (-1: none) can be read. */
void follow_wait(struct follow *, int other_fd, int timeout_ms);

#endif
