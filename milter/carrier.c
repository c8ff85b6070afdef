#include "milter/carrier.h"

#include "common/encode.h"

enum {
	AUTH_MAX = 512, /* RFC 4954 5: AUTH= adds 500 octets to MAIL */
	PARAMETERS_MAX = 64, /* ours */
};

struct found {
	unsigned marks, envids;
	struct span value; /* of the mark */
	struct span envid;
};

/* AUTH=MTRK=value[;another AUTH value], raw or as xtext. */
static bool
from_auth(struct span auth, char text[AUTH_MAX], struct span *value)
{
	struct span another;
	size_t n;

	if (span_istarts(auth, "MTRK+3D")) {
		if (xtext_decode(auth, text, AUTH_MAX, &n) != MTRK_OK)
			n = 0; /* marked, and not readable: an empty value */
		auth = (struct span){ text, n };
		if (n == 0) {
			*value = auth;
			return true;
		}
	}
	if (!span_istarts(auth, "MTRK="))
		return false;
	span_split(span_from(auth, sizeof "MTRK=" - 1), ';', value, &another);
	return true;
}

static void
look_at(struct span parameter, char text[AUTH_MAX], struct found *f)
{
	struct span word, value;

	if (!span_split(parameter, '=', &word, &value))
		return;
	if (span_iis(word, "ENVID")) {
		f->envids++;
		f->envid = value;
	} else if (span_iis(word, "MTRK")) {
		f->marks++;
		f->value = value;
	} else if (span_iis(word, "AUTH") &&
	    from_auth(value, text, &f->value)) {
		f->marks++;
	}
}

enum carried
carrier_read(const char *const *argv, struct mark *out, const char **why)
{
	char text[AUTH_MAX];
	struct found f = { 0 };

	for (size_t i = 1;
	     argv[0] != NULL && argv[i] != NULL && i < PARAMETERS_MAX; i++)
		look_at(span_of(argv[i]), text, &f);
	if (f.marks == 0)
		return CARRIED_NOTHING;
	*why = NULL;
	if (f.marks > 1)
		*why = "MTRK is given twice";
	else if (f.envids == 0)
		*why = "MTRK needs ENVID"; /* S22 */
	else if (mtrk_parse(f.value, &out->mtrk, why) == MTRK_OK)
		envid_parse(f.envid, out->envid, why);
	return *why == NULL ? CARRIED_MARK : CARRIED_BAD;
}
