/*
 * A record is a version byte, now 1, and fields.  A reader refuses a higher
 * version (MTRK_FORMAT).  A field is
 *
 *	tag	1 byte
 *	length	1 to 5 bytes, 7 bits each, low ones first, the top bit set on
 *		all but the last (LEB128)
 *	value	that many bytes
 *
 * A number is big-endian without leading zero bytes; zero is no byte at all.
 * A field that is absent is empty, zero or false.  A tag that a reader
 * doesn't know is skipped, so old readers survive new fields; tags are never
 * used again.  `tags` below is the whole list.
 *
 * A message with one recipient, envid "q@h", queue id "4A", arrived at
 * 1700000000, to b@x:
 *
 *	01  01 03 714068  02 14 (20 bytes)  03 04 6553f100
 *	06 02 3441  0a 05 (0d 03 624078)
 *
 * An event, "relayed, 2.1.9, at 1700000009, by mx", after event number 7:
 *
 *	01  14 01 01  16 04 6553f109  17 01 03  18 03 020109
 *	19 02 6d78  1c 01 07
 *
 * tests/unit/test_record.c holds these two against the code.
 */
#include "common/record.h"

#include <stdlib.h>
#include <string.h>

enum tags {
	TAG_ENVID = 0x01,
	TAG_CERTIFIER = 0x02,
	TAG_ARRIVAL = 0x03, /* seconds since 1970 UTC */
	TAG_TIMEOUT = 0x04, /* requested, plus one; absent: none was given */
	TAG_INSTANCE = 0x05,
	TAG_QUEUE_ID = 0x06,
	TAG_SENDER = 0x07,
	TAG_CLIENT = 0x08,
	TAG_RECIPIENT = 0x0a, /* fields again, one such field a recipient */

	TAG_ORIGINAL_TYPE = 0x0b, /* absent: rfc822, if there is TAG_ORIGINAL */
	TAG_ORIGINAL = 0x0c, /* absent: see TAG_ORIGINAL_SAME */
	TAG_ADDRESS = 0x0d,
	TAG_NOTIFY = 0x0e, /* bits of enum notify */
	TAG_ORIGINAL_SAME = 0x0f, /* 1: ORCPT was rfc822 and TAG_ADDRESS */

	TAG_KIND = 0x14, /* enum event_kind */
	TAG_INDEX = 0x15, /* recipient: 0 is the first; EVENT_ALL, _SOMEONE */
	TAG_TIME = 0x16, /* seconds since 1970 UTC */
	TAG_ACTION = 0x17, /* enum action */
	TAG_STATUS = 0x18, /* three bytes, or six, two a number */
	TAG_REMOTE = 0x19,
	TAG_TEXT = 0x1a,
	TAG_SAME = 0x1b, /* bits: 1 remote, 2 text, as the event before */
	TAG_PREVIOUS = 0x1c, /* number of this message's event before */
	TAG_NEW_ADDRESS = 0x1d,
	TAG_AT_QUEUE_ID = 0x1e, /* absent: the message's own */
};
enum { SAME_REMOTE = 1, SAME_TEXT = 2 };

static void
put_field(struct buf *b, enum tags tag, struct span v)
{
	unsigned char head[8];
	size_t n = 0, left = v.n;

	if (v.n == 0)
		return;
	head[n++] = (unsigned char)tag;
	do {
		head[n++] =
		    (unsigned char)((left & 0x7f) | (left > 0x7f ? 0x80u : 0u));
	} while ((left >>= 7) != 0 && n < sizeof head);
	buf_add(b, head, n);
	buf_span(b, v);
}

static void
put_number(struct buf *b, enum tags tag, uint64_t v)
{
	char bytes[8];
	size_t n = 0;

	while (n < 8 && (v >> (8 * n)) != 0)
		n++;
	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(v >> (8 * (n - 1 - i)));
	put_field(b, tag, (struct span){ bytes, n });
}

struct field {
	unsigned tag;
	struct span value;
};

/* 1: a field; 0: the end; -1: the bytes are not fields. */
static int
next_field(struct span *rest, struct field *out)
{
	const char *p = rest->p, *end = p + rest->n;
	size_t len = 0;
	unsigned shift = 0;
	unsigned char c;

	if (rest->n == 0)
		return 0;
	out->tag = (unsigned char)*p++;
	do {
		if (p == end || shift > 28)
			return -1;
		c = (unsigned char)*p++;
		len |= (size_t)(c & 0x7f) << shift;
		shift += 7;
	} while (c & 0x80);
	if (len > (size_t)(end - p))
		return -1;
	out->value = (struct span){ p, len };
	*rest = (struct span){ p + len, (size_t)(end - p) - len };
	return 1;
}

