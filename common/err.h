/*
 * common/err.h -- how things end, in order of whose fault it is.
 *
 * Every function that can fail returns one of these.  Words of a protocol,
 * exit statuses and texts for people are made from them at the edge, once.
 */
#ifndef MTRK_COMMON_ERR_H
#define MTRK_COMMON_ERR_H

enum mtrk_err {
	MTRK_OK,
	MTRK_NOTFOUND, /* nobody's: no such thing; the caller decides */
	MTRK_SYNTAX, /* the peer's: does not match the grammar */
	MTRK_TOOBIG, /* the peer's: grammar fine, a limit is not */
	MTRK_DENIED, /* the peer's: secret does not fit, or not allowed */
	MTRK_BUSY, /* ours, may pass: try again later, or too slow */
	MTRK_FULL, /* ours, may pass: map or disk is full */
	MTRK_IO, /* ours, may pass: the system said no; errno is kept */
	MTRK_NOMEM, /* ours, may pass: no memory */
	MTRK_CORRUPT, /* ours, stays: stored bytes do not decode */
	MTRK_FORMAT, /* ours, stays: written in another format version */
	MTRK_ERR_COUNT
};

/* A few words for people, never NULL. */
const char *mtrk_err_text(enum mtrk_err);

#endif
