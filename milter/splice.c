#include "milter/splice.h"

#include "milter/sendmail.h"

static unsigned
find(struct splice *s, struct span instance, struct span queue_id)
{
	for (unsigned i = 0; i < SPLICE_LINES; i++)
		if (span_is(instance, s->lines[i].instance) &&
		    span_is(queue_id, s->lines[i].queue_id))
			return i;
	return SPLICE_LINES;
}

static unsigned
begin(struct splice *s, struct span instance, struct span queue_id)
{
	unsigned i = s->next++ % SPLICE_LINES;

	buf_free(&s->lines[i].text);
	s->lines[i].text = BUF(SPLICE_MAX);
	span_copy(s->lines[i].instance, sizeof s->lines[i].instance, instance);
	span_copy(s->lines[i].queue_id, sizeof s->lines[i].queue_id, queue_id);
	buf_span(&s->lines[i].text, queue_id);
	buf_str(&s->lines[i].text, ": ");
	return i;
}

bool
splice_add(struct splice *s, struct span instance, struct span queue_id,
    struct logline *l)
{
	unsigned i = find(s, instance, queue_id);
	struct span id;
	unsigned part = 0;
	bool more;

	sendmail_queue_id(l, &id, &part);
	if (i == SPLICE_LINES && part != 1)
		return false; /* its begin was lost */
	if (i == SPLICE_LINES)
		i = begin(s, instance, queue_id);
	buf_span(&s->lines[i].text, sendmail_piece(l, &more));
	if (more)
		return false;
	s->lines[i].queue_id[0] = '\0'; /* the place is free again */
	l->text = buf_as_span(&s->lines[i].text);
	return s->lines[i].text.err == MTRK_OK;
}

void
splice_free(struct splice *s)
{
	for (unsigned i = 0; i < SPLICE_LINES; i++)
		buf_free(&s->lines[i].text);
}
