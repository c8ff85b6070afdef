/*
 * common/utf8.h -- UTF-8 (RFC 3629), a character at a time.  Pure.
 */
#ifndef MTRK_COMMON_UTF8_H
#define MTRK_COMMON_UTF8_H

#include "common/span.h"

#define UTF8_BAD UINT32_MAX

/* Not a surrogate, and not above U+10FFFF. */
bool utf8_is_character(uint32_t);
bool utf8_is_control(uint32_t); /* C0, DEL, C1 */

/* The first character of *s, which then begins behind it.  Not for an empty
 * span.  UTF8_BAD: there is none, and one octet was skipped; shortest forms
 * only, no surrogates. */
uint32_t utf8_next(struct span *);

/* A string of what fits, ending between two characters; "?" for each octet
 * that is no UTF-8 or is NUL. */
void utf8_copy(char *out, size_t size, struct span);

#endif
