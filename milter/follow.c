#include "milter/follow.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "milter/archive.h"
#include "milter/journal.h"
#include "milter/stream_source.h"
#include "milter/tail.h"

struct follow {
	struct follow_source source;
};

static enum mtrk_err
open_source(const char *path, struct follow_source *out)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return stream_source_new(STDIN_FILENO, out);
	if (strcmp(path, "journal") == 0)
		return journal_new(NULL, out);
	if (strncmp(path, "journal:", strlen("journal:")) == 0)
		return journal_new(path + strlen("journal:"), out);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return archive_new(path, out);
	return tail_new(path, out);
}

enum mtrk_err
follow_new(const char *path, const char *mark, struct follow **out)
{
	struct follow *f = calloc(1, sizeof *f);
	enum mtrk_err err;

	*out = NULL;
	if (f == NULL)
		return MTRK_NOMEM;
	err = open_source(path, &f->source);
	if (err != MTRK_OK) {
		free(f);
		return err;
	}
	if (mark[0] != '\0')
		follow_rewind(f, mark); /* or from the start */
	*out = f;
	return MTRK_OK;
}

void
follow_free(struct follow **fp)
{
	struct follow *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	f->source.kind->free(f->source.self);
	free(f);
}

bool
follow_line(struct follow *f, struct span *line)
{
	return f->source.kind->line(f->source.self, line);
}

bool
follow_ended(const struct follow *f)
{
	return f->source.kind->ended != NULL &&
	    f->source.kind->ended(f->source.self);
}

const char *
follow_trouble(const struct follow *f)
{
	return f->source.kind->trouble(f->source.self);
}

int64_t
follow_written(const struct follow *f)
{
	if (f->source.kind->written == NULL)
		return time(NULL);
	return f->source.kind->written(f->source.self);
}

void
follow_mark(const struct follow *f, char mark[FOLLOW_MARK_MAX])
{
	f->source.kind->mark(f->source.self, mark);
}

enum mtrk_err
follow_rewind(struct follow *f, const char *mark)
{
	return f->source.kind->rewind(f->source.self, mark);
}

uint64_t
follow_skipped(const struct follow *f)
{
	return f->source.kind->skipped(f->source.self);
}

void
follow_wait(struct follow *f, int other_fd, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = f->source.kind->poll_fd(f->source.self),
		    .events = POLLIN },
		{ .fd = other_fd, .events = POLLIN },
	};

	if (poll(fds, 2, timeout_ms) > 0 && fds[0].revents != 0 &&
	    f->source.kind->woken != NULL)
		f->source.kind->woken(f->source.self);
}
