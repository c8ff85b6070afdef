/*
 * milter: a follower under any sequence of what happens to logs gives exactly
 * the lines that were written, each once, in order.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "milter/follow.h"

enum { OPS_MAX = 120, OLD_MAX = 60 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char dir[64], path[96];
static struct follow *f;
static char mark[FOLLOW_MARK_MAX];
static unsigned written, got, old;
static bool partial; /* the last line has no newline yet */
static int64_t clock_s;

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Everything that is done takes a second. */
static void
tick(const char *file)
{
	struct timespec t[2] = { { .tv_sec = ++clock_s } };

	t[1] = t[0];
	utimensat(AT_FDCWD, file, t, 0);
}

static void
append(const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	must(
	    fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	tick(path);
}

static void
write_line(unsigned length)
{
	char text[1024];

	snprintf(text, sizeof text, "%u %0*u%s", written, (int)length, 0,
	    length % 5 == 0 ? "" : "\n");
	if (partial)
		append("\n");
	append(text);
	partial = length % 5 == 0;
	written++;
}

static void
finish_line(void)
{
	if (partial)
		append("\n");
	partial = false;
}

static void
look(void)
{
	struct span line, number, rest;
	uint64_t n;

	while (follow_line(f, &line)) {
		must(span_split(line, ' ', &number, &rest) &&
		    span_number(number, UINT32_MAX, &n) && n == got);
		got++;
	}
}

static void
old_name(char out[128], unsigned n)
{
	snprintf(out, 128, "%s.%u", path, n);
}

static void
do_rename(void)
{
	char name[128];

	finish_line();
	old_name(name, ++old);
	if (rename(path, name) == 0)
		tick(name);
}

static void
do_copy(void)
{
	char name[128], bytes[65536];
	int from = open(path, O_RDONLY | O_CLOEXEC), to;
	ssize_t n;

	finish_line();
	if (from == -1)
		return;
	old_name(name, ++old);
	to = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	while ((n = read(from, bytes, sizeof bytes)) > 0)
		must(write(to, bytes, (size_t)n) == n);
	close(from);
	close(to);
	tick(name);
	must(truncate(path, 0) == 0);
	tick(path);
}

static void
do_compress(void)
{
	char name[128], packed[140], bytes[65536];
	struct stat st;
	ssize_t n;
	gzFile out;
	int in;

	old_name(name, old);
	snprintf(packed, sizeof packed, "%s.gz", name);
	if (stat(name, &st) == -1 ||
	    (in = open(name, O_RDONLY | O_CLOEXEC)) == -1)
		return;
	must((out = gzopen(packed, "wb")) != NULL);
	while ((n = read(in, bytes, sizeof bytes)) > 0)
		must(gzwrite(out, bytes, (unsigned)n) == n);
	gzclose(out);
	close(in);
	utimensat(AT_FDCWD, packed,
	    (struct timespec[2]){ st.st_atim, st.st_mtim }, 0);
	unlink(name);
}

/* What is removed before anybody looked is gone for everybody. */
static void
do_remove(void)
{
	finish_line();
	look();
	unlink(path);
}

static void
do_truncate(void)
{
	finish_line();
	look();
	if (truncate(path, 0) == 0)
		tick(path);
}

static void
do_restart(void)
{
	follow_mark(f, mark);
	follow_free(&f);
	must(follow_new(path, mark, &f) == MTRK_OK);
}

static void
clean(void)
{
	char name[128], packed[140];

	unlink(path);
	for (; old > 0; old--) {
		old_name(name, old);
		unlink(name);
		snprintf(packed, sizeof packed, "%s.gz", name);
		unlink(packed);
	}
	rmdir(dir);
}

static void (*const acts[])(void) = { look, look, do_rename, do_copy,
	do_compress, do_remove, do_truncate, do_restart };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	snprintf(dir, sizeof dir, "/dev/shm/mtrk-fuzz-%d", getpid());
	snprintf(path, sizeof path, "%s/mail.log", dir);
	must(mkdir(dir, 0700) == 0);
	written = got = 0;
	partial = false;
	clock_s = 1795500000;
	append("");
	must(follow_new(path, "", &f) == MTRK_OK);
	look(); /* it is there, and empty */
	for (size_t i = 0; i < n && i < OPS_MAX && old < OLD_MAX; i++) {
		unsigned kind = data[i] % 16;

		if (kind < sizeof acts / sizeof *acts)
			acts[kind]();
		else
			write_line(data[i]);
	}
	finish_line();
	append("");
	look();
	must(got == written);
	follow_free(&f);
	clean();
	return 0;
}
