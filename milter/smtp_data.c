#include "milter/smtp_data.h"

#include <string.h>

void
smtp_data_start(struct smtp_data *d)
{
	*d = (struct smtp_data){ .last = { '\r', '\n' } };
}

static void
pass(struct smtp_data *d, struct span bytes, struct buf *out)
{
	buf_span(out, bytes);
	if (bytes.n >= 2)
		memcpy(d->last, bytes.p + bytes.n - 2, 2);
	else if (bytes.n == 1) {
		d->last[0] = d->last[1];
		d->last[1] = (unsigned char)bytes.p[0];
	}
}

static bool
ends_line(unsigned char c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

/* The first dot at what anybody could call a line's beginning; in.n if there
 * is none. */
static size_t
find_dot(const struct smtp_data *d, struct span in)
{
	const char *p = in.p, *end = in.p + in.n;

	for (; p < end && (p = memchr(p, '.', (size_t)(end - p))) != NULL; p++)
		if (ends_line(p == in.p ? d->last[1] : (unsigned char)p[-1]))
			return (size_t)(p - in.p);
	return in.n;
}

static bool
behind_crlf(const struct smtp_data *d)
{
	return d->last[0] == '\r' && d->last[1] == '\n';
}

/* `in` begins with such a dot.  0: more must be seen. */
static size_t
pass_dot(struct smtp_data *d, struct span in, struct buf *out)
{
	bool crlf = in.n >= 3 && in.p[1] == '\r' && in.p[2] == '\n';

	if (in.n < 2 || (in.n < 3 && in.p[1] == '\r'))
		return 0;
	if (crlf && behind_crlf(d)) {
		d->over = true;
		pass(d, (struct span){ in.p, 3 }, out);
		return 3;
	}
	if (ends_line((unsigned char)in.p[1]))
		buf_chr(out, '.');
	pass(d, (struct span){ in.p, 1 }, out);
	return 1;
}

size_t
smtp_data_pass(struct smtp_data *d, struct span in, struct buf *out)
{
	size_t used = 0, n;

	while (used < in.n && !d->over) {
		struct span rest = span_from(in, used);

		if ((n = find_dot(d, rest)) > 0)
			pass(d, (struct span){ rest.p, n }, out);
		else if ((n = pass_dot(d, rest, out)) == 0)
			break;
		used += n;
	}
	return used;
}
