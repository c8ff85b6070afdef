#include "mtqp/encoded_word.h"

#include "common/encode.h"
#include "mtqp/charset.h"

/* Words of one charset that follow each other, decoded to its octets. */
struct run {
	char charset[CHARSET_NAME_MAX];
	struct span
	    as_is; /* from the first one's "=?" to the last one's "?=" */
	struct buf octets;
};

static bool
take_hex(struct span *s, unsigned char *out)
{
	unsigned v = 0;

	for (int i = 0; i < 2; i++, *s = span_from(*s, 1)) {
		static const char digits[] = "0123456789ABCDEFabcdef";
		const char *at = s->n > 0 && s->p[0] != '\0'
		    ? strchr(digits, s->p[0])
		    : NULL;

		if (at == NULL)
			return false;
		v = v << 4 |
		    (unsigned)((at - digits) < 16 ? at - digits
						  : at - digits - 6);
	}
	*out = (unsigned char)v;
	return true;
}

/* RFC 2047 4.2 */
static bool
decode_q(struct span s, struct buf *out)
{
	while (s.n > 0) {
		unsigned char c = (unsigned char)s.p[0];

		s = span_from(s, 1);
		if (c == '_')
			c = ' ';
		else if (c == '=' && !take_hex(&s, &c))
			return false;
		buf_chr(out, (char)c);
	}
	return true;
}

/* RFC 2047 4.1 */
static bool
decode_b(struct span s, struct buf *out)
{
	unsigned char octets[ENCODED_WORD_MAX];
	size_t n;

	if (base64_decode(s, octets, sizeof octets, &n) != MTRK_OK)
		return false;
	buf_add(out, octets, n);
	return true;
}

/* A word at the front of *s, which then begins behind it; its octets are
 * appended.  RFC 2231 5 may name a language behind the charset. */
static bool
take_word(struct span *s, char charset[CHARSET_NAME_MAX], struct buf *octets)
{
	const size_t before = octets->n;
	struct cur c = cur_of(*s);
	struct span name, encoding, text;
	bool ok;

	if (!cur_try(&c, "=?"))
		return false;
	name = cur_until(&c, '?', CHARSET_NAME_MAX);
	encoding = cur_until(&c, '?', 1);
	text = cur_until(&c, '?', ENCODED_WORD_MAX);
	if (!cur_lit(&c, "=") || memchr(text.p, ' ', text.n) != NULL)
		return false;
	span_split(name, '*', &name, &(struct span){ 0 });
	ok = span_copy(charset, CHARSET_NAME_MAX, name) &&
	    (span_iis(encoding, "Q")
		    ? decode_q(text, octets)
		    : span_iis(encoding, "B") && decode_b(text, octets));
	if (ok)
		*s = cur_rest(&c);
	else
		buf_cut(octets, before);
	return ok;
}

static void
end_run(struct run *r, struct buf *out)
{
	if (r->as_is.n > 0 &&
	    charset_to_utf8(r->charset, buf_as_span(&r->octets), out) !=
		MTRK_OK)
		buf_span(out, r->as_is);
	buf_cut(&r->octets, 0);
	r->as_is.n = 0;
}

static struct span
skip_blanks(struct span s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL)
		s = span_from(s, 1);
	return s;
}

/* The word that begins at `at`, in the run or in a new one. */
static bool
add_word(struct run *r, struct span *at, struct buf *out)
{
	const char *from = at->p;
	char charset[CHARSET_NAME_MAX];
	struct buf octets = BUF(ENCODED_WORD_MAX);
	bool ok = take_word(at, charset, &octets);

	if (ok &&
	    (r->as_is.n == 0 || !span_iis(span_of(charset), r->charset))) {
		end_run(r, out);
		memcpy(r->charset, charset, sizeof charset);
		r->as_is.p = from;
	}
	if (ok) {
		buf_span(&r->octets, buf_as_span(&octets));
		r->as_is.n = (size_t)(at->p - r->as_is.p);
	}
	buf_free(&octets);
	return ok;
}

void
encoded_words_decode(struct span s, struct buf *out)
{
	struct run r = { .octets = BUF(out->max) };
	bool word = false; /* what is before *s was one */

	while (s.n > 0) {
		struct span next = word ? skip_blanks(s) : s;

		if (add_word(&r, &next, out)) {
			s = next;
			word = true;
			continue;
		}
		end_run(&r, out);
		word = false;
		buf_chr(out, s.p[0]);
		s = span_from(s, 1);
	}
	end_run(&r, out);
	buf_free(&r.octets);
}
