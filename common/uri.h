/*
 * common/uri.h -- mtqp://host[:port]/track/unique-envid/secret (RFC 3887 9).
 */
#ifndef MTRK_COMMON_URI_H
#define MTRK_COMMON_URI_H

#include "common/err.h"
#include "common/mtrk.h"
#include "common/span.h"

enum {
	MTQP_PORT = 1038, /* RFC 3887 10 */
	HOST_MAX = 255, /* RFC 1035 2.3.4 */
	URI_MAX = 2048, /* ours */
};

struct mtqp_uri {
	char host[HOST_MAX + 1]; /* an IPv6 literal without its brackets */
	uint16_t port; /* 0: none given (A33) */
	char envid[ENVID_MAX + 1]; /* as TRACK sends it: xtext */
	char secret[SECRET_TEXT + 1]; /* base64 as given */
};

/* Percent-decodes envid and secret; "/track/", scheme: any case (Q37).
 * MTRK_SYNTAX, MTRK_TOOBIG. */
enum mtrk_err uri_parse(struct span, struct mtqp_uri *out);
/* For people, static: which part of what uri_parse() refused is missing or
 * wrong. */
const char *uri_fault(struct span);
/* "/", "?", "%" and what RFC 3986 forbids are encoded (Q38).  MTRK_TOOBIG,
 * MTRK_NOMEM. */
enum mtrk_err uri_format(const struct mtqp_uri *, char *out, size_t size);

/* "host", "host:port", "[v6]:port", "v6"; *port 0 when not given.
 * MTRK_SYNTAX, MTRK_TOOBIG. */
enum mtrk_err hostport_parse(
    struct span, char host[HOST_MAX + 1], uint16_t *port);

#endif
