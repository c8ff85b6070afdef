/*
 * milter/gate_command.h -- what the outbound gate has to see in one SMTP or
 * LMTP command line (RFC 5321 4.1, RFC 2033 4, RFC 3461 4).  Pure.
 */
#ifndef MTRK_MILTER_GATE_COMMAND_H
#define MTRK_MILTER_GATE_COMMAND_H

#include "common/span.h"

enum gate_verb {
	VERB_OTHER, /* one line, one reply: whatever it is */
	VERB_EHLO, /* LHLO too */
	VERB_HELO,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_BDAT,
	VERB_RSET,
	VERB_AUTH,
	VERB_STARTTLS,
	VERB_QUIT,
};

/* The line without its end. */
enum gate_verb gate_verb_of(struct span line);
bool gate_is_lhlo(struct span line);

/*
 * MAIL FROM:<path> [parameters] or RCPT TO:<path> [parameters].  `path` comes
 * without its brackets, behind which no other octet stands; quoted local parts
 * may hold anything.  False: not of this form.
 */
bool gate_path(struct span line, struct span *path, struct span *parameters);
/* The value of the first parameter of this name; false: there is none. */
bool gate_parameter(
    struct span parameters, const char *name, struct span *value);

/* BDAT size [LAST] (RFC 3030 2). */
bool gate_bdat(struct span line, uint64_t *octets, bool *last);

#endif
