/*
 * common/address_utf8.h -- the address type "utf-8" (RFC 6533 3) in its form
 * for 7-bit channels, utf-8-addr-xtext: "j\x{F6}rg@example.org".
 */
#ifndef MTRK_COMMON_ADDRESS_UTF8_H
#define MTRK_COMMON_ADDRESS_UTF8_H

#include "common/err.h"
#include "common/span.h"

#define ADDRESS_UTF8 "utf-8" /* in any case */

bool address_is_ascii(struct span);

/*
 * Append it as utf-8-addr-xtext.  `typed`: it is of the type already, so that
 * what is \x{HEX} in it stays; else a "\" is one.  False: it isn't UTF-8, or
 * out->max is reached; `out` may then hold a part of it.
 */
bool address_utf8_encode(struct span, bool typed, struct buf *out);

/*
 * Append any form of it as UTF-8 that can be shown: \x{HEX} of a control
 * character or of "\" stays as it is, what isn't UTF-8 becomes "?".
 */
void address_utf8_decode(struct span, struct buf *out);

#endif