static uint64_t
number(struct span v)
{
	return big_get(v.p, v.n < 8 ? v.n : 8);
}

static enum mtrk_err
open_record(struct span *bytes)
{
	if (bytes->n == 0)
		return MTRK_CORRUPT;
	if (bytes->p[0] != RECORD_VERSION)
		return MTRK_FORMAT;
	*bytes = span_from(*bytes, 1);
	return MTRK_OK;
}

static void
put_recipient(struct buf *b, const struct recipient *r)
{
	struct buf inner = BUF(1u << 16);
	bool plain_type = span_iis(r->original_type, "rfc822");

	if (plain_type && span_eq(r->original, r->address)) {
		put_number(&inner, TAG_ORIGINAL_SAME, 1);
	} else {
		put_field(&inner, TAG_ORIGINAL_TYPE,
		    plain_type ? SPAN("") : r->original_type);
		put_field(&inner, TAG_ORIGINAL, r->original);
	}
	put_field(&inner, TAG_ADDRESS, r->address);
	put_number(&inner, TAG_NOTIFY, r->notify);
	put_field(b, TAG_RECIPIENT, buf_as_span(&inner));
	if (inner.err != MTRK_OK)
		b->err = inner.err;
	buf_free(&inner);
}

void
record_put_message(struct buf *b, const struct message *m)
{
	buf_chr(b, RECORD_VERSION);
	put_field(b, TAG_ENVID, m->envid);
	put_field(b, TAG_CERTIFIER,
	    (struct span){ (const char *)m->certifier, CERTIFIER_LEN });
	put_number(b, TAG_ARRIVAL, (uint64_t)m->arrival);
	put_number(b, TAG_TIMEOUT, m->has_timeout ? m->timeout_s + 1ull : 0);
	put_field(b, TAG_INSTANCE, m->instance);
	put_field(b, TAG_QUEUE_ID, m->queue_id);
	put_field(b, TAG_SENDER, m->sender);
	put_field(b, TAG_CLIENT, m->client);
	for (size_t i = 0; i < m->n_recipients; i++)
		put_recipient(b, &m->recipients[i]);
}

static enum mtrk_err
get_recipient(struct span bytes, struct recipient *r)
{
	struct field f;
	bool same = false;
	int got;

	*r = (struct recipient){ .original_type = SPAN("rfc822") };
	while ((got = next_field(&bytes, &f)) == 1) {
		switch (f.tag) {
		case TAG_ORIGINAL_TYPE:
			r->original_type = f.value;
			break;
		case TAG_ORIGINAL:
			r->original = f.value;
			break;
		case TAG_ORIGINAL_SAME:
			same = true;
			break;
		case TAG_ADDRESS:
			r->address = f.value;
			break;
		case TAG_NOTIFY:
			r->notify = (unsigned)number(f.value);
			break;
		}
	}
	if (same)
		r->original = r->address;
	return got == 0 ? MTRK_OK : MTRK_CORRUPT;
}

static enum mtrk_err
add_recipient(struct message *m, struct span bytes)
{
	struct recipient *more;
	size_t n = m->n_recipients;

	if (n >= RECIPIENTS_MAX)
		return MTRK_CORRUPT;
	if ((n & (n - 1)) == 0) { /* full at every power of two */
		more =
		    realloc(m->recipients, (n == 0 ? 1 : n * 2) * sizeof *more);
		if (more == NULL)
			return MTRK_NOMEM;
		m->recipients = more;
	}
	return get_recipient(bytes, &m->recipients[m->n_recipients++]);
}

static enum mtrk_err
take_message_field(struct message *m, const struct field *f)
{
	switch (f->tag) {
	case TAG_ENVID:
		m->envid = f->value;
		break;
	case TAG_CERTIFIER:
		if (f->value.n != CERTIFIER_LEN)
			return MTRK_CORRUPT;
		memcpy(m->certifier, f->value.p, CERTIFIER_LEN);
		break;
	case TAG_ARRIVAL:
		m->arrival = (int64_t)number(f->value);
		break;
	case TAG_TIMEOUT:
		m->has_timeout = true;
		m->timeout_s = (uint32_t)(number(f->value) - 1);
		break;
	case TAG_INSTANCE:
		m->instance = f->value;
		break;
	case TAG_QUEUE_ID:
		m->queue_id = f->value;
		break;
	case TAG_SENDER:
		m->sender = f->value;
		break;
	case TAG_CLIENT:
		m->client = f->value;
		break;
	case TAG_RECIPIENT:
		return add_recipient(m, f->value);
	}
	return MTRK_OK;
}

