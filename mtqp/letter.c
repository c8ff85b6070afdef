#include "mtqp/letter.h"

#include <string.h>

#include "common/address_utf8.h"
#include "common/mtrk.h"
#include "common/utf8.h"

/* A name and a colon, or what an mbox puts in front.  Behind a line that is
 * neither the header is over, empty line or not, as MTAs have it. */
static bool
begins_field(struct span s)
{
	size_t n = 0, name;

	while (n < s.n && s.p[n] > ' ' && s.p[n] <= '~' && s.p[n] != ':')
		n++;
	for (name = n; n < s.n && (s.p[n] == ' ' || s.p[n] == '\t');)
		n++;
	return span_starts(s, "From ") ||
	    (name > 0 && n < s.n && s.p[n] == ':');
}

/* The next field with its continuations and line ends; false at the body. */
static bool
next_field(struct span *rest, struct span *field)
{
	struct span line, after = *rest;

	*field = (struct span){ rest->p, 0 };
	if (!begins_field(*rest))
		return false;
	do {
		span_split(after, '\n', &line, &after);
		field->n = (size_t)(after.p - field->p);
		if (after.n == 0)
			field->n = rest->n;
	} while (after.n > 0 && (after.p[0] == ' ' || after.p[0] == '\t'));
	*rest = span_from(*rest, field->n);
	return true;
}

static bool
is_field(struct span field, const char *name, struct span *value)
{
	struct span head;

	if (!span_split(field, ':', &head, value) ||
	    !span_iis(span_trim(head), name))
		return false;
	while (value->n > 0 && strchr(" \t\r\n", value->p[0]) != NULL)
		*value = span_from(*value, 1);
	while (
	    value->n > 0 && strchr(" \t\r\n", value->p[value->n - 1]) != NULL)
		value->n--;
	return true;
}

bool
letter_field(struct span message, const char *name, struct span *value)
{
	struct span field;

	while (next_field(&message, &field))
		if (is_field(field, name, value))
			return true;
	*value = SPAN("");
	return false;
}

bool
letter_is_address(struct span s)
{
	if (s.n >= ADDRESS_MAX)
		return false;
	while (s.n > 0) {
		uint32_t c = utf8_next(&s);

		if (c == UTF8_BAD || utf8_is_control(c) || c == '<' || c == '>')
			return false;
	}
	return true;
}

/* One address on its way: `text` outside of "<>", `angle` inside. */
struct parse {
	struct buf text, angle;
	bool in_angle, has_angle;
	bool (*each)(const char *address, void *arg);
	void *arg;
	enum mtrk_err err;
};

/* "," ";" or the end. */
static void
end_address(struct parse *p)
{
	const struct buf *b = p->has_angle ? &p->angle : &p->text;

	bool empty = b->n == 0 && !p->has_angle; /* as in "a,,b" */

	if (!empty &&
	    (p->in_angle || b->err != MTRK_OK || b->n == 0 ||
		!letter_is_address(buf_as_span(b))))
		p->err = MTRK_SYNTAX;
	else if (!empty && !p->each(b->p, p->arg))
		p->err = MTRK_NOMEM;
	buf_cut(&p->text, 0);
	buf_cut(&p->angle, 0);
	p->in_angle = p->has_angle = false;
}

/* A quoted string is part of a local part, or of a display name. */
static struct span
take_quoted(struct parse *p, struct span s)
{
	struct buf *b = p->in_angle ? &p->angle : &p->text;
	size_t n = 1;

	while (n < s.n && s.p[n] != '"')
		n += s.p[n] == '\\' ? 2 : 1;
	if (n >= s.n) {
		p->err = MTRK_SYNTAX;
		return SPAN("");
	}
	buf_add(b, s.p, n + 1);
	return span_from(s, n + 1);
}

static struct span
skip_comment(struct parse *p, struct span s)
{
	unsigned depth = 0;
	size_t n = 0;

	do {
		if (s.p[n] == '\\')
			n++;
		else if (s.p[n] == '(')
			depth++;
		else if (s.p[n] == ')')
			depth--;
		n++;
	} while (n < s.n && depth > 0);
	if (depth > 0)
		p->err = MTRK_SYNTAX;
	return span_from(s, n);
}

