/*
 * Log lines.  As they come, with a stamp and without: no event names a queue
 * id or an address that is not where the MTA puts it.  And as the MTAs would
 * write them around a stranger's words, an address and a reply: nothing of it
 * changes what happened, or to whom.
 */
#include <stdlib.h>
#include <string.h>

#include "milter/mta.h"

enum { NOW = 1795500000 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static bool
within(struct span part, struct span whole)
{
	return part.n == 0 ||
	    (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

/* Does one of `words` stand right before it?  Blanks and backslashes in front
 * of an alias's member are not part of it. */
static bool
behind(struct span text, const char *at, const char *const *words)
{
	for (; *words != NULL; words++) {
		size_t n = strlen(*words);
		const char *p = at;

		for (;;) {
			if ((size_t)(p - text.p) >= n &&
			    memcmp(p - n, *words, n) == 0)
				return true;
			if (p == text.p || strchr(" \t\\", p[-1]) == NULL ||
			    p[-1] == '\0')
				break;
			p--;
		}
	}
	return false;
}

static void
check_places(const struct happening_line *h, struct span text)
{
	static const char *const to[] = { "to=<", ",<", "to=", ",", "alias ",
		"forward ", "alias <", "forward <", "from=<", NULL };
	static const char *const before[] = { "orig_to=<", "ctladdr=<", NULL };
	static const char *const id[] = { "orig_id=", NULL };

	must(within(h->address, text) && within(h->original, text));
	must(within(h->queue_id, text) && within(h->next, text));
	must(h->queue_id.p == text.p ||
	    (h->what == HAPPENED_REQUEUED && behind(text, h->queue_id.p, id)));
	must(h->address.n == 0 || behind(text, h->address.p, to));
	must(h->original.n == 0 || behind(text, h->original.p, before));
}

/* Postfix writes one recipient a line, right behind the queue id. */
static void
check_postfix(const struct happening_line *h, struct span text)
{
	static const char *const before[] = { ">, orig_to=<", NULL };

	if (h->what != HAPPENED_ACTION)
		return;
	must(h->address.p == text.p + h->queue_id.n + strlen(": to=<"));
	must(h->address.p[h->address.n] == '>');
	must(h->original.n == 0 || behind(text, h->original.p, before));
}

static void
check_line(const struct logline *l)
{
	struct happening_line h;
	const struct mta *mta;
	struct span id;
	unsigned part, n = 0;

	if ((mta = mta_of(l, &id, &part)) == NULL || part > 0 ||
	    mta->parse(l, &h) != SAID_HAPPENED)
		return;
	if (mta->next == NULL)
		check_postfix(&h, l->text);
	do
		check_places(&h, l->text);
	while (mta->next != NULL && mta->next(&h) && ++n <= l->text.n);
	must(n <= l->text.n);
}

static void
stamped(struct span line)
{
	struct logline_cache cache = { 0 };
	struct logline l;

	if (logline_parse(line, NOW, &cache, &l) != MTRK_OK)
		return;
	must(within(l.text, line));
	check_line(&l);
}

static void
as_it_comes(const char *name, const char *program, struct span text)
{
	check_line(&(struct logline){ .time = 1,
	    .name = span_of(name),
	    .program = span_of(program),
	    .text = text });
}

/* A legal quoted local part of the stranger's octets. */
static void
put_address(struct buf *b, struct span s)
{
	buf_chr(b, '"');
	for (size_t i = 0; i < s.n && i < 100; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_chr(b, '\\');
		buf_chr(b, s.p[i] == '\0' || s.p[i] == '\n' ? '?' : s.p[i]);
	}
	buf_str(b, "\"@x.test");
}

static void
around(const char *name, const char *program, const char *head,
    const char *middle, struct span stranger, struct span reply)
{
	struct buf address = BUF(1024), text = BUF(1 << 20);
	struct happening_line h;
	struct logline l = {
		.time = 1, .name = span_of(name), .program = span_of(program)
	};

	put_address(&address, stranger);
	buf_str(&text, head);
	buf_span(&text, buf_as_span(&address));
	buf_str(&text, middle);
	buf_span(&text, reply);
	l.text = buf_as_span(&text);
	{
		struct span id;
		unsigned part;
		const struct mta *mta = mta_of(&l, &id, &part);

		must(mta != NULL && mta->parse(&l, &h) == SAID_HAPPENED);
		must(h.what == HAPPENED_ACTION && h.action == ACTION_FAILED);
		must(span_eq(h.address, buf_as_span(&address)));
		must(span_is(h.remote_mta, "mx.test"));
		must(mta->next == NULL || !mta->next(&h));
	}
	buf_free(&address);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const programs[] = { "smtp", "local", "qmgr",
		"cleanup", "pickup", "postsuper", "lmtp", "bounce" };
	struct span all = { (const char *)data, n }, stranger, reply;

	if (n > 16384)
		return 0;
	stamped(all);
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		as_it_comes("postfix", programs[i], all);
	as_it_comes("postfix", "postfix", all);
	as_it_comes("sm-mta", "sm-mta", all);
	span_split(all, '\n', &stranger, &reply);
	around("postfix", "smtp", "3F905A8456E: to=<",
	    ">, relay=mx.test[192.0.2.1]:25, delay=1, delays=0/0/0/0, "
	    "dsn=5.1.1, status=bounced (",
	    stranger, reply);
	around("sm-mta", "sm-mta", "6AO3VWuT028419: to=<",
	    ">, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=1, "
	    "relay=mx.test. [192.0.2.1], dsn=5.1.1, reply=550 ",
	    stranger, reply);
	return 0;
}
