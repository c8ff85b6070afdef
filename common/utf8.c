#include "common/utf8.h"

bool
utf8_is_character(uint32_t c)
{
	return c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

bool
utf8_is_control(uint32_t c)
{
	return c < ' ' || (c >= 0x7f && c <= 0x9f);
}

uint32_t
utf8_next(struct span *s)
{
	static const struct {
		unsigned char mask, bits; /* of the first octet */
		size_t n;
		uint32_t least; /* less is a longer form than needed */
	} rows[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};
	const unsigned char *p = (const unsigned char *)s->p;
	const size_t room = s->n;
	uint32_t c;
	size_t i = 0;

	*s = span_from(*s, 1);
	while (i < ARRAY_LEN(rows) && (p[0] & rows[i].mask) != rows[i].bits)
		i++;
	if (i == ARRAY_LEN(rows) || rows[i].n > room)
		return UTF8_BAD;
	c = p[0] & (unsigned char)~rows[i].mask;
	for (size_t k = 1; k < rows[i].n; k++) {
		if ((p[k] & 0xc0) != 0x80)
			return UTF8_BAD;
		c = c << 6 | (p[k] & 0x3f);
	}
	if (c < rows[i].least || !utf8_is_character(c))
		return UTF8_BAD;
	*s = span_from(*s, rows[i].n - 1);
	return c;
}

void
utf8_copy(char *out, size_t size, struct span s)
{
	size_t n = 0;

	while (s.n > 0) {
		const char *from = s.p;
		uint32_t c = utf8_next(&s);
		size_t length = (size_t)(s.p - from);

		if (n + length >= size)
			break;
		if (c == UTF8_BAD || c == 0)
			from = "?";
		memcpy(out + n, from, length);
		n += length;
	}
	out[n] = '\0';
}
