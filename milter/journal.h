/*
 * milter/journal.h -- the one door to libsystemd: the lines of systemd's
 * journal, by cursor.
 */
#ifndef MTRK_MILTER_JOURNAL_H
#define MTRK_MILTER_JOURNAL_H

#include "milter/follow_source.h"

/*
 * What was logged with facility mail, in the local journal or in the journal
 * files of `dir` (NULL: the former); each entry as a line with an RFC 3339
 * stamp.  MTRK_NOTFOUND: built without libsystemd; MTRK_IO.
 */
enum mtrk_err journal_new(const char *dir, struct follow_source *out);
/* What it was built with: "libsystemd 252", or "no libsystemd". */
const char *journal_version(void);

#endif
