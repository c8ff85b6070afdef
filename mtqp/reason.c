#include "mtqp/reason.h"

#include <stddef.h>

static const struct {
	uint16_t subject, detail;
	const char *words;
} rows[] = {
	{ 1, 1, "there is no such mailbox" },
	{ 1, 2, "there is no such domain" },
	{ 1, 3, "the address is not well formed" },
	{ 1, 6, "the mailbox has moved away" },
	{ 1, 10, "the domain takes no mail" }, /* RFC 7505 */
	{ 2, 1, "the mailbox is closed" },
	{ 2, 2, "the mailbox is full" },
	{ 2, 3, "the message is too large for the mailbox" },
	{ 3, 1, "the mail system there is full" },
	{ 3, 2, "the mail system there takes nothing now" },
	{ 3, 4, "the message is too large for the mail system there" },
	{ 4, 1, "the host there does not answer" },
	{ 4, 2, "the connection broke off" },
	{ 4, 3, "the DNS does not tell the way" },
	{ 4, 4, "no way leads there" },
	{ 4, 6, "it went round in a circle" },
	{ 4, 7, "it could not be delivered in time" },
	{ 6, 7, "the address is beyond ASCII, and a server is not" },
	{ 7, 1, "the rules there refuse it" },
	{ 7, 20, "the sender's domain did not sign it (DKIM)" }, /* 7372 */
	{ 7, 23, "the sender's domain did not send it (SPF)" },
	{ 7, 26, "the sender's domain vouches for it in no way" },
};

const char *
reason_of(struct status s)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (s.klass > 2 && rows[i].subject == s.subject &&
		    rows[i].detail == s.detail)
			return rows[i].words;
	return NULL;
}
