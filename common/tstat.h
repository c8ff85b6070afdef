/*
 * common/tstat.h -- message/tracking-status in multipart/related (RFC 3886):
 * what one answer to TRACK says, written and read.
 */
#ifndef MTRK_COMMON_TSTAT_H
#define MTRK_COMMON_TSTAT_H

#include "common/arena.h"
#include "common/err.h"
#include "common/span.h"
#include "common/status.h"
#include "common/when.h"

/* Strings are NULL when absent; they are literals or as long-lived as the
 * struct tstat, see tstat_text().  "_type" is the part before the ";". */
struct tstat_recipient {
	const char *original_type, *original; /* T13 */
	const char *final_type, *final; /* T14 */
	enum action action; /* T15 */
	struct status status; /* T16 */
	const char *remote_type, *remote_mta; /* T17 */
	int64_t last_attempt; /* T18; WHEN_NONE when absent */
	int64_t will_retry_until; /* T19 */
};

struct tstat_part { /* one message/tracking-status */
	const char *envid; /* T10: decoded, case kept */
	const char *reporting_type, *reporting_mta; /* T11 */
	int64_t arrival; /* T12 */
	struct tstat_recipient *recipients; /* T5: at least one */
	size_t n;
};

struct tstat { /* the multipart/related */
	struct tstat_part *parts;
	size_t n;
	struct arena arena; /* all of it is there */
};

/*
 * Append the MIME body part that follows "+OK+": header, blank line, parts,
 * CRLF line ends, no dot-stuffing.  7bit, lines <= 998 (T4, A27); what is not
 * printable ASCII in a value is replaced by "?".  The generator is strict:
 * MTRK_SYNTAX if a REQUIRED field is absent, Will-Retry-Until and
 * Last-Attempt-Date and Remote-MTA only where T17-T19 allow them.
 */
enum mtrk_err tstat_write(const struct tstat *, struct buf *out);

/*
 * Read such a body part (CRLF or LF), as leniently as spec 9.7 asks: any
 * order, folded fields, comments behind Status, no blank behind the colon, a
 * missing colon behind Status, short or unquoted type, odd boundary, missing
 * fields (NULL, ACTION_NONE, WHEN_NONE).  *out is yours until tstat_free(),
 * also on failure.  Bounded: TSTAT_PARTS_MAX, TSTAT_RECIPIENTS_MAX.
 */
enum { TSTAT_PARTS_MAX = 64, TSTAT_RECIPIENTS_MAX = 100000 }; /* ours */
enum mtrk_err tstat_read(struct span mime, struct tstat *out);

void tstat_free(struct tstat *); /* leaves it empty */
/* A new last part or recipient, zeroed with times WHEN_NONE; NULL: memory. */
struct tstat_part *tstat_add_part(struct tstat *);
struct tstat_recipient *tstat_add_recipient(
    struct tstat *, struct tstat_part *);
/* A copy that lasts until tstat_free(); NULL: memory. */
const char *tstat_text(struct tstat *, struct span);
/* Removes the recipients that tstat_write() would refuse. */
void tstat_drop_unsound(struct tstat_part *);
/* Would it write this recipient of this part? */
bool tstat_is_sound(const struct tstat_part *, const struct tstat_recipient *);

#endif
