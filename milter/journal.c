#include "milter/journal.h"

#ifndef MTRK_SYSTEMD

enum mtrk_err
journal_new(const char *dir, struct follow_source *out)
{
	(void)dir;
	(void)out;
	return MTRK_NOTFOUND;
}

const char *
journal_version(void)
{
	return "no libsystemd";
}

#else

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "common/when.h"

enum { LINE_MAX_LEN = 2 * FOLLOW_LINE_MAX /* with its stamp and tag; ours */ };

/* LOG_MAIL: both MTAs' facility, as journald writes it. */
static const char only_mail[] = "SYSLOG_FACILITY=2";

struct journal {
	sd_journal *j;
	struct buf line;
	char
	    last[FOLLOW_MARK_MAX]; /* cursor of the line given last; "": none */
	bool moved; /* the journal stands at a line behind `last` */
	bool at_start; /* nothing was looked for yet */
	uint64_t skipped;
	char trouble[128];
};

/* A failure of the journal's is trouble, and no more lines for now. */
static bool
ok(struct journal *j, int rc)
{
	errno = rc < 0 ? -rc : 0;
	if (rc < 0)
		snprintf(j->trouble, sizeof j->trouble, "journal: %m");
	else
		j->trouble[0] = '\0';
	return rc >= 0;
}

/* The value of a field of this entry; empty: it has none. */
static struct span
field(struct journal *j, const char *name)
{
	const void *data;
	size_t n, skip = strlen(name) + 1;

	if (sd_journal_get_data(j->j, name, &data, &n) < 0 || n < skip)
		return SPAN("");
	return (struct span){ (const char *)data + skip, n - skip };
}

static struct span
first_of(struct journal *j, const char *const names[2])
{
	struct span v = field(j, names[0]);

	return v.n > 0 ? v : field(j, names[1]);
}

/* When it was sent, if the sender's time is known, else when it came. */
static int64_t
entry_time(struct journal *j)
{
	uint64_t us = 0;

	if (!span_number(
		field(j, "_SOURCE_REALTIME_TIMESTAMP"), INT64_MAX, &us))
		sd_journal_get_realtime_usec(j->j, &us);
	return (int64_t)(us / 1000000);
}

/* "2026-11-24T03:12:05Z host postfix/smtp[12]: text"; false: too long. */
static bool
compose(struct journal *j, struct span *line)
{
	static const char *const pids[] = { "SYSLOG_PID", "_PID" };
	static const char *const hosts[] = { "_HOSTNAME", "HOSTNAME" };
	char stamp[WHEN_TEXT];
	struct span v;

	buf_cut(&j->line, 0);
	when_rfc3339(entry_time(j), stamp);
	buf_fmt(&j->line, "%s ", stamp);
	v = first_of(j, hosts);
	buf_span(&j->line, v.n > 0 ? v : SPAN("-"));
	buf_chr(&j->line, ' ');
	buf_span(&j->line, field(j, "SYSLOG_IDENTIFIER"));
	v = first_of(j, pids);
	if (v.n > 0)
		buf_fmt(&j->line, "[%.*s]", (int)v.n, v.p);
	buf_str(&j->line, ": ");
	v = field(j, "MESSAGE");
	buf_span(&j->line, v);
	*line = buf_as_span(&j->line);
	if (v.n <= FOLLOW_LINE_MAX && j->line.err == MTRK_OK)
		return true;
	buf_free(&j->line);
	j->skipped++;
	return false;
}

static void
remember(struct journal *j)
{
	char *cursor = NULL;

	if (!j->moved || sd_journal_get_cursor(j->j, &cursor) < 0)
		return;
	snprintf(j->last, sizeof j->last, "%s", cursor);
	free(cursor);
	j->moved = false;
}

/* The entry behind the one that was given last. */
static bool
step(struct journal *j)
{
	int rc;

	if (j->at_start) {
		rc = j->last[0] != '\0' ? sd_journal_seek_cursor(j->j, j->last)
					: sd_journal_seek_head(j->j);
		if (!ok(j, rc))
			return false;
		j->at_start = false;
	}
	/* journald may have copied an entry into the next file */
	do
		rc = sd_journal_next(j->j);
	while (rc > 0 && !j->moved && j->last[0] != '\0' &&
	    sd_journal_test_cursor(j->j, j->last) > 0);
	return ok(j, rc) && rc > 0;
}

static bool
journal_line(void *self, struct span *line)
{
	struct journal *j = self;

	while (step(j)) {
		j->moved = true;
		if (compose(j, line))
			return true;
	}
	/* where to go on, before anything is rotated away */
	remember(j);
	return false;
}

static const char *
journal_trouble(const void *self)
{
	const struct journal *j = self;

	return j->trouble[0] != '\0' ? j->trouble : NULL;
}

static void
journal_mark(void *self, char out[FOLLOW_MARK_MAX])
{
	struct journal *j = self;

	remember(j);
	memcpy(out, j->last, FOLLOW_MARK_MAX);
}

static enum mtrk_err
journal_rewind(void *self, const char *mark)
{
	struct journal *j = self;

	if (!span_copy(j->last, sizeof j->last, span_of(mark)))
		return MTRK_SYNTAX;
	j->at_start = true;
	j->moved = false;
	return MTRK_OK;
}

static uint64_t
journal_skipped(const void *self)
{
	const struct journal *j = self;

	return j->skipped;
}

static int
journal_poll_fd(void *self)
{
	struct journal *j = self;

	return sd_journal_get_fd(j->j);
}

static void
journal_woken(void *self)
{
	struct journal *j = self;

	sd_journal_process(j->j);
}

static void
journal_free(void *self)
{
	struct journal *j = self;

	sd_journal_close(j->j);
	buf_free(&j->line);
	free(j);
}

enum mtrk_err
journal_new(const char *dir, struct follow_source *out)
{
	static const struct follow_kind kind = {
		.line = journal_line,
		.trouble = journal_trouble,
		.mark = journal_mark,
		.rewind = journal_rewind,
		.skipped = journal_skipped,
		.poll_fd = journal_poll_fd,
		.woken = journal_woken,
		.free = journal_free,
	};
	struct journal *j = calloc(1, sizeof *j);
	int rc;

	if (j == NULL)
		return MTRK_NOMEM;
	j->line = BUF(LINE_MAX_LEN);
	j->at_start = true;
	rc = dir != NULL ? sd_journal_open_directory(&j->j, dir, 0)
			 : sd_journal_open(&j->j, SD_JOURNAL_LOCAL_ONLY);
	if (rc >= 0)
		rc = sd_journal_add_match(j->j, only_mail, 0);
	if (rc >= 0)
		rc = sd_journal_set_data_threshold(j->j, LINE_MAX_LEN);
	if (rc < 0) {
		journal_free(j);
		errno = -rc;
		return MTRK_IO;
	}
	(void)sd_journal_get_fd(j->j); /* watch before the first look */
	*out = (struct follow_source){ &kind, j };
	return MTRK_OK;
}

const char *
journal_version(void)
{
	return "libsystemd " MTRK_SYSTEMD;
}

#endif
