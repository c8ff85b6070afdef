#include "common/address_utf8.h"

#include <string.h>

#include "common/utf8.h"

bool
address_is_ascii(struct span s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all <= 127;
}

/* EmbeddedUnicodeChar = "\x{" 2*6HEXDIG "}", taken off if it stands there. */
static bool
next_embedded(struct span *s, uint32_t *c)
{
	static const char hex[] = "0123456789ABCDEF0123456789abcdef";
	size_t i = 3;

	if (!span_starts(*s, "\\x{"))
		return false;
	for (*c = 0; i < s->n && i < 9; i++) {
		const char *at = s->p[i] != '\0' ? strchr(hex, s->p[i]) : NULL;

		if (at == NULL)
			break;
		*c = *c << 4 | (uint32_t)((at - hex) & 15);
	}
	if (i < 5 || i >= s->n || s->p[i] != '}' || !utf8_is_character(*c))
		return false;
	*s = span_from(*s, i + 1);
	return true;
}

/* QCHAR = "!" to "~" without "\", "+", "=" */
static bool
is_qchar(uint32_t c)
{
	return c > ' ' && c <= '~' && c != '\\' && c != '+' && c != '=';
}

bool
address_utf8_encode(struct span in, bool typed, struct buf *out)
{
	while (in.n > 0) {
		uint32_t c;

		if (!typed || !next_embedded(&in, &c))
			c = utf8_next(&in);
		if (c == UTF8_BAD)
			return false;
		if (is_qchar(c))
			buf_chr(out, (char)c);
		else
			buf_fmt(out, "\\x{%02X}", c);
	}
	return out->err == MTRK_OK;
}

static void
put_character(uint32_t c, struct buf *out)
{
	unsigned shift = c > 0xffff ? 18 : c > 0x7ff ? 12 : c > 0x7f ? 6 : 0;
	static const unsigned char leads[] = { 0, 0xc0, 0xe0, 0xf0 };

	buf_chr(out, (char)(leads[shift / 6] | c >> shift));
	while (shift > 0) {
		shift -= 6;
		buf_chr(out, (char)(0x80 | (c >> shift & 0x3f)));
	}
}

void
address_utf8_decode(struct span in, struct buf *out)
{
	while (in.n > 0) {
		struct span at = in;
		uint32_t c;
		bool embedded = next_embedded(&in, &c);

		if (!embedded)
			c = utf8_next(&in);
		at.n -= in.n;
		if (embedded && (utf8_is_control(c) || c == '\\'))
			buf_span(out, at);
		else if (c == UTF8_BAD || utf8_is_control(c))
			buf_chr(out, '?');
		else
			put_character(c, out);
	}
}
