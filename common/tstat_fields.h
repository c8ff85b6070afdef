/*
 * common/tstat_fields.h -- the fields of message/tracking-status, one table
 * for the writer (tstat.c) and the reader (tstat_read.c), so that they cannot
 * disagree.  Private to these two.
 */
#ifndef MTRK_COMMON_TSTAT_FIELDS_H
#define MTRK_COMMON_TSTAT_FIELDS_H

#include "common/tstat.h"

enum tstat_scope { TSTAT_OF_MESSAGE, TSTAT_OF_RECIPIENT };
enum tstat_kind {
	TSTAT_TEXT, /* char * */
	TSTAT_TYPED, /* char *, and the char * of its type */
	TSTAT_ADDRESS, /* the same, which may be of the type utf-8 */
	TSTAT_ACTION, /* enum action */
	TSTAT_STATUS, /* struct status */
	TSTAT_DATE, /* int64_t */
};

/* `at` and `type_at` are offsets into struct tstat_part or tstat_recipient. */
struct tstat_field {
	struct span name;
	enum tstat_scope scope;
	enum tstat_kind kind;
	bool required;
	size_t at, type_at;
};

enum { TSTAT_FIELDS = 10 };
extern const struct tstat_field tstat_fields[TSTAT_FIELDS];

/* What would not be printable ASCII (T4) becomes "?". */
static inline char
tstat_char(char c)
{
	return c >= ' ' && c <= '~' ? c : '?';
}

#endif
