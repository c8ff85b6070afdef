/* The transaction that is handed on: is it a tracked message's, who of its
 * recipients may have the certifier, and how it is begun again without; see
 * gate_outbound_private.h. */
#include <stdlib.h>

#include "milter/gate_outbound_private.h"

void
outbound_forget_transaction(struct outbound *o)
{
	if (o->tracked)
		o->doors.over(o->doors.arg);
	o->tracked = o->marked = false;
	o->rcpts_n = o->accepted = 0;
	buf_cut(&o->mail, 0);
	buf_cut(&o->held, 0);
}

/* Is it a message that we track, and does the next hop get its mark? */
static bool
look_up(struct outbound *o, struct span line, struct mtrk *mark)
{
	struct span path, parameters, value;
	char envid[ENVID_MAX + 1];
	const char *why;
	bool give = false;

	if (!gate_path(line, &path, &parameters) ||
	    !gate_parameter(parameters, "ENVID", &value) ||
	    envid_parse(value, envid, &why) != MTRK_OK)
		return false;
	o->tracked =
	    o->doors.mail(o->doors.arg, span_of(envid), path, mark, &give);
	return o->tracked && give && o->mtrk &&
	    !gate_parameter(parameters, "MTRK", &value);
}

/* The reply to a MAIL with MTRK is waited for: if the next hop won't have
 * it, MAIL is said again without. */
bool
outbound_take_mail(struct outbound *o, struct span raw, struct span line)
{
	char text[MTRK_TEXT];
	struct mtrk mark;

	outbound_forget_transaction(o);
	buf_span(&o->mail, raw);
	o->marked = o->mail.err == MTRK_OK && look_up(o, line, &mark);
	if (!o->marked) {
		outbound_pass(o, raw, FOR_MAIL, NO_RCPT);
		return true;
	}
	mtrk_format(&mark, text);
	buf_span(&o->to_hop, line);
	buf_fmt(&o->to_hop, " MTRK=%s\r\n", text);
	outbound_await(o, FOR_MAIL, NO_RCPT);
	o->hold = true;
	o->numbers.marked++;
	return true;
}

static struct outbound_rcpt *
remember(struct outbound *o, struct span raw)
{
	size_t room = o->rcpts_room != 0 ? o->rcpts_room * 2 : 8;
	struct outbound_rcpt *more;

	if (o->rcpts_n == o->rcpts_room) {
		more = realloc(o->rcpts, room * sizeof *more);
		if (more == NULL)
			return NULL;
		o->rcpts = more;
		o->rcpts_room = room;
	}
	if (o->held.n + raw.n > OUTBOUND_HELD_MAX)
		return NULL;
	o->rcpts[o->rcpts_n] =
	    (struct outbound_rcpt){ .line = o->held.n, .line_n = raw.n };
	buf_span(&o->held, raw);
	return o->held.err == MTRK_OK ? &o->rcpts[o->rcpts_n] : NULL;
}

/* The recipient before aliasing, as ORCPT tells, or as it is (A18). */
static bool
ask_for_recipient(struct outbound *o, struct span line, uint32_t *index)
{
	struct span path, parameters, value;
	struct orcpt orcpt;

	*index = OUTBOUND_NOBODY;
	if (!gate_path(line, &path, &parameters))
		return false;
	if (gate_parameter(parameters, "ORCPT", &value) &&
	    orcpt_parse(value, &orcpt) == MTRK_OK)
		return o->doors.rcpt(
		    o->doors.arg, span_of(orcpt.addr), path, index);
	return o->doors.rcpt(o->doors.arg, path, path, index);
}

static bool
begin_again(struct outbound *o)
{
	o->again = true;
	o->again_step = 0;
	o->numbers.unmarked++;
	return false;
}

bool
outbound_take_rcpt(struct outbound *o, struct span raw, struct span line)
{
	struct outbound_rcpt *r = NULL;
	uint32_t index;
	bool may;

	if (!o->tracked) {
		outbound_pass(o, raw, FOR_RCPT, NO_RCPT);
		return true;
	}
	may = ask_for_recipient(o, line, &index);
	if (may || !o->marked)
		r = remember(o, raw);
	if (o->marked && (!may || r == NULL))
		return begin_again(o);
	if (r == NULL) {
		outbound_pass(o, raw, FOR_RCPT, NO_RCPT);
		return true;
	}
	r->index = index;
	outbound_pass(o, raw, FOR_RCPT, (uint32_t)o->rcpts_n++);
	return true;
}

static struct span
rcpt_line(const struct outbound *o, const struct outbound_rcpt *r)
{
	return (struct span){ o->held.p + r->line, r->line_n };
}

void
outbound_again_step(struct outbound *o)
{
	size_t step = o->again_step++;
	struct span line = SPAN("RSET\r\n");

	if (step == 1)
		line = buf_as_span(&o->mail);
	for (; step >= 2; step = o->again_step++) {
		if (step - 2 == o->rcpts_n) {
			o->again = o->marked = o->hold = false;
			return;
		}
		if (o->rcpts[step - 2].accepted) {
			line = rcpt_line(o, &o->rcpts[step - 2]);
			break;
		}
	}
	outbound_pass(o, line, OWN_AGAIN, NO_RCPT);
}
