#include "common/encode.h"

#include <string.h>

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char hex[] = "0123456789ABCDEF";

/* xchar = any ASCII between "!" and "~" but "+" and "=" */
static bool
is_xchar(char c)
{
	return c >= '!' && c <= '~' && c != '+' && c != '=';
}

static int
digit(char c)
{
	const char *at = c != '\0' ? strchr(hex, c) : NULL;

	return at != NULL ? (int)(at - hex) : -1;
}

/* hexchar = "+" and two upper-case hexadecimal digits */
static int
hexchar(struct span in, size_t at)
{
	int high, low;

	if (in.p[at] != '+' || in.n - at < 3 ||
	    (high = digit(in.p[at + 1])) < 0 || (low = digit(in.p[at + 2])) < 0)
		return -1;
	return high * 16 + low;
}

/* xtext = *( xchar / hexchar )	; RFC 3461 4 */
enum mtrk_err
xtext_decode(struct span in, char *out, size_t size, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < in.n; i++) {
		int c = (unsigned char)in.p[i];

		if (!is_xchar(in.p[i])) {
			c = hexchar(in, i);
			i += 2;
		}
		if (c < 0)
			return MTRK_SYNTAX;
		if (*n == size)
			return MTRK_TOOBIG;
		out[(*n)++] = (char)c;
	}
	return MTRK_OK;
}

enum mtrk_err
xtext_encode(struct span in, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];
		bool plain = is_xchar(in.p[i]);

		if (n + (plain ? 1 : 3) >= size)
			return MTRK_TOOBIG;
		if (plain) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '+';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	if (n >= size)
		return MTRK_TOOBIG;
	out[n] = '\0';
	return MTRK_OK;
}

/* Without its padding, if that is of the right length; else as it is. */
static struct span
unpadded(struct span in)
{
	if (in.n == 0 || in.n % 4 != 0)
		return in;
	for (int i = 0; i < 2 && in.p[in.n - 1] == '='; i++)
		in.n--;
	return in;
}

/* Its place in the alphabet; -1: none. */
static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum mtrk_err
base64_decode(struct span in, unsigned char *out, size_t size, size_t *n)
{
	unsigned bits = 0, have = 0;

	*n = 0;
	in = unpadded(in);
	if (in.n % 4 == 1)
		return MTRK_SYNTAX;
	for (size_t i = 0; i < in.n; i++) {
		int v = sextet(in.p[i]);

		if (v < 0)
			return MTRK_SYNTAX;
		bits = bits << 6 | (unsigned)v;
		have += 6;
		if (have < 8)
			continue;
		if (*n == size)
			return MTRK_TOOBIG;
		have -= 8;
		out[(*n)++] = (unsigned char)(bits >> have);
		bits &= (1u << have) - 1;
	}
	return bits == 0 ? MTRK_OK : MTRK_SYNTAX;
}

enum mtrk_err
base64_encode(const unsigned char *in, size_t n, enum base64_pad pad, char *out,
    size_t size)
{
	size_t o = 0,
	       length =
		   pad == BASE64_PADDED ? 4 * ((n + 2) / 3) : (4 * n + 2) / 3;

	if (size <= length)
		return MTRK_TOOBIG;
	for (size_t i = 0; i < n; i += 3) {
		unsigned left = n - i < 3 ? (unsigned)(n - i) : 3;
		unsigned v = (unsigned)in[i] << 16 |
		    (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
		    (left > 2 ? (unsigned)in[i + 2] : 0);

		for (unsigned k = 0; k < 4; k++) {
			if (k <= left)
				out[o++] = base64[v >> (18 - 6 * k) & 63];
			else if (pad == BASE64_PADDED)
				out[o++] = '=';
		}
	}
	out[o] = '\0';
	return MTRK_OK;
}
