/*
 * mtqp/letter.h -- what a mail client needs of a message's header: fields,
 * the addresses in them, and Bcc taken away (RFC 5322).  Pure.
 */
#ifndef MTRK_MTQP_LETTER_H
#define MTRK_MTQP_LETTER_H

#include "common/err.h"
#include "common/span.h"

/* The first field of this name, trimmed, its line ends still inside. */
bool letter_field(struct span message, const char *name, struct span *value);

/* Nothing in it can become another SMTP command; ASCII or UTF-8; it may be
 * empty, as the null sender's. */
bool letter_is_address(struct span);

/*
 * Call `each` with every address (as RCPT wants it) of an address list:
 * comments, display names and group names are left out.  MTRK_SYNTAX if what
 * should be an address is none, such as a list that ends inside quotes.
 */
enum mtrk_err letter_addresses(
    struct span list, bool (*each)(const char *address, void *arg), void *arg);
/* The same for every To, Cc and Bcc field; those of Resent- if there are
 * some. */
enum mtrk_err letter_recipients(struct span message,
    bool (*each)(const char *address, void *arg), void *arg);

/* An address of From, Sender, Reply-To, To or Cc is beyond ASCII. */
bool letter_has_utf8_address(struct span message);

/* Takes Bcc and Resent-Bcc away, which nobody shall see. */
void letter_drop_bcc(struct buf *message);
/* What stands before a line of a single dot (sendmail without -i). */
struct span letter_to_dot(struct span message);

#endif
