/*
 * milter/smtp_data.h -- where the content behind DATA ends (RFC 5321 4.5.2),
 * so that nobody who reads it later can see another end.  Pure.
 *
 * Only CRLF "." CRLF ends it.  A line that another reader could take for that
 * ("." with a bare LF, a bare CR or a NUL on either side) gets a second dot in
 * front, which makes it content for everybody.  All other octets pass as they
 * are.
 */
#ifndef MTRK_MILTER_SMTP_DATA_H
#define MTRK_MILTER_SMTP_DATA_H

#include "common/span.h"

struct smtp_data {
	unsigned char last[2]; /* octets before what comes next */
	bool over;
};

void smtp_data_start(struct smtp_data *); /* behind the 354 */
/*
 * Copies what is certain to `out` and returns how many octets that was; a few
 * at the end may have to be shown again, with more behind them.  Stops behind
 * the end, and `over` is true then.
 */
size_t smtp_data_pass(struct smtp_data *, struct span in, struct buf *out);

#endif
