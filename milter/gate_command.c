#include "milter/gate_command.h"

static const struct {
	const char *word;
	enum gate_verb verb;
} verbs[] = {
	{ "EHLO", VERB_EHLO },
	{ "LHLO", VERB_EHLO },
	{ "HELO", VERB_HELO },
	{ "MAIL", VERB_MAIL },
	{ "RCPT", VERB_RCPT },
	{ "DATA", VERB_DATA },
	{ "BDAT", VERB_BDAT },
	{ "RSET", VERB_RSET },
	{ "AUTH", VERB_AUTH },
	{ "STARTTLS", VERB_STARTTLS },
	{ "QUIT", VERB_QUIT },
};

static struct span
first_word(struct span line, struct span *rest)
{
	struct span word;

	line = span_trim(line);
	span_split(line, ' ', &word, rest);
	*rest = span_trim(*rest);
	return word;
}

enum gate_verb
gate_verb_of(struct span line)
{
	struct span rest, word = first_word(line, &rest);

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (span_iis(word, verbs[i].word))
			return verbs[i].verb;
	return VERB_OTHER;
}

bool
gate_is_lhlo(struct span line)
{
	struct span rest;

	return span_iis(first_word(line, &rest), "LHLO");
}

/* Octets up to the bracket that ends the path; a quoted string may hold
 * brackets (RFC 5321 4.1.2). */
static bool
path_end(struct span s, size_t *n)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '>' && !quoted) {
			*n = i;
			return true;
		}
	}
	return false;
}

bool
gate_path(struct span line, struct span *path, struct span *parameters)
{
	struct span rest;
	size_t n;

	first_word(line, &rest);
	if (!span_split(rest, '<', &rest, path) || !path_end(*path, &n) ||
	    (n + 1 < path->n && (unsigned char)path->p[n + 1] > ' '))
		return false;
	*parameters = span_trim(span_from(*path, n + 1));
	path->n = n;
	return span_iis(span_trim(rest), "FROM:") ||
	    span_iis(span_trim(rest), "TO:");
}

bool
gate_parameter(struct span parameters, const char *name, struct span *value)
{
	struct span one, word;

	while (parameters.n > 0) {
		span_split(parameters, ' ', &one, &parameters);
		if (span_split(one, '=', &word, value) && span_iis(word, name))
			return true;
	}
	return false;
}

bool
gate_bdat(struct span line, uint64_t *octets, bool *last)
{
	struct span rest, size, word;

	first_word(line, &rest);
	span_split(rest, ' ', &size, &word);
	word = span_trim(word);
	*last = span_iis(word, "LAST");
	return span_number(size, UINT64_MAX, octets) && (word.n == 0 || *last);
}
