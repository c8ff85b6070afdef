/*
 * common/encode.h -- xtext (RFC 3461 4) and base64 (RFC 4648 4).
 */
#ifndef MTRK_COMMON_ENCODE_H
#define MTRK_COMMON_ENCODE_H

#include "common/err.h"
#include "common/span.h"

/*
 * Decode xtext into `out` (`size` octets; no NUL is added) and its length
 * into *n.  "+2b" in lower case, a raw "=" and anything outside 33..126 are
 * MTRK_SYNTAX (D2); what does not fit is MTRK_TOOBIG.
 */
enum mtrk_err xtext_decode(struct span, char *out, size_t size, size_t *n);
/* Encode any octets as xtext, NUL-terminated; MTRK_TOOBIG. */
enum mtrk_err xtext_encode(struct span, char *out, size_t size);

/*
 * Decode base64, padded or not (A6, A7); anything else, stray bits
 * included, is MTRK_SYNTAX; what does not fit is MTRK_TOOBIG.
 */
enum mtrk_err base64_decode(
    struct span, unsigned char *out, size_t size, size_t *n);
enum base64_pad { BASE64_UNPADDED, BASE64_PADDED };
/* NUL-terminated; `size` > 4 * ((n + 2) / 3) is always enough. */
enum mtrk_err base64_encode(
    const unsigned char *, size_t n, enum base64_pad, char *out, size_t size);

#endif
