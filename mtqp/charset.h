/*
 * mtqp/charset.h -- from any charset to UTF-8: the one door to iconv.
 */
#ifndef MTRK_MTQP_CHARSET_H
#define MTRK_MTQP_CHARSET_H

#include "common/err.h"
#include "common/span.h"

enum { CHARSET_NAME_MAX = 64 /* octets of a charset's name; ours */ };

/*
 * Append `text` to `out`.  MTRK_NOTFOUND: no such charset; MTRK_SYNTAX: the
 * text is none of it; MTRK_TOOBIG, MTRK_NOMEM as of `out`, which keeps what it
 * had in all these cases.
 */
enum mtrk_err charset_to_utf8(
    const char *charset, struct span text, struct buf *out);

#endif
