/*
 * common/when.h -- points in time as text.  Seconds since 1970 UTC.
 */
#ifndef MTRK_COMMON_WHEN_H
#define MTRK_COMMON_WHEN_H

#include "common/err.h"
#include "common/span.h"

#define WHEN_NONE INT64_MIN /* no such time */
enum { WHEN_TEXT = 96 }; /* whatever the year */

/* "Tue, 24 Nov 2026 04:12:05 +0100" (RFC 1123, numeric zone: T12), in the
 * zone of `TZ`. */
void when_rfc5322(int64_t, char out[WHEN_TEXT]);
/* "2026-11-24T03:12:05Z" */
void when_rfc3339(int64_t, char out[WHEN_TEXT]);
/*
 * date-time of RFC 5322 3.3, and its obsolete forms that RFC 3887's examples
 * need: optional day name, one- or two-digit day, any blanks, comments at the
 * end, zone +hhmm, GMT/UT/UTC or the US names.  Four-digit year only.
 * MTRK_SYNTAX.
 */
enum mtrk_err when_parse(struct span, int64_t *out);
/* Days since 1970 of a civil date, proleptic Gregorian; month 1..12. */
int64_t when_from_civil(int year, unsigned month, unsigned day);

#endif
