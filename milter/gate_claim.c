#include "milter/gate_claim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "common/record.h"

/* Octets of the file that stand for one message: one for each recipient. */
#define ROOM (1u << 16)
_Static_assert(RECIPIENTS_MAX < ROOM, "too many recipients");

static int
open_claims(const char *store)
{
	char path[PATH_MAX + sizeof "/claims"];

	snprintf(path, sizeof path, "%s/claims", store);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
}

bool
gate_claim(const char *store, int *claims, uint64_t message, uint32_t recipient)
{
	struct flock lock = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(message * ROOM + recipient),
		.l_len = 1 };

	if (*claims == GATE_CLAIM_NONE && (*claims = open_claims(store)) == -1)
		return false;
	if (fcntl(*claims, F_OFD_SETLK, &lock) == 0)
		return true;
	if (errno == EACCES)
		errno = EAGAIN;
	return false;
}

void
gate_claim_release(int *claims)
{
	if (*claims != GATE_CLAIM_NONE)
		close(*claims);
	*claims = GATE_CLAIM_NONE;
}