static void
take_char(struct parse *p, char c)
{
	switch (c) {
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return;
	case ',':
	case ';':
		if (!p->in_angle) /* in there it is of an old route */
			end_address(p);
		return;
	case '<':
		if (p->has_angle)
			p->err = MTRK_SYNTAX;
		p->in_angle = p->has_angle = true;
		return;
	case '>':
		if (!p->in_angle)
			p->err = MTRK_SYNTAX;
		p->in_angle = false;
		return;
	case ':': /* a group's name, or an old route, ends here */
		if (p->in_angle && p->angle.n > 0 && p->angle.p[0] == '@') {
			buf_cut(&p->angle, 0);
			return;
		}
		if (!p->in_angle && !p->has_angle &&
		    (p->text.n == 0 || strchr(p->text.p, '@') == NULL)) {
			buf_cut(&p->text, 0);
			return;
		}
		break;
	default:
		break;
	}
	buf_chr(p->in_angle ? &p->angle : &p->text, c);
}

enum mtrk_err
letter_addresses(
    struct span s, bool (*each)(const char *address, void *arg), void *arg)
{
	struct parse p = { .text = BUF(8 * ADDRESS_MAX),
		.angle = BUF(8 * ADDRESS_MAX),
		.each = each,
		.arg = arg };

	while (s.n > 0 && p.err == MTRK_OK) {
		if (s.p[0] == '"') {
			s = take_quoted(&p, s);
		} else if (s.p[0] == '(') {
			s = skip_comment(&p, s);
		} else {
			take_char(&p, s.p[0]);
			s = span_from(s, 1);
		}
	}
	if (p.err == MTRK_OK)
		end_address(&p);
	buf_free(&p.text);
	buf_free(&p.angle);
	return p.err;
}

static enum mtrk_err
each_field(struct span message, const char *const names[3], bool *any,
    bool (*each)(const char *address, void *arg), void *arg)
{
	struct span field, value;
	enum mtrk_err err = MTRK_OK;

	while (err == MTRK_OK && next_field(&message, &field))
		for (size_t i = 0; i < 3 && err == MTRK_OK; i++)
			if (is_field(field, names[i], &value)) {
				*any = true;
				err = letter_addresses(value, each, arg);
			}
	return err;
}

enum mtrk_err
letter_recipients(struct span message,
    bool (*each)(const char *address, void *arg), void *arg)
{
	static const char *const resent[] = { "Resent-To", "Resent-Cc",
		"Resent-Bcc" };
	static const char *const first[] = { "To", "Cc", "Bcc" };
	bool any = false;
	enum mtrk_err err = each_field(message, resent, &any, each, arg);

	return err != MTRK_OK || any
	    ? err
	    : each_field(message, first, &any, each, arg);
}

static bool
note_utf8(const char *address, void *arg)
{
	bool *any = arg;

	*any = *any || !address_is_ascii(span_of(address));
	return true;
}

bool
letter_has_utf8_address(struct span message)
{
	static const char *const names[][3] = {
		{ "From", "Sender", "Reply-To" },
		{ "To", "Cc", "Bcc" }, /* Bcc is gone when it is sent */
	};
	bool any = false, ours;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)each_field(message, names[i], &ours, note_utf8, &any);
	return any;
}

void
letter_drop_bcc(struct buf *message)
{
	struct span field, value, rest = buf_as_span(message);
	size_t n = 0;

	while (next_field(&rest, &field))
		if (!is_field(field, "Bcc", &value) &&
		    !is_field(field, "Resent-Bcc", &value)) {
			memmove(message->p + n, field.p, field.n);
			n += field.n;
		}
	if (rest.n > 0)
		memmove(message->p + n, rest.p, rest.n);
	buf_cut(message, n + rest.n);
}

struct span
letter_to_dot(struct span message)
{
	struct span line, rest = message;

	while (rest.n > 0) {
		span_split(rest, '\n', &line, &rest);
		if (span_is(line, ".") || span_is(line, ".\r"))
			return (struct span){ message.p,
				(size_t)(line.p - message.p) };
	}
	return message;
}
