#include "milter/gate_ehlo.h"

#include "common/err.h"

enum { CODE = 4 }; /* "250-" */

/* The keyword of one line, without code and parameters. */
static struct span
keyword_of(struct span line)
{
	struct span word, parameters;

	span_split(span_trim(span_from(line, CODE)), ' ', &word, &parameters);
	while (word.n > 0 && (unsigned char)word.p[word.n - 1] < ' ')
		word.n--; /* the line's end */
	return word;
}

/* One line with its end; false: there is none left. */
static bool
next_line(struct span *reply, struct span *line)
{
	if (reply->n == 0)
		return false;
	if (span_split(*reply, '\n', line, reply))
		line->n++;
	return true;
}

void
ehlo_read(struct span reply, struct ehlo *out)
{
	struct span line;

	*out = (struct ehlo){ 0 };
	next_line(&reply, &line); /* the greeting */
	while (next_line(&reply, &line)) {
		struct span word = keyword_of(line);

		out->dsn = out->dsn || span_iis(word, "DSN");
		out->chunking = out->chunking || span_iis(word, "CHUNKING");
		out->starttls = out->starttls || span_iis(word, "STARTTLS");
	}
}

static bool
is_shown(struct span word, bool starttls)
{
	if (span_iis(word, "STARTTLS"))
		return starttls;
	return !span_iis(word, "XCLIENT") && !span_iis(word, "XFORWARD") &&
	    !span_iis(word, "MTRK");
}

/* Which line is last is known when the next one comes.  What has no place for
 * that, as no line of a reply should, passes as it is. */
static void
put_line(struct buf *out, struct span line, size_t *mark)
{
	bool marked = line.n >= CODE &&
	    (line.p[CODE - 1] == '-' || line.p[CODE - 1] == ' ');

	if (marked && *mark != 0 && out->err == MTRK_OK)
		out->p[*mark] = '-';
	if (marked)
		*mark = out->n + CODE - 1;
	buf_span(out, line);
	if (marked && out->err == MTRK_OK)
		out->p[*mark] = ' ';
}

void
ehlo_write(struct span reply, bool mtrk, bool starttls, struct buf *out)
{
	struct ehlo has;
	struct span line = { NULL, 0 };
	size_t mark = 0;

	ehlo_read(reply, &has);
	next_line(&reply, &line);
	put_line(out, line, &mark);
	while (next_line(&reply, &line))
		if (is_shown(keyword_of(line), starttls))
			put_line(out, line, &mark);
	if (starttls && !has.starttls)
		put_line(out, SPAN("250 STARTTLS\r\n"), &mark);
	if (mtrk)
		put_line(out, SPAN("250 MTRK\r\n"), &mark);
}
