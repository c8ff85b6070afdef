#include "common/status.h"

#include <stdio.h>

/* Both directions come from one table, so they cannot disagree. */
static const char *const actions[] = {
	[ACTION_NONE] = "none",
	[ACTION_DELIVERED] = "delivered",
	[ACTION_EXPANDED] = "expanded",
	[ACTION_RELAYED] = "relayed",
	[ACTION_TRANSFERRED] = "transferred",
	[ACTION_DELAYED] = "delayed",
	[ACTION_FAILED] = "failed",
	[ACTION_OPAQUE] = "opaque",
};
_Static_assert(ARRAY_LEN(actions) == ACTION_COUNT, "a word for each");

const char *
action_text(enum action a)
{
	return actions[(unsigned)a < ACTION_COUNT ? a : ACTION_NONE];
}

enum action
action_of(struct span s)
{
	for (unsigned a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
		if (span_iis(s, actions[a]))
			return (enum action)a;
	return ACTION_NONE;
}

/* 1*3DIGIT without leading zeros. */
static bool
take_number(struct span s, uint16_t *out)
{
	uint64_t v;

	if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0') ||
	    !span_number(s, 999, &v))
		return false;
	*out = (uint16_t)v;
	return true;
}

enum mtrk_err
status_parse(struct span s, struct status *out)
{
	struct span klass, subject, detail;

	*out = (struct status){ 0 };
	if (!span_split(s, '.', &klass, &s) ||
	    !span_split(s, '.', &subject, &detail) || klass.n != 1 ||
	    !take_number(klass, &out->klass) ||
	    !take_number(subject, &out->subject) ||
	    !take_number(detail, &out->detail) ||
	    (out->klass != 2 && out->klass != 4 && out->klass != 5)) {
		*out = (struct status){ 0 };
		return MTRK_SYNTAX;
	}
	return MTRK_OK;
}

void
status_format(struct status s, char out[STATUS_TEXT])
{
	const unsigned parts[] = { s.klass % 10u, s.subject % 1000u,
		s.detail % 1000u };
	char *p = out;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (i > 0)
			*p++ = '.';
		if (parts[i] > 99)
			*p++ = (char)('0' + parts[i] / 100);
		if (parts[i] > 9)
			*p++ = (char)('0' + parts[i] / 10 % 10);
		*p++ = (char)('0' + parts[i] % 10);
	}
	*p = '\0';
}
