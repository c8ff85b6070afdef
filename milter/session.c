#include "milter/session.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/span.h"

enum {
	TEXT_MAX = 32 << 20, /* ours: all addresses of one message */
};

/* Offsets into `text`, which moves when it grows. */
struct rcpt {
	size_t address, original_type, original;
	unsigned notify;
};

struct session {
	char client[INET6_ADDRSTRLEN];
	bool marked, broken; /* broken: no memory, or too much of it */
	struct mark mark;
	int64_t arrival;
	struct buf text; /* NUL-ended strings, the sender first */
	struct rcpt *rcpts;
	size_t n, room;
	struct recipient *recipients; /* what session_message() lent */
};

struct session *
session_new(void)
{
	struct session *s = calloc(1, sizeof *s);

	if (s != NULL) {
		s->text = BUF(TEXT_MAX);
		memcpy(s->client, "local", sizeof "local");
	}
	return s;
}

void
session_reset(struct session *s)
{
	if (s == NULL)
		return;
	s->marked = s->broken = false;
	s->n = 0;
	buf_cut(&s->text, 0);
	s->text.err = MTRK_OK;
	free(s->recipients);
	s->recipients = NULL;
}

void
session_free(struct session **sp)
{
	struct session *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	buf_free(&s->text);
	free(s->rcpts);
	free(s->recipients);
	free(s);
}

void
session_connect(struct session *s, const struct sockaddr *sa)
{
	const void *ip = NULL;

	if (s == NULL || sa == NULL)
		return;
	if (sa->sa_family == AF_INET)
		ip = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	else if (sa->sa_family == AF_INET6)
		ip =
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	if (ip != NULL)
		inet_ntop(sa->sa_family, ip, s->client, sizeof s->client);
}

/* "<a@x>" without its brackets; where it stands in s->text. */
static size_t
keep(struct session *s, struct span v)
{
	size_t at = s->text.n;

	buf_span(&s->text, span_bare(v));
	buf_chr(&s->text, '\0');
	if (s->text.err != MTRK_OK)
		s->broken = true;
	return at;
}

enum carried
session_mail(
    struct session *s, const char *const *argv, int64_t now, const char **why)
{
	enum carried carried;

	if (s == NULL)
		return CARRIED_NOTHING;
	session_reset(s);
	carried = carrier_read(argv, &s->mark, why);
	s->marked = carried == CARRIED_MARK;
	s->arrival = now;
	if (s->marked)
		keep(s, span_of(argv[0]));
	return carried;
}

static unsigned
notify_of(struct span list)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
		{ "NEVER", NOTIFY_NEVER },
		{ "SUCCESS", NOTIFY_SUCCESS },
		{ "FAILURE", NOTIFY_FAILURE },
		{ "DELAY", NOTIFY_DELAY },
	};
	unsigned bits = 0;
	struct span word;

	while (list.n > 0) {
		span_split(list, ',', &word, &list);
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (span_iis(word, words[i].word))
				bits |= words[i].bit;
	}
	return bits;
}

static void
take_parameter(struct session *s, struct rcpt *r, struct span parameter)
{
	struct span word, value;
	struct orcpt orcpt;

	if (!span_split(parameter, '=', &word, &value))
		return;
	if (span_iis(word, "NOTIFY")) {
		r->notify = notify_of(value);
	} else if (span_iis(word, "ORCPT") &&
	    orcpt_parse(value, &orcpt) == MTRK_OK) {
		r->original_type = keep(s, span_of(orcpt.type));
		r->original = keep(s, span_of(orcpt.addr));
	}
}

static struct rcpt *
next_rcpt(struct session *s)
{
	size_t room = s->room != 0 ? s->room * 2 : 8;
	struct rcpt *more;

	if (s->n == RECIPIENTS_MAX)
		return NULL;
	if (s->n == s->room) {
		more = realloc(s->rcpts, room * sizeof *more);
		if (more == NULL)
			return NULL;
		s->rcpts = more;
		s->room = room;
	}
	return &s->rcpts[s->n++];
}

void
session_rcpt(struct session *s, const char *const *argv)
{
	struct rcpt *r;

	if (s == NULL || !s->marked || argv[0] == NULL)
		return;
	if ((r = next_rcpt(s)) == NULL) {
		s->broken = true;
		return;
	}
	*r = (struct rcpt){ .address = keep(s, span_of(argv[0])) };
	for (size_t i = 1; argv[i] != NULL; i++)
		take_parameter(s, r, span_of(argv[i]));
}

static struct span
string_at(const struct session *s, size_t at)
{
	return span_of(s->text.p + at);
}

static int
by_address(const void *a, const void *b)
{
	const struct recipient *const *x = a, *const *y = b;
	int order = strcasecmp((*x)->address.p, (*y)->address.p);

	return order != 0 ? order : (*x < *y ? -1 : 1);
}

/*
 * The MTA delivers once to a recipient that was named twice, in whatever case,
 * and its log speaks once of it; so there is one record of it, the first.
 */
static enum mtrk_err
drop_doubles(struct recipient *r, size_t *n)
{
	struct recipient **sorted = calloc(*n, sizeof *sorted);
	size_t kept = 0;

	if (sorted == NULL)
		return MTRK_NOMEM;
	for (size_t i = 0; i < *n; i++)
		sorted[i] = &r[i];
	qsort(sorted, *n, sizeof *sorted, by_address);
	for (size_t i = 1, first = 0; i < *n; i++) {
		if (span_ieq(sorted[i]->address, sorted[first]->address))
			sorted[i]->notify = UINT_MAX; /* a double */
		else
			first = i;
	}
	for (size_t i = 0; i < *n; i++)
		if (r[i].notify != UINT_MAX)
			r[kept++] = r[i];
	free(sorted);
	*n = kept;
	return MTRK_OK;
}

static enum mtrk_err
lend_recipients(struct session *s, size_t *n)
{
	struct recipient *r = calloc(s->n, sizeof *r);

	if (r == NULL)
		return MTRK_NOMEM;
	for (size_t i = 0; i < s->n; i++) {
		const struct rcpt *from = &s->rcpts[i];

		r[i].address = string_at(s, from->address);
		r[i].notify = from->notify;
		if (from->original == 0)
			continue;
		r[i].original_type = string_at(s, from->original_type);
		r[i].original = string_at(s, from->original);
	}
	s->recipients = r;
	*n = s->n;
	return drop_doubles(r, n);
}

enum mtrk_err
session_message(struct session *s, const char *queue_id, const char *instance,
    struct message *out)
{
	enum mtrk_err err;

	if (s == NULL || !s->marked || (s->n == 0 && !s->broken))
		return MTRK_NOTFOUND;
	if (s->broken)
		return MTRK_NOMEM;
	if (queue_id == NULL || instance == NULL || queue_id[0] == '\0')
		return MTRK_SYNTAX;
	if (strlen(queue_id) > QUEUE_ID_LEN_MAX)
		return MTRK_TOOBIG;
	*out = (struct message){
		.envid = span_of(s->mark.envid),
		.arrival = s->arrival,
		.has_timeout = s->mark.mtrk.has_timeout,
		.timeout_s = s->mark.mtrk.timeout_s,
		.instance = span_of(instance),
		.queue_id = span_of(queue_id),
		.sender = string_at(s, 0),
		.client = span_of(s->client),
	};
	memcpy(out->certifier, s->mark.mtrk.certifier, CERTIFIER_LEN);
	free(s->recipients);
	s->recipients = NULL;
	err = lend_recipients(s, &out->n_recipients);
	out->recipients = s->recipients;
	return err;
}
