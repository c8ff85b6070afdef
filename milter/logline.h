/*
 * milter/logline.h -- a line of a mail log taken apart: when, which program
 * of which MTA instance, what.  Pure; knows nothing of files, nor of what the
 * words mean.
 */
#ifndef MTRK_MILTER_LOGLINE_H
#define MTRK_MILTER_LOGLINE_H

#include "common/err.h"
#include "common/span.h"

enum { LOG_LINE_MAX = 16384 }; /* ours: Postfix cuts at 2000 or so */

struct logline {
	int64_t time; /* seconds since 1970 UTC */
	struct span name; /* the tag before its first "/": the syslog_name */
	struct span program; /* behind its last "/", or all of it */
	struct span text; /* behind "tag[pid]: " */
};

/* What stays the same from line to line, so that it is not done again; one
 * for each source, zero at first. */
struct logline_cache {
	char stamp[20];
	size_t n;
	int64_t time;
	bool seen; /* `time` is of the line before */
	int64_t epoch; /* of the last line of Sendmail's own file */
};

/*
 * RFC 3164 ("Nov 24 03:28:35 host tag[1]: text", in local time, of the year
 * that is nearest before `now`; also BusyBox's, with "mail.info " behind the
 * host), RFC 3339 stamps, RFC 5424; with or without "<pri>".  And Sendmail's
 * own file ("1795493521.820400 text", or "ID[2]: text", which has the time of
 * the line before): its name and program are "sendmail".
 * MTRK_SYNTAX: not such a line.
 */
enum mtrk_err logline_parse(
    struct span line, int64_t now, struct logline_cache *, struct logline *out);

#endif