enum mtrk_err
record_get_message(struct span bytes, struct message *out)
{
	enum mtrk_err err = open_record(&bytes);
	struct field f;
	int got = 0;

	*out = (struct message){ 0 };
	while (err == MTRK_OK && (got = next_field(&bytes, &f)) == 1)
		err = take_message_field(out, &f);
	return got == -1 ? MTRK_CORRUPT : err;
}

bool
record_peek_certifier(struct span bytes, struct span *out)
{
	struct field f;

	if (open_record(&bytes) != MTRK_OK)
		return false;
	while (next_field(&bytes, &f) == 1)
		if (f.tag == TAG_CERTIFIER) {
			*out = f.value;
			return f.value.n == CERTIFIER_LEN;
		}
	return false;
}

static void
put_status(struct buf *b, struct status s)
{
	const uint16_t v[] = { s.klass, s.subject, s.detail };
	bool wide = s.klass > 255 || s.subject > 255 || s.detail > 255;
	char bytes[6];
	size_t n = 0;

	if (s.klass == 0)
		return;
	for (size_t i = 0; i < 3; i++) {
		if (wide)
			bytes[n++] = (char)(v[i] >> 8);
		bytes[n++] = (char)v[i];
	}
	put_field(b, TAG_STATUS, (struct span){ bytes, n });
}

static enum mtrk_err
get_status(struct span v, struct status *s)
{
	size_t w = v.n / 3;

	if (v.n != 3 && v.n != 6)
		return MTRK_CORRUPT;
	s->klass = (uint16_t)number((struct span){ v.p, w });
	s->subject = (uint16_t)number((struct span){ v.p + w, w });
	s->detail = (uint16_t)number((struct span){ v.p + 2 * w, w });
	return MTRK_OK;
}

static bool
same_as(struct span now, struct span before)
{
	return now.n > 0 && span_eq(now, before);
}

void
record_put_event(struct buf *b, const struct event *e,
    const struct event *before, uint64_t previous)
{
	unsigned same = 0;

	if (before != NULL && same_as(e->remote_mta, before->remote_mta))
		same |= SAME_REMOTE;
	if (before != NULL && same_as(e->text, before->text))
		same |= SAME_TEXT;
	buf_chr(b, RECORD_VERSION);
	put_number(b, TAG_KIND, e->kind);
	put_number(b, TAG_INDEX, e->recipient);
	put_number(b, TAG_TIME, (uint64_t)e->time);
	put_number(b, TAG_ACTION, e->action);
	put_status(b, e->status);
	put_number(b, TAG_SAME, same);
	if (!(same & SAME_REMOTE))
		put_field(b, TAG_REMOTE, e->remote_mta);
	if (!(same & SAME_TEXT))
		put_field(b, TAG_TEXT, e->text);
	put_field(b, TAG_NEW_ADDRESS, e->address);
	put_field(b, TAG_AT_QUEUE_ID, e->queue_id);
	put_number(b, TAG_PREVIOUS, previous);
}

static enum mtrk_err
take_event_field(struct event_bytes *out, const struct field *f)
{
	struct event *e = &out->event;

	switch (f->tag) {
	case TAG_KIND:
		e->kind = (enum event_kind)number(f->value);
		break;
	case TAG_INDEX:
		e->recipient = (uint32_t)number(f->value);
		break;
	case TAG_TIME:
		e->time = (int64_t)number(f->value);
		break;
	case TAG_ACTION:
		e->action = (enum action)number(f->value);
		break;
	case TAG_STATUS:
		return get_status(f->value, &e->status);
	case TAG_REMOTE:
		e->remote_mta = f->value;
		break;
	case TAG_TEXT:
		e->text = f->value;
		break;
	case TAG_NEW_ADDRESS:
		e->address = f->value;
		break;
	case TAG_AT_QUEUE_ID:
		e->queue_id = f->value;
		break;
	case TAG_SAME:
		out->same_remote = number(f->value) & SAME_REMOTE;
		out->same_text = number(f->value) & SAME_TEXT;
		break;
	case TAG_PREVIOUS:
		out->previous = number(f->value);
		break;
	}
	return MTRK_OK;
}

enum mtrk_err
record_get_event(struct span bytes, struct event_bytes *out)
{
	enum mtrk_err err = open_record(&bytes);
	struct field f;
	int got = 0;

	*out = (struct event_bytes){ 0 };
	while (err == MTRK_OK && (got = next_field(&bytes, &f)) == 1)
		err = take_event_field(out, &f);
	if (got == -1 || (unsigned)out->event.action >= ACTION_COUNT)
		err = MTRK_CORRUPT;
	return err;
}
