#include "common/tstat.h"

#include <string.h>
#include <strings.h>

#include "common/address_utf8.h"
#include "common/crypto.h"
#include "common/tstat_fields.h"

enum {
	LINE_LEN_MAX = 964, /* ours: a word that long still fits 998 (A27) */
	SOUND_MAX = 12 * LINE_LEN_MAX, /* ten fields, and what is around */
	ADDRESS_LEN_MAX = 900, /* ours: with the field's name it fits a line */
	FOLD_AT = 78, /* RFC 5322 2.1.1 */
	BOUNDARY_OCTETS = 12, /* random; never guessed, so never in a body */
	BOUNDARY_TEXT = 5 + 2 * BOUNDARY_OCTETS + 1,
};

/* In the order of RFC 3886's grammar (3.2, 3.3). */
const struct tstat_field tstat_fields[TSTAT_FIELDS] = {
#define PART(member) offsetof(struct tstat_part, member)
#define RCPT(member) offsetof(struct tstat_recipient, member)
	{ SPAN("Original-Envelope-Id"), TSTAT_OF_MESSAGE, TSTAT_TEXT, true,
	    PART(envid), 0 },
	{ SPAN("Reporting-MTA"), TSTAT_OF_MESSAGE, TSTAT_TYPED, true,
	    PART(reporting_mta), PART(reporting_type) },
	{ SPAN("Arrival-Date"), TSTAT_OF_MESSAGE, TSTAT_DATE, true,
	    PART(arrival), 0 },
	{ SPAN("Original-Recipient"), TSTAT_OF_RECIPIENT, TSTAT_ADDRESS, true,
	    RCPT(original), RCPT(original_type) },
	{ SPAN("Final-Recipient"), TSTAT_OF_RECIPIENT, TSTAT_ADDRESS, true,
	    RCPT(final), RCPT(final_type) },
	{ SPAN("Action"), TSTAT_OF_RECIPIENT, TSTAT_ACTION, true, RCPT(action),
	    0 },
	{ SPAN("Status"), TSTAT_OF_RECIPIENT, TSTAT_STATUS, true, RCPT(status),
	    0 },
	{ SPAN("Remote-MTA"), TSTAT_OF_RECIPIENT, TSTAT_TYPED, false,
	    RCPT(remote_mta), RCPT(remote_type) },
	{ SPAN("Last-Attempt-Date"), TSTAT_OF_RECIPIENT, TSTAT_DATE, false,
	    RCPT(last_attempt), 0 },
	{ SPAN("Will-Retry-Until"), TSTAT_OF_RECIPIENT, TSTAT_DATE, false,
	    RCPT(will_retry_until), 0 },
#undef PART
#undef RCPT
};

struct writer {
	struct buf *out;
	char boundary[BOUNDARY_TEXT];
};

/* Without a format: printf() takes longer than all the rest of an answer. */
static void
put_all(
    struct buf *out, const char *before, const char *word, const char *behind)
{
	buf_str(out, before);
	buf_str(out, word);
	buf_str(out, behind);
}

static size_t
run(struct span text, bool blank)
{
	size_t n = 0;

	while (n < text.n && (text.p[n] == ' ') == blank)
		n++;
	return n;
}

/* A fold goes in front of existing blanks, so unfolding gives them back. */
static void
put_folded(struct buf *out, struct span text)
{
	size_t column = 0;

	while (text.n > 0) {
		size_t blanks = run(text, true);
		size_t word = run(span_from(text, blanks), false);
		size_t n = blanks + word;

		if (blanks > 0 && word > 0 && column > 0 &&
		    column + n > FOLD_AT) {
			buf_str(out, "\r\n");
			column = 0;
		}
		buf_add(out, text.p, n);
		column += n;
		text = span_from(text, n);
	}
	buf_str(out, "\r\n");
}

/* The line that stands in `out` from `at` on. */
static void
end_line(struct buf *out, size_t at)
{
	struct buf copy = BUF(LINE_LEN_MAX);

	if (out->err != MTRK_OK || out->n - at <= FOLD_AT) {
		buf_add(out, "\r\n", 2);
		return;
	}
	buf_span(&copy, span_from(buf_as_span(out), at));
	buf_cut(out, at);
	put_folded(out, buf_as_span(&copy));
	if (copy.err != MTRK_OK)
		out->err = copy.err;
	buf_free(&copy);
}

static void
put_text(struct buf *out, const char *text)
{
	size_t at = out->n;

	buf_str(out, text);
	for (; out->err == MTRK_OK && at < out->n; at++)
		out->p[at] = tstat_char(out->p[at]);
}

