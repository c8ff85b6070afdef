/*
 * milter/sendmail_to.h -- Sendmail's to= lines, and the addresses in others.
 */
#ifndef MTRK_MILTER_SENDMAIL_TO_H
#define MTRK_MILTER_SENDMAIL_TO_H

#include "milter/said.h"

/* Behind "to=".  What befell several is given for the first of them. */
enum said sendmail_delivery(struct cur *, struct happening_line *);
bool sendmail_next_address(struct happening_line *);

/* <ADDR>, as the client wrote it, or a member of an alias, to address,
 * member and hidden. */
void sendmail_one(struct cur *, struct happening_line *);
/* A member as written: up to a comma outside of quotes. */
struct span sendmail_member(struct cur *);
/* "\joe" is joe himself, with no more aliasing. */
struct span sendmail_plain(struct span member);

#endif
