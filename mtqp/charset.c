#include "mtqp/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

/* Letters, digits and "-_.:+" only: "//" would be options for iconv. */
static bool
is_name(const char *s)
{
	size_t n = strspn(s,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-_.:+");

	return n > 0 && n < CHARSET_NAME_MAX && s[n] == '\0';
}

/* A state that a text ends in is of no interest to UTF-8, but some charsets
 * keep back a letter until they are told that it was the last. */
static enum mtrk_err
convert(iconv_t cd, struct span text, struct buf *out)
{
	char chunk[256];
	char *in = (char *)text.p; /* iconv does not write there */
	size_t left = text.n;
	bool last = false;

	do {
		char *to = chunk;
		size_t room = sizeof chunk;

		last = left == 0;
		if (iconv(cd, last ? NULL : &in, last ? NULL : &left, &to,
			&room) == (size_t)-1 &&
		    errno != E2BIG)
			return MTRK_SYNTAX;
		buf_add(out, chunk, sizeof chunk - room);
	} while (!last && out->err == MTRK_OK);
	return (enum mtrk_err)out->err;
}

enum mtrk_err
charset_to_utf8(const char *charset, struct span text, struct buf *out)
{
	const size_t before = out->n;
	enum mtrk_err err;
	iconv_t cd;

	if (!is_name(charset))
		return MTRK_NOTFOUND;
	cd = iconv_open("UTF-8", charset);
	/* POSIX says that (iconv_t)-1 means failure */
	if ((uintptr_t)cd == UINTPTR_MAX)
		return errno == ENOMEM ? MTRK_NOMEM : MTRK_NOTFOUND;
	err = convert(cd, text, out);
	iconv_close(cd);
	if (err == MTRK_SYNTAX)
		buf_cut(out, before);
	return err;
}