/* T8: a type is an atom. */
static bool
is_atom(const char *text)
{
	static const bool special[256] = { ['('] = true,
		[')'] = true,
		['<'] = true,
		['>'] = true,
		['@'] = true,
		[','] = true,
		[';'] = true,
		[':'] = true,
		['\\'] = true,
		['"'] = true,
		['.'] = true,
		['['] = true,
		[']'] = true };

	for (const char *p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || special[(unsigned char)*p])
			return false;
	return *text != '\0';
}

static bool
put_typed(struct buf *line, const char *type, const char *value)
{
	if (type == NULL || value == NULL || !is_atom(type))
		return false;
	buf_str(line, type);
	buf_str(line, *value != '\0' ? "; " : ";");
	put_text(line, value);
	return true;
}

/* RFC 6533 3: what isn't ASCII goes over 7 bits as \x{HEX}. */
static bool
put_address(struct buf *line, const char *type, const char *value)
{
	struct buf encoded = BUF(ADDRESS_LEN_MAX);
	bool typed, ok;

	if (type == NULL || value == NULL)
		return false;
	typed = strcasecmp(type, ADDRESS_UTF8) == 0;
	if (!typed && address_is_ascii(span_of(value)))
		return put_typed(line, type, value);
	ok = address_utf8_encode(span_of(value), typed, &encoded) &&
	    encoded.n > 0;
	ok = put_typed(line, ok ? ADDRESS_UTF8 : type, ok ? encoded.p : value);
	buf_free(&encoded);
	return ok;
}

/*
 * One row, or nothing if it is absent and may be.  The value goes to `line`
 * behind the name; false: there is none, or it will not do.
 */
static bool
put_value(struct buf *line, const struct tstat_field *f, const void *from)
{
	const char *base = from;
	const void *at = base + f->at;
	char text[WHEN_TEXT];

	switch (f->kind) {
	case TSTAT_TYPED:
		return put_typed(line,
		    *(const char *const *)(base + f->type_at),
		    *(const char *const *)at);
	case TSTAT_ADDRESS:
		return put_address(line,
		    *(const char *const *)(base + f->type_at),
		    *(const char *const *)at);
	case TSTAT_TEXT:
		if (*(const char *const *)at == NULL ||
		    **(const char *const *)at == '\0')
			return false;
		put_text(line, *(const char *const *)at);
		return true;
	case TSTAT_ACTION:
		buf_str(line, action_text(*(const enum action *)at));
		return *(const enum action *)at != ACTION_NONE;
	case TSTAT_STATUS:
		status_format(*(const struct status *)at, text);
		buf_str(line, text);
		return ((const struct status *)at)->klass != 0;
	case TSTAT_DATE:
		if (*(const int64_t *)at == WHEN_NONE)
			return false;
		when_rfc5322(*(const int64_t *)at, text);
		buf_str(line, text);
		return true;
	}
	return false;
}

static enum mtrk_err
put_fields(struct writer *w, enum tstat_scope scope, const void *from)
{
	for (size_t i = 0; i < TSTAT_FIELDS; i++) {
		const struct tstat_field *f = &tstat_fields[i];
		size_t at = w->out->n;

		if (f->scope != scope)
			continue;
		buf_span(w->out, f->name);
		buf_add(w->out, ": ", 2);
		if (put_value(w->out, f, from)) {
			if (w->out->n - at > LINE_LEN_MAX)
				return MTRK_TOOBIG;
			end_line(w->out, at);
		} else if (f->required) {
			return MTRK_SYNTAX;
		} else {
			buf_cut(w->out, at);
		}
	}
	return (enum mtrk_err)w->out->err;
}

/* These tell of an attempt, so its date is REQUIRED (T18). */
static bool
was_attempted(enum action a)
{
	return a == ACTION_DELIVERED || a == ACTION_EXPANDED ||
	    a == ACTION_RELAYED || a == ACTION_TRANSFERRED;
}

static enum mtrk_err
put_recipient(struct writer *w, const struct tstat_recipient *given)
{
	static const struct status foreign = { 2, 1, 9 };
	struct tstat_recipient r = *given;

	if (memcmp(&r.status, &foreign, sizeof foreign) == 0 &&
	    r.action != ACTION_RELAYED)
		return MTRK_SYNTAX; /* T22 */
	if (was_attempted(r.action) && r.last_attempt == WHEN_NONE)
		return MTRK_SYNTAX;
	if (r.action == ACTION_OPAQUE)
		r.last_attempt = WHEN_NONE; /* T18 */
	if (r.last_attempt == WHEN_NONE)
		r.remote_mta = NULL; /* T17 */
	if (r.action != ACTION_DELAYED)
		r.will_retry_until = WHEN_NONE; /* T19 */
	buf_str(w->out, "\r\n"); /* T5 */
	return put_fields(w, TSTAT_OF_RECIPIENT, &r);
}

