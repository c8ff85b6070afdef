#include "milter/follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 65536 };

struct follow {
	char path[PATH_MAX], dir[PATH_MAX];
	int fd, notify;
	bool is_stdin, ended;
	bool skipping; /* inside a line that is too long */
	uint64_t device, inode;
	uint64_t offset; /* of `bytes`[at] in the file */
	uint64_t skipped;
	char trouble[128];
	size_t at, n;
	char bytes[CHUNK];
};

static void
forget_bytes(struct follow *f, uint64_t offset)
{
	f->at = f->n = 0;
	f->offset = offset;
	f->skipping = false;
}

static void
close_file(struct follow *f)
{
	if (f->fd != -1 && !f->is_stdin)
		close(f->fd);
	f->fd = -1;
}

static bool
open_at(struct follow *f, const char *path, uint64_t offset)
{
	struct stat st;

	close_file(f);
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd == -1 || fstat(f->fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		snprintf(f->trouble, sizeof f->trouble, "%m");
		close_file(f);
		return false;
	}
	if ((uint64_t)st.st_size < offset)
		offset = 0; /* it was copied and truncated */
	f->trouble[0] = '\0';
	f->device = st.st_dev;
	f->inode = st.st_ino;
	forget_bytes(f, offset);
	return lseek(f->fd, (off_t)offset, SEEK_SET) != -1;
}

