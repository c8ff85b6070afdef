#include "milter/gz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { BUFFER = 65536 /* octets read at once; ours */ };

struct gz {
	gzFile file;
};

bool
gz_is(int fd)
{
	unsigned char magic[2];

	return pread(fd, magic, sizeof magic, 0) == sizeof magic &&
	    magic[0] == 0x1f && magic[1] == 0x8b; /* RFC 1952 2.3.1 */
}

struct gz *
gz_open(int fd)
{
	struct gz *g = calloc(1, sizeof *g);
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (g != NULL && own != -1 && lseek(own, 0, SEEK_SET) == 0)
		g->file = gzdopen(own, "r");
	if (g == NULL || g->file == NULL) {
		if (own != -1)
			close(own);
		free(g);
		return NULL;
	}
	gzbuffer(g->file, BUFFER);
	return g;
}

void
gz_close(struct gz **gp)
{
	struct gz *g = *gp;

	*gp = NULL;
	if (g == NULL)
		return;
	gzclose_r(g->file);
	free(g);
}

ssize_t
gz_read(struct gz *g, void *out, size_t n, uint64_t offset)
{
	if (gztell(g->file) != (z_off_t)offset) {
		gzclearerr(g->file);
		if (gzseek(g->file, (z_off_t)offset, SEEK_SET) == -1)
			return -1;
	}
	return gzread(g->file, out, (unsigned)n);
}

bool
gz_damaged(struct gz *g)
{
	int err = Z_OK;

	(void)gzerror(g->file, &err);
	return err != Z_OK && err != Z_STREAM_END;
}

const char *
gz_version(void)
{
	return zlibVersion();
}