static enum mtrk_err
put_part(struct writer *w, const struct tstat_part *p)
{
	enum mtrk_err err;

	if (p->n == 0)
		return MTRK_SYNTAX; /* T5 */
	put_all(w->out, "--", w->boundary,
	    "\r\nContent-Type: message/tracking-status\r\n\r\n");
	err = put_fields(w, TSTAT_OF_MESSAGE, p);
	for (size_t i = 0; err == MTRK_OK && i < p->n; i++)
		err = put_recipient(w, &p->recipients[i]);
	buf_str(w->out, "\r\n"); /* T6: belongs to the boundary */
	return err;
}

static enum mtrk_err
make_boundary(char out[BOUNDARY_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char random[BOUNDARY_OCTETS];
	enum mtrk_err err = crypto_nonce(random, sizeof random);

	memcpy(out, "mtrk-", 5);
	for (size_t i = 0; i < sizeof random && err == MTRK_OK; i++) {
		out[5 + 2 * i] = hex[random[i] >> 4];
		out[6 + 2 * i] = hex[random[i] & 15];
	}
	out[BOUNDARY_TEXT - 1] = '\0';
	return err;
}

enum mtrk_err
tstat_write(const struct tstat *t, struct buf *out)
{
	struct writer w = { .out = out };
	enum mtrk_err err = make_boundary(w.boundary);

	if (t->n == 0)
		err = MTRK_SYNTAX;
	/* type is the full media type, quoted for its "/" (EID 3721). */
	if (err == MTRK_OK)
		put_all(out, "Content-Type: multipart/related; boundary=\"",
		    w.boundary,
		    "\";\r\n\ttype=\"message/tracking-status\"\r\n\r\n");
	for (size_t i = 0; err == MTRK_OK && i < t->n; i++)
		err = put_part(&w, &t->parts[i]);
	put_all(out, "--", w.boundary, "--\r\n");
	return err != MTRK_OK ? err : (enum mtrk_err)out->err;
}

bool
tstat_is_sound(const struct tstat_part *p, const struct tstat_recipient *r)
{
	struct tstat_recipient copy = *r;
	struct tstat_part one = *p;
	const struct tstat t = { .parts = &one, .n = 1 };
	struct buf out = BUF(SOUND_MAX);
	bool ok;

	one.recipients = &copy;
	one.n = 1;
	ok = tstat_write(&t, &out) == MTRK_OK;
	buf_free(&out);
	return ok;
}

/* Room for one more element; it doubles whenever `n` is a power of two. */
static void *
grow(struct arena *a, void *array, size_t n, size_t size)
{
	void *more;

	if ((n & (n - 1)) != 0)
		return array;
	more = arena_take(a, (n == 0 ? 1 : 2 * n) * size);
	if (more != NULL && n > 0)
		memcpy(more, array, n * size);
	return more;
}

struct tstat_part *
tstat_add_part(struct tstat *t)
{
	struct tstat_part *p = grow(&t->arena, t->parts, t->n, sizeof *p);

	if (p == NULL)
		return NULL;
	t->parts = p;
	p[t->n] = (struct tstat_part){ .arrival = WHEN_NONE };
	return &p[t->n++];
}

struct tstat_recipient *
tstat_add_recipient(struct tstat *t, struct tstat_part *p)
{
	struct tstat_recipient *r =
	    grow(&t->arena, p->recipients, p->n, sizeof *r);

	if (r == NULL)
		return NULL;
	p->recipients = r;
	r[p->n] = (struct tstat_recipient){ .last_attempt = WHEN_NONE,
		.will_retry_until = WHEN_NONE };
	return &r[p->n++];
}

const char *
tstat_text(struct tstat *t, struct span s)
{
	return arena_text(&t->arena, s);
}

void
tstat_drop_unsound(struct tstat_part *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++)
		if (tstat_is_sound(p, &p->recipients[i]))
			p->recipients[kept++] = p->recipients[i];
	p->n = kept;
}

void
tstat_free(struct tstat *t)
{
	arena_free(&t->arena);
	*t = (struct tstat){ 0 };
}
