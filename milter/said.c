#include "milter/said.h"

enum { QUEUE_ID_MIN = 6, QUEUE_ID_MAX = 24 };

struct span
said_address(struct cur *c)
{
	struct span rest = cur_rest(c);
	bool quoted = false;

	for (size_t i = 0; i < rest.n && i <= ADDRESS_MAX; i++) {
		char ch = rest.p[i];

		if (ch == '\\' && quoted)
			i++;
		else if (ch == '"')
			quoted = !quoted;
		else if (ch == '>' && !quoted) {
			c->p += i + 1;
			return (struct span){ rest.p, i };
		}
	}
	cur_fail(c, "an address without its end");
	return (struct span){ c->p, 0 };
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

static struct span
id_or_nothing(const char *p, size_t n)
{
	return n >= QUEUE_ID_MIN && n <= QUEUE_ID_MAX ? (struct span){ p, n }
						      : SPAN("");
}

/* A filter in between may quote its own id first: the last one is the MTA's. */
struct span
said_queued_as(struct span reply)
{
	static const char words[] = "queued as ",
			  accepted[] = " Message accepted for delivery";
	struct span id = SPAN("");
	int at;

	while ((at = span_find(reply, words)) >= 0) {
		size_t n = 0;

		reply = span_from(reply, (size_t)at + sizeof words - 1);
		while (n < reply.n && is_alnum(reply.p[n]))
			n++;
		id = id_or_nothing(reply.p, n);
	}
	if (id.n == 0 && (at = span_find(reply, accepted)) > 0) {
		size_t end = (size_t)at, begin = end;

		while (begin > 0 && is_alnum(reply.p[begin - 1]))
			begin--;
		id = id_or_nothing(reply.p + begin, end - begin);
	}
	return id;
}

enum said
said_all_failed(
    struct happening_line *l, struct status status, struct span text)
{
	l->what = HAPPENED_TO_ALL;
	l->action = ACTION_FAILED;
	l->status = status;
	l->text = text;
	return SAID_HAPPENED;
}

enum said
said_refused(struct happening_line *l, struct span reply)
{
	struct span code, rest;

	span_split(span_from(reply, sizeof "550 " - 1), ' ', &code, &rest);
	if (status_parse(code, &l->status) != MTRK_OK || l->status.klass == 2)
		l->status =
		    span_starts(reply, "4") ? STATUS(4, 7, 1) : STATUS(5, 7, 1);
	l->what = HAPPENED_REFUSED;
	l->action = ACTION_FAILED;
	l->text = reply;
	return SAID_HAPPENED;
}
