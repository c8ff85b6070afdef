/*
 * milter/carrier.h -- finds a message's mark among the parameters of MAIL.
 *
 * No stock MTA accepts MTRK=, so it comes inside AUTH= (design.md 3), in
 * three spellings: AUTH=MTRK+3D... (xtext, any MTA), AUTH=MTRK=... (Postfix's
 * command filter; another AUTH value may follow behind ";"), and a plain
 * MTRK= from an MTA that speaks MTRK itself.
 */
#ifndef MTRK_MILTER_CARRIER_H
#define MTRK_MILTER_CARRIER_H

#include "common/mtrk.h"

struct mark {
	struct mtrk mtrk;
	char envid[ENVID_MAX + 1]; /* decoded */
};

enum carried {
	CARRIED_NOTHING, /* an ordinary message */
	CARRIED_MARK,
	CARRIED_BAD, /* marked, but not as RFC 3885 wants: *why tells */
};

/* `argv` as xxfi_envfrom gets it: the address first (or nothing at all), then
 * the parameters as received; ended by NULL.  *why is a static text. */
enum carried carrier_read(
    const char *const *argv, struct mark *out, const char **why);

#endif
