#include "milter/mta.h"

#include "milter/postfix.h"
#include "milter/sendmail.h"

static const struct mta postfix = { postfix_parse, NULL };
static const struct mta sendmail = { sendmail_parse, sendmail_next };

/*
 * Postfix's tags have a "/", but for RFC 5424, where it is lost.  Sendmail's
 * have none (sendmail, sm-mta, what -L says), and its queue ids end in a pid;
 * some of Postfix's look like that by chance.
 */
const struct mta *
mta_of(const struct logline *l, struct span *id, unsigned *part)
{
	bool slash = !span_eq(l->name, l->program);

	*part = 0;
	if (!slash && !span_starts(l->name, "postfix") &&
	    sendmail_queue_id(l, id, part))
		return &sendmail;
	return postfix_queue_id(l, id) ? &postfix : NULL;
}
