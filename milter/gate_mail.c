#include "milter/gate_mail.h"

#include "common/encode.h"
#include "common/mtrk.h"
#include "milter/gate_command.h"

enum {
	AUTH_VALUE_MAX = 500, /* RFC 4954 5(5) */
	CARRIER_MAX = 3 * MTRK_TEXT + 8, /* of MTRK's value, as xtext */
};

struct found {
	unsigned marks;
	struct span mark, envid, auth; /* values */
	struct span mark_at, auth_at; /* the whole parameters */
};

static void
look_at(struct span parameter, struct found *f)
{
	struct span word, value = { parameter.p + parameter.n, 0 };

	span_split(parameter, '=', &word, &value);
	if (span_iis(word, "MTRK")) {
		f->marks++;
		f->mark = value;
		f->mark_at = parameter;
	} else if (span_iis(word, "ENVID")) {
		f->envid = value;
	} else if (span_iis(word, "AUTH") && f->auth_at.p == NULL) {
		f->auth = value;
		f->auth_at = parameter;
		if (span_istarts(value, "MTRK=") ||
		    span_istarts(value, "MTRK+3D"))
			f->marks++; /* the carrier, by the client itself */
	}
}

static void
look_at_all(struct span parameters, struct found *f)
{
	struct span one;

	while (parameters.n > 0) {
		span_split(parameters, ' ', &one, &parameters);
		look_at(one, f);
	}
}

static const char *
check(const struct found *f)
{
	char envid[ENVID_MAX + 1];
	const char *why = NULL;
	struct mtrk mtrk;

	if (f->marks > 1)
		return "MTRK is given twice";
	if (f->envid.p == NULL)
		return "MTRK needs ENVID"; /* S22 */
	if (mtrk_parse(f->mark, &mtrk, &why) == MTRK_OK)
		envid_parse(f->envid, envid, &why);
	return why;
}

/* "<>" says as little as no AUTH= at all (RFC 4954 5). */
static bool
auth_is_kept(const struct found *f, size_t carrier)
{
	char decoded[AUTH_VALUE_MAX];
	size_t n;

	return f->auth.n > 0 && !span_is(f->auth, "<>") &&
	    carrier + 1 + f->auth.n <= AUTH_VALUE_MAX &&
	    xtext_decode(f->auth, decoded, sizeof decoded, &n) == MTRK_OK;
}

static void
put_carrier(const struct found *f, struct buf *out)
{
	char value[CARRIER_MAX];
	size_t before = out->n;

	if (xtext_encode(f->mark, value, sizeof value) != MTRK_OK)
		value[0] = '\0'; /* can't be: it was parsed */
	buf_str(out, "AUTH=MTRK+3D");
	buf_str(out, value);
	if (auth_is_kept(f, out->n - before)) {
		buf_chr(out, ';');
		buf_span(out, f->auth);
	}
}

/* The line with the carrier in the mark's place, and no other AUTH=. */
static void
put_line(struct span line, const struct found *f, struct buf *out)
{
	const char *end = line.p + line.n;

	for (const char *p = line.p; p < end;) {
		if (p == f->mark_at.p) {
			put_carrier(f, out);
			p += f->mark_at.n;
		} else if (p + 1 == f->auth_at.p) {
			p += 1 + f->auth_at.n; /* and its blank */
		} else {
			buf_chr(out, *p++);
		}
	}
}

enum mail_says
gate_mail_says(struct span line)
{
	static const struct {
		const char *name;
		enum mail_says says;
	} once[] = {
		{ "MTRK", MAIL_SAYS_MARK },
		{ "AUTH", MAIL_SAYS_AUTH },
		{ "ENVID", MAIL_SAYS_ENVID },
		{ "RET", MAIL_SAYS_RET },
	};
	struct span path, parameters, value;
	enum mail_says all = 0;

	if (!gate_path(line, &path, &parameters))
		return all;
	for (size_t i = 0; i < ARRAY_LEN(once); i++)
		if (gate_parameter(parameters, once[i].name, &value))
			all |= once[i].says;
	return all;
}

enum mail_verdict
gate_mail(struct span line, struct buf *out, const char **why)
{
	struct span path, parameters, bare = { line.p, line.n - 2 };
	struct found f = { 0 };
	size_t before = out->n;

	if (!gate_path(bare, &path, &parameters))
		return MAIL_PLAIN;
	look_at_all(parameters, &f);
	if (f.mark_at.p == NULL)
		return MAIL_PLAIN;
	if ((*why = check(&f)) != NULL)
		return MAIL_REFUSED;
	put_line(line, &f, out);
	if (out->n - before <= MAIL_LINE_MAX)
		return MAIL_MARKED;
	buf_cut(out, before);
	*why = "the line is too long";
	return MAIL_REFUSED;
}
