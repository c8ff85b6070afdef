/*
 * The reader of message/tracking-status.  It must take RFC 3887's own
 * examples, which break RFC 3886 in eight ways (spec 9.7), so it asks for
 * little: a blank line ends a group, a field is a name and a value, the first
 * of equal fields counts, what it does not know it skips.
 */
#include <string.h>

#include "common/address_utf8.h"
#include "common/tstat_fields.h"

enum {
	FIELD_MAX = 8192, /* ours: a field with its continuations */
};

struct reader {
	struct tstat *out;
	struct tstat_part *part; /* the last of out's */
	struct tstat_recipient *recipient; /* of this group; NULL: none yet */
	struct buf field; /* unfolded */
	size_t recipients;
	enum mtrk_err err; /* the first failure sticks */
};

static bool
is_blank(struct span line)
{
	return span_trim(line).n == 0;
}

/* Up to LF or the end, without LF or CRLF. */
static bool
next_line(struct span *rest, struct span *line)
{
	if (rest->n == 0)
		return false;
	span_split(*rest, '\n', line, rest);
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* The next field, unfolded (T7); false at a blank line, which it takes, and
 * at the end. */
static bool
next_field(struct reader *r, struct span *rest)
{
	struct span line, after;

	if (!next_line(rest, &line) || is_blank(line))
		return false;
	buf_cut(&r->field, 0);
	buf_span(&r->field, line);
	for (after = *rest; next_line(&after, &line) && !is_blank(line) &&
	     (line.p[0] == ' ' || line.p[0] == '\t');
	     *rest = after)
		buf_span(&r->field, line);
	if (r->err == MTRK_OK)
		r->err = (enum mtrk_err)r->field.err;
	return r->err == MTRK_OK;
}

/* "Name: value", "Name:value", and example 9's "Name value". */
static struct span
split_field(const struct buf *field, struct span *value)
{
	struct span name = buf_as_span(field);
	size_t n = 0;

	while (n < name.n && strchr(": \t", name.p[n]) == NULL)
		n++;
	*value = span_trim(span_from(name, n));
	if (value->n > 0 && value->p[0] == ':')
		*value = span_trim(span_from(*value, 1));
	name.n = n;
	return name;
}

/* A word in front of blanks or a comment. */
static struct span
first_word(struct span value)
{
	size_t n = 0;

	while (n < value.n && strchr(" \t(", value.p[n]) == NULL)
		n++;
	value.n = n;
	return value;
}

static void
keep(struct reader *r, void *slot, struct span value)
{
	const char **text = slot;
	char *copy;

	if (*text != NULL || r->err != MTRK_OK)
		return;
	if ((copy = arena_text(&r->out->arena, value)) == NULL) {
		r->err = MTRK_NOMEM;
		return;
	}
	for (size_t i = 0; i < value.n; i++)
		copy[i] = tstat_char(copy[i]);
	*text = copy;
}

/* RFC 6533 3: an address that isn't ASCII, as it is meant. */
static void
keep_utf8(struct reader *r, void *slot, struct span value)
{
	struct buf text = BUF(FIELD_MAX);
	const char **to = slot;

	if (*to != NULL || r->err != MTRK_OK)
		return;
	address_utf8_decode(value, &text);
	*to = tstat_text(r->out, buf_as_span(&text));
	r->err = *to != NULL ? (enum mtrk_err)text.err : MTRK_NOMEM;
	buf_free(&text);
}

static void
keep_typed(struct reader *r, const struct tstat_field *f, char *base,
    struct span value)
{
	struct span type = SPAN(""), text;

	if (*(const char **)(void *)(base + f->at) != NULL)
		return;
	if (span_split(value, ';', &type, &text))
		keep(r, base + f->type_at, span_trim(type));
	else
		text = value;
	if (f->kind == TSTAT_ADDRESS && span_iis(span_trim(type), ADDRESS_UTF8))
		keep_utf8(r, base + f->at, span_trim(text));
	else
		keep(r, base + f->at, span_trim(text));
}

static void
take_field(struct reader *r, const struct tstat_field *f, struct span value)
{
	char *base = f->scope == TSTAT_OF_MESSAGE ? (char *)r->part
						  : (char *)r->recipient;
	void *at = base + f->at;

	switch (f->kind) {
	case TSTAT_TEXT:
		keep(r, at, value);
		break;
	case TSTAT_TYPED:
	case TSTAT_ADDRESS:
		keep_typed(r, f, base, value);
		break;
	case TSTAT_ACTION:
		if (*(enum action *)at == ACTION_NONE)
			*(enum action *)at = action_of(first_word(value));
		break;
	case TSTAT_STATUS:
		if (((struct status *)at)->klass == 0)
			status_parse(first_word(value), at);
		break;
	case TSTAT_DATE:
		if (*(int64_t *)at == WHEN_NONE &&
		    when_parse(value, at) != MTRK_OK)
			*(int64_t *)at = WHEN_NONE;
		break;
	}
}

/* A group is a recipient once it has a recipient's field. */
static bool
need_recipient(struct reader *r)
{
	if (r->recipient != NULL)
		return true;
	if (r->recipients++ == TSTAT_RECIPIENTS_MAX) {
		r->err = MTRK_TOOBIG;
		return false;
	}
	if ((r->recipient = tstat_add_recipient(r->out, r->part)) == NULL)
		r->err = MTRK_NOMEM;
	return r->recipient != NULL;
}

static void
read_group(struct reader *r, struct span *rest)
{
	r->recipient = NULL;
	while (next_field(r, rest)) {
		struct span value, name = split_field(&r->field, &value);
		size_t i = 0;

		while (
		    i < TSTAT_FIELDS && !span_ieq(name, tstat_fields[i].name))
			i++;
		if (i == TSTAT_FIELDS)
			continue;
		if (tstat_fields[i].scope == TSTAT_OF_MESSAGE ||
		    need_recipient(r))
			take_field(r, &tstat_fields[i], value);
	}
}

/* A parameter's value, without its quotes, in `out`. */
static bool
find_parameter(struct span field, const char *wanted, struct buf *out)
{
	struct span piece, rest;

	span_split(field, ';', &piece, &rest);
	while (rest.n > 0) {
		struct span name;

		span_split(rest, '=', &name, &rest);
		rest = span_trim(rest);
		buf_cut(out, 0);
		if (rest.n > 0 && rest.p[0] == '"') {
			span_split(span_from(rest, 1), '"', &piece, &rest);
			buf_span(out, piece);
			span_split(rest, ';', &piece, &rest);
		} else {
			span_split(rest, ';', &piece, &rest);
			buf_span(out, span_trim(piece));
		}
		if (span_iis(span_trim(name), wanted))
			return out->n > 0 && out->err == MTRK_OK;
	}
	return false;
}

/* Header fields up to the blank line; the boundary, if they name one. */
static void
read_header(struct reader *r, struct span *rest, struct buf *boundary)
{
	while (next_field(r, rest)) {
		struct span value, name = split_field(&r->field, &value);

		if (span_iis(name, "Content-Type") &&
		    !find_parameter(value, "boundary", boundary))
			buf_cut(boundary, 0);
	}
}

/* True unless the part says that it is something else (T2). */
static bool
part_header(struct reader *r, struct span *rest)
{
	bool ours = true;

	while (next_field(r, rest)) {
		struct span value, name = split_field(&r->field, &value);

		if (span_iis(name, "Content-Type"))
			ours = span_istarts(value, "message/tracking-status") ||
			    span_istarts(value, "tracking-status");
	}
	return ours;
}

static void
read_part(struct reader *r, struct span body)
{
	if (r->err != MTRK_OK || !part_header(r, &body))
		return;
	if (r->out->n == TSTAT_PARTS_MAX) {
		r->err = MTRK_TOOBIG;
		return;
	}
	if ((r->part = tstat_add_part(r->out)) == NULL)
		r->err = MTRK_NOMEM;
	while (r->err == MTRK_OK && body.n > 0)
		read_group(r, &body);
}

enum delimiter { DELIMITER_NONE, DELIMITER_NEXT, DELIMITER_LAST };

/* RFC 2046 5.1.1.  Without a boundary the first line like one names it. */
static enum delimiter
delimiter_of(struct span line, struct buf *boundary)
{
	line = span_trim(line);
	if (!span_starts(line, "--"))
		return DELIMITER_NONE;
	line = span_from(line, 2);
	if (boundary->n == 0)
		buf_span(boundary, line);
	if (boundary->n == 0 || !span_starts(line, boundary->p))
		return DELIMITER_NONE;
	line = span_from(line, boundary->n);
	if (line.n == 0)
		return DELIMITER_NEXT;
	return span_is(line, "--") ? DELIMITER_LAST : DELIMITER_NONE;
}

static void
read_parts(struct reader *r, struct span rest, struct buf *boundary)
{
	enum delimiter d = DELIMITER_NONE;
	struct span line, body = rest;
	bool inside = false;

	while (d != DELIMITER_LAST && next_line(&rest, &line)) {
		d = delimiter_of(line, boundary);
		if (d == DELIMITER_NONE)
			continue;
		body.n = (size_t)(line.p - body.p);
		if (inside)
			read_part(r, body);
		inside = true;
		body = rest;
	}
	if (inside && d != DELIMITER_LAST)
		read_part(r, body); /* the end is missing */
}

enum mtrk_err
tstat_read(struct span mime, struct tstat *out)
{
	struct reader r = { .out = out, .field = BUF(FIELD_MAX) };
	struct buf boundary = BUF(FIELD_MAX);

	*out = (struct tstat){ 0 };
	read_header(&r, &mime, &boundary);
	if (r.err == MTRK_OK)
		read_parts(&r, mime, &boundary);
	if (r.err == MTRK_OK && out->n == 0)
		r.err = MTRK_SYNTAX;
	buf_free(&boundary);
	buf_free(&r.field);
	return r.err;
}
