/*
 * milter: a line of a log.  Whatever strangers put into it, no event names a
 * queue id or an address that isn't where the MTA writes it.
 */
#include <stdlib.h>
#include <string.h>

#include "milter/postfix.h"
#include "milter/sendmail.h"

enum { NOW = 1795500000 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static bool
within(struct span outer, struct span s)
{
	return s.n == 0 || (s.p >= outer.p && s.p + s.n <= outer.p + outer.n);
}

static bool
stands_behind(struct span text, struct span s, const char *words)
{
	size_t n = strlen(words);

	return (size_t)(s.p - text.p) >= n && memcmp(s.p - n, words, n) == 0;
}

static void
postfix(const struct logline *l)
{
	struct happening_line h;
	struct span id, address;

	if (!postfix_queue_id(l, &id))
		return;
	must(id.n > 0 && within(l->text, id));
	if (postfix_parse(l, &h) != SAID_HAPPENED)
		return;
	address = h.address;
	must(span_eq(h.queue_id, id) && within(l->text, h.original) &&
	    within(l->text, address) && within(l->text, h.remote_mta));
	if (h.what == HAPPENED_ACTION) {
		must(address.p == l->text.p + id.n + strlen(": to=<") &&
		    stands_behind(l->text, address, ": to=<") &&
		    address.p[address.n] == '>');
		must(h.original.n == 0 ||
		    (h.original.p ==
			    address.p + address.n + strlen(">, orig_to=<") &&
			stands_behind(l->text, h.original, ">, orig_to=<")));
	}
}

static void
sendmail(const struct logline *l)
{
	struct happening_line h;
	struct span id;
	unsigned part, n = 0;

	if (!sendmail_queue_id(l, &id, &part))
		return;
	must(id.p == l->text.p && within(l->text, id));
	if (sendmail_parse(l, &h) != SAID_HAPPENED)
		return;
	do {
		must(span_eq(h.queue_id, id) && within(l->text, h.address) &&
		    within(l->text, h.original));
		must(h.address.n == 0 || h.address.p > id.p + id.n);
	} while (sendmail_next(&h) && ++n < 100000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct span line = { (const char *)data, n };
	struct logline_cache cache = { 0 };
	struct logline l;

	if (logline_parse(line, NOW, &cache, &l) != MTRK_OK)
		return 0;
	must(within(line, l.text) &&
	    (l.text.n == 0 || l.text.p + l.text.n == line.p + line.n));
	postfix(&l);
	sendmail(&l);
	return 0;
}
