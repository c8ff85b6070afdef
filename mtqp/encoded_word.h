/*
 * mtqp/encoded_word.h -- what people read in a Subject (RFC 2047): "=?utf-8?Q?
 * caf=C3=A9?=".  Pure.
 */
#ifndef MTRK_MTQP_ENCODED_WORD_H
#define MTRK_MTQP_ENCODED_WORD_H

#include "common/span.h"

/* of one word's text; RFC 2047 2 says 75 for all of it, senders don't. */
enum { ENCODED_WORD_MAX = 1000 };

/*
 * Append the text as UTF-8.  Words that are not as the RFC wants them, of a
 * charset that nobody knows, or not of their charset stay as they are; blanks
 * between two words go.  A letter that was cut into two words is whole again.
 */
void encoded_words_decode(struct span text, struct buf *out);

#endif