/* A renamed file is still in its folder, under a name that begins alike. */
static bool
open_renamed(struct follow *f, uint64_t device, uint64_t inode, uint64_t offset)
{
	const char *base = strrchr(f->path, '/') + 1;
	DIR *d = opendir(f->dir);
	struct dirent *e;
	struct stat st;
	bool found = false;

	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		char path[PATH_MAX + NAME_MAX + 2];

		if (e->d_ino != inode ||
		    strncmp(e->d_name, base, strlen(base)) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", f->dir, e->d_name);
		found = stat(path, &st) == 0 && st.st_dev == device &&
		    open_at(f, path, offset);
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* "DEVICE INODE OFFSET", as follow_mark() wrote it. */
static bool
read_mark(const char *mark, uint64_t out[3])
{
	struct cur c = cur_of(span_of(mark));

	return span_number(cur_until(&c, ' ', 20), UINT64_MAX, &out[0]) &&
	    span_number(cur_until(&c, ' ', 20), UINT64_MAX, &out[1]) &&
	    span_number(cur_rest(&c), INT64_MAX, &out[2]);
}

void
follow_mark(const struct follow *f, char mark[FOLLOW_MARK_MAX])
{
	snprintf(mark, FOLLOW_MARK_MAX, "%" PRIu64 " %" PRIu64 " %" PRIu64,
	    f->device, f->inode, f->offset);
}

enum mtrk_err
follow_rewind(struct follow *f, const char *mark)
{
	uint64_t m[3];

	if (f->is_stdin || !read_mark(mark, m))
		return MTRK_SYNTAX;
	if (open_renamed(f, m[0], m[1], m[2]))
		return MTRK_OK;
	return open_at(f, f->path, 0) ? MTRK_OK : MTRK_IO;
}

static bool
set_paths(struct follow *f, const char *path)
{
	char *slash;

	if (path[0] == '/')
		snprintf(f->path, sizeof f->path, "%s", path);
	else if (getcwd(f->dir, sizeof f->dir) == NULL ||
	    snprintf(f->path, sizeof f->path, "%s/%s", f->dir, path) >=
		(int)sizeof f->path)
		return false;
	memcpy(f->dir, f->path, sizeof f->dir);
	slash = strrchr(f->dir, '/');
	slash[slash == f->dir ? 1 : 0] = '\0';
	return true;
}

enum mtrk_err
follow_new(const char *path, const char *mark, struct follow **out)
{
	struct follow *f = calloc(1, sizeof *f);

	*out = f;
	if (f == NULL)
		return MTRK_NOMEM;
	f->fd = f->notify = -1;
	f->is_stdin = strcmp(path, "-") == 0;
	if (f->is_stdin) {
		f->fd = STDIN_FILENO;
		return MTRK_OK;
	}
	if (!set_paths(f, path)) {
		follow_free(out);
		return MTRK_TOOBIG;
	}
	/* Without inotify the timeout of follow_wait() has to do. */
	f->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->notify != -1)
		(void)inotify_add_watch(
		    f->notify, f->dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO);
	if (mark[0] == '\0' || follow_rewind(f, mark) != MTRK_OK)
		open_at(f, f->path, 0);
	return MTRK_OK;
}

void
follow_free(struct follow **fp)
{
	struct follow *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	close_file(f);
	if (f->notify != -1)
		close(f->notify);
	free(f);
}

/* The path names another file now, or this one was cut: go on there. */
static bool
move_on(struct follow *f)
{
	struct stat st;

	if (f->is_stdin || stat(f->path, &st) == -1)
		return false;
	if (f->fd == -1 || st.st_dev != f->device || st.st_ino != f->inode)
		return open_at(f, f->path, 0);
	if ((uint64_t)st.st_size < f->offset + (f->n - f->at))
		return open_at(f, f->path, 0);
	return false;
}

/* More bytes behind those that are there; false: none now. */
static bool
fill(struct follow *f)
{
	ssize_t got;

	if (f->fd == -1)
		return false;
	memmove(f->bytes, f->bytes + f->at, f->n - f->at);
	f->n -= f->at;
	f->at = 0;
	do
		got = read(f->fd, f->bytes + f->n, sizeof f->bytes - f->n);
	while (got == -1 && errno == EINTR);
	if (got == 0 && f->is_stdin)
		f->ended = true;
	if (got == -1)
		snprintf(f->trouble, sizeof f->trouble, "%m");
	if (got <= 0)
		return false;
	f->n += (size_t)got;
	return true;
}

static void
consume(struct follow *f, size_t n)
{
	f->at += n;
	f->offset += n;
}

/* A line from what was read; too long a line is consumed piece by piece. */
static bool
take_line(struct follow *f, struct span *line)
{
	for (;;) {
		size_t have = f->n - f->at;
		const char *p = f->bytes + f->at;
		const char *end = have > 0 ? memchr(p, '\n', have) : NULL;
		size_t n = end != NULL ? (size_t)(end - p) : have;
		bool whole =
		    end != NULL && !f->skipping && n <= FOLLOW_LINE_MAX;

		if (end == NULL && n <= FOLLOW_LINE_MAX && !f->skipping)
			return false;
		consume(f, end != NULL ? n + 1 : n);
		*line = (struct span){ p, n };
		if (whole)
			return true;
		f->skipped += !f->skipping;
		f->skipping = end == NULL;
		if (end == NULL)
			return false;
	}
}

bool
follow_line(struct follow *f, struct span *line)
{
	do {
		if (take_line(f, line))
			return true;
	} while (fill(f) || (move_on(f) && fill(f)));
	/* what comes behind the last newline of standard input is a line */
	if (f->ended && f->n > f->at && !f->skipping) {
		*line = (struct span){ f->bytes + f->at, f->n - f->at };
		consume(f, line->n);
		return true;
	}
	return false;
}

bool
follow_ended(const struct follow *f)
{
	return f->ended && f->n == f->at;
}

const char *
follow_trouble(const struct follow *f)
{
	return f->trouble[0] != '\0' ? f->trouble : NULL;
}

uint64_t
follow_skipped(const struct follow *f)
{
	return f->skipped;
}

void
follow_wait(struct follow *f, int other_fd, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = f->is_stdin ? STDIN_FILENO : f->notify,
		    .events = POLLIN },
		{ .fd = other_fd, .events = POLLIN },
	};
	char events[4096];

	if (poll(fds, 2, timeout_ms) <= 0 || f->is_stdin)
		return;
	while (f->notify != -1 && read(f->notify, events, sizeof events) > 0)
		;
}
