#include "common/err.h"

#include "common/span.h"

static const char *const texts[] = {
	[MTRK_OK] = "ok",
	[MTRK_NOTFOUND] = "not found",
	[MTRK_SYNTAX] = "bad syntax",
	[MTRK_TOOBIG] = "too big",
	[MTRK_DENIED] = "denied",
	[MTRK_BUSY] = "busy, try again",
	[MTRK_FULL] = "store or disk full",
	[MTRK_IO] = "i/o error",
	[MTRK_NOMEM] = "out of memory",
	[MTRK_CORRUPT] = "corrupt record",
	[MTRK_FORMAT] = "another format version",
};
_Static_assert(ARRAY_LEN(texts) == MTRK_ERR_COUNT, "a text for each");

const char *
mtrk_err_text(enum mtrk_err err)
{
	return (unsigned)err < MTRK_ERR_COUNT ? texts[err] : "unknown outcome";
}
