#include "common/lines.h"

#include <string.h>

/* All up to CRLF; a last CR stays, since its LF may follow. */
static size_t
discard(struct lines *l, struct span in)
{
	int at = span_find(in, "\r\n");

	if (at >= 0) {
		l->discarding = false;
		return (size_t)at + 2;
	}
	return in.n > 0 && in.p[in.n - 1] == '\r' ? in.n - 1 : in.n;
}

static enum line
refuse(struct lines *l, enum line fault)
{
	l->discarding = true;
	return fault;
}

enum line
lines_next(struct lines *l, struct span in, size_t *used, struct span *line)
{
	const char *lf;
	size_t n;

	*used = l->discarding ? discard(l, in) : 0;
	if (l->discarding)
		return LINE_MORE;
	in = span_from(in, *used);
	lf = in.n > 0 ? memchr(in.p, '\n', in.n) : NULL;
	n = lf != NULL ? (size_t)(lf - in.p) + 1 : in.n;
	if (n > l->max + 2 || (lf == NULL && n == l->max + 2))
		return refuse(l, LINE_TOO_LONG);
	if (lf == NULL)
		return LINE_MORE;
	*used += n;
	if (n < 2 || lf[-1] != '\r')
		return refuse(l, LINE_BARE_LF);
	*line = (struct span){ in.p, n - 2 };
	return LINE_OK;
}
