#include "common/record.h"

/* The next octet of a local part as it is meant, without quoting. */
static int
next_meant(struct span *s)
{
	while (s->n > 0 && s->p[0] == '"')
		*s = span_from(*s, 1);
	if (s->n > 1 && s->p[0] == '\\')
		*s = span_from(*s, 1);
	if (s->n == 0)
		return -1;
	*s = span_from(*s, 1);
	return (unsigned char)s->p[-1];
}

static int
fold(int c, bool any_case)
{
	return any_case && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool
local_equal(struct span a, struct span b, bool any_case)
{
	int x, y;

	do {
		x = next_meant(&a);
		y = next_meant(&b);
		if (fold(x, any_case) != fold(y, any_case))
			return false;
	} while (x != -1);
	return true;
}

/* Without what an MTA takes off a path before it logs it: blanks, and the
 * hosts of a source route (RFC 5321, 4.1.1.3), which end at the first colon
 * that is not of an IPv6 address. */
static struct span
mailbox(struct span a)
{
	bool literal = false;

	a = span_trim(a);
	if (!span_starts(a, "@"))
		return a;
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] == '[' || a.p[i] == ']')
			literal = a.p[i] == '[';
		else if (a.p[i] == ':' && !literal)
			return span_trim(span_from(a, i + 1));
	}
	return a;
}

/* At the last "@": a quoted local part may hold others. */
static void
split_address(struct span a, struct span *local, struct span *domain)
{
	size_t at = a.n;

	while (at > 0 && a.p[at - 1] != '@')
		at--;
	*local = (struct span){ a.p, at > 0 ? at - 1 : a.n };
	*domain = at > 0 ? span_from(a, at) : SPAN("");
}

bool
address_equal(struct span a, struct span b, bool any_case)
{
	struct span la, da, lb, db;

	if (span_eq(a, b))
		return true;
	split_address(mailbox(a), &la, &da);
	split_address(mailbox(b), &lb, &db);
	return span_ieq(da, db) && local_equal(la, lb, any_case);
}

static bool
exactly(struct span a, struct span b)
{
	return address_equal(a, b, false);
}

static bool
in_any_case(struct span a, struct span b)
{
	return address_equal(a, b, true);
}

static bool
find(const struct message *m, struct span wanted,
    bool (*equal)(struct span, struct span), uint32_t *index)
{
	for (size_t i = 0; i < m->n_recipients; i++) {
		if (!equal(m->recipients[i].address, wanted))
			continue;
		*index = (uint32_t)i;
		return true;
	}
	return false;
}

/* Mostly the log has the very octets, and there may be thousands. */
bool
message_recipient(const struct message *m, struct span original,
    struct span address, uint32_t *index)
{
	struct span wanted = original.n > 0 ? original : address;

	return find(m, wanted, span_eq, index) ||
	    find(m, wanted, exactly, index) ||
	    find(m, wanted, in_any_case, index) ||
	    (original.n > 0 && find(m, address, in_any_case, index));
}
