/*
 * common/stream.h -- a line protocol's client side: a TCP connection, read by
 * line, with TLS when asked.  Every call waits, bounded by the timeout given at
 * stream_connect().
 */
#ifndef MTRK_COMMON_STREAM_H
#define MTRK_COMMON_STREAM_H

#include "common/err.h"
#include "common/span.h"
#include "common/tls.h"

enum {
	STREAM_LINE_MAX = 4096, /* octets before CRLF; ours */
	STREAM_CONNECT_S = 20, /* enough for a host that is there; ours */
};

struct stream;

/* Tries every address of the host, for `connect_s` altogether.  On failure *out
 * is NULL and `why` says what went wrong, for people: MTRK_NOTFOUND no such
 * host, MTRK_IO, MTRK_NOMEM. */
enum mtrk_err stream_connect(const char *host, uint16_t port,
    unsigned connect_s, unsigned timeout_s, struct stream **out, char *why,
    size_t why_size);
/* From now on so many seconds for all that is still to come: a peer that
 * drips can't make it longer. */
void stream_within(struct stream *, unsigned seconds);
/*
 * The next line without its CRLF (a bare LF ends one too); the bytes live
 * until the next call.  MTRK_NOTFOUND: the peer closed; MTRK_BUSY: timeout;
 * MTRK_TOOBIG; MTRK_IO.
 */
enum mtrk_err stream_line(struct stream *, struct span *line);
/* MTRK_BUSY: timeout; MTRK_IO; stream_fmt(): MTRK_NOMEM, MTRK_TOOBIG too. */
enum mtrk_err stream_write(struct stream *, struct span);
enum mtrk_err stream_fmt(struct stream *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
/* MTRK_DENIED if octets were received and not yet read as lines (A44);
 * MTRK_IO: no handshake, in `why`.  `name` as tls_connecting() takes it. */
enum mtrk_err stream_starttls(struct stream *, struct tls_ctx *,
    const char *name, char *why, size_t why_size);
const struct tls *stream_tls(const struct stream *); /* NULL: in clear */
void stream_close(struct stream **);

#endif
