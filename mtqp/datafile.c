#include "mtqp/datafile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mtqp/home.h"

enum {
	/* octets of an entry; ours: more recipients than Linux lets a command
	 * line have, 6 MB, and each octet escaped */
	LINE_MAX_LEN = 16 << 20,
	LOCK_WAIT_MS = 10000, /* nobody needs it for longer than a moment */
	LOCK_TRY_MS = 20,
};

static enum mtrk_err
fail(struct datafile *w, const char *path)
{
	snprintf(w->why, DATAFILE_WHY_MAX, "%.1000s: %m", path);
	return MTRK_IO;
}

static bool
set_paths(struct datafile *w, const char *name)
{
	const bool ok =
	    home_path("XDG_DATA_HOME", ".local/share", w->dir, sizeof w->dir);

	snprintf(w->path, sizeof w->path, "%s/%s", w->dir, name);
	snprintf(w->lock, sizeof w->lock, "%s/lock", w->dir);
	return ok;
}

/* mkdir -p, 0700 for what is ours to make. */
static bool
make_dirs(char *path)
{
	for (char *p = path + 1; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST)
			return false;
		*p = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* A line that doesn't parse is kept out, never written over silently. */
static enum mtrk_err
read_entries(struct datafile *w)
{
	FILE *f = fopen(w->path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	unsigned number = 0;
	enum mtrk_err err = MTRK_OK;

	if (f == NULL)
		return errno == ENOENT ? MTRK_OK : fail(w, w->path);
	while (err == MTRK_OK && (n = getline(&line, &room, f)) > 0) {
		json_t *e = json_loads(line, 0, NULL);

		number++;
		if (!json_is_object(e) || n > LINE_MAX_LEN) {
			snprintf(w->why, DATAFILE_WHY_MAX,
			    "%.1000s:%u: not an entry of mtrk-track", w->path,
			    number);
			err = MTRK_CORRUPT;
			json_decref(e);
		} else {
			json_array_append_new(w->entries, e);
		}
	}
	free(line);
	fclose(f);
	return err;
}

void
datafile_close(struct datafile *w)
{
	json_decref(w->entries);
	if (w->lock_fd != -1)
		close(w->lock_fd);
}

static enum mtrk_err
take_lock(struct datafile *w)
{
	const struct timespec pause = { .tv_nsec = LOCK_TRY_MS * 1000000L };

	w->lock_fd = open(w->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (w->lock_fd == -1)
		return fail(w, w->lock);
	for (int ms = 0; flock(w->lock_fd, LOCK_EX | LOCK_NB) == -1;
	     ms += LOCK_TRY_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(w, w->lock);
		if (ms >= LOCK_WAIT_MS) {
			snprintf(w->why, DATAFILE_WHY_MAX,
			    "%.1000s: another program has it locked", w->lock);
			return MTRK_BUSY;
		}
		nanosleep(&pause, NULL);
	}
	return MTRK_OK;
}

static enum mtrk_err
load(struct datafile *w, enum mtrk_err err)
{
	if (err == MTRK_OK && (w->entries = json_array()) == NULL)
		err = MTRK_NOMEM;
	if (err == MTRK_OK)
		err = read_entries(w);
	if (err != MTRK_OK)
		datafile_close(w);
	return err;
}

enum mtrk_err
datafile_read(struct datafile *w, const char *name, char why[DATAFILE_WHY_MAX])
{
	*w = (struct datafile){ .lock_fd = -1, .why = why };
	return load(w, set_paths(w, name) ? MTRK_OK : fail(w, w->dir));
}

enum mtrk_err
datafile_open(struct datafile *w, const char *name, char why[DATAFILE_WHY_MAX])
{
	*w = (struct datafile){ .lock_fd = -1, .why = why };
	return load(w,
	    set_paths(w, name) && make_dirs(w->dir) ? take_lock(w)
						    : fail(w, w->dir));
}

static bool
write_entries(const struct datafile *w, FILE *f)
{
	size_t i;
	json_t *e;

	json_array_foreach(
	    w->entries, i, e) if (json_dumpf(e, f, JSON_COMPACT) != 0 ||
	    fputc('\n', f) == EOF) return false;
	return fflush(f) == 0 && fsync(fileno(f)) == 0;
}

/* Beside the old one, made durable, then in its place. */
enum mtrk_err
datafile_save(struct datafile *w)
{
	char temp[PATH_MAX + 80];
	FILE *f = NULL;
	int fd, dir;
	bool ok;

	snprintf(temp, sizeof temp, "%s.new", w->path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || (f = fdopen(fd, "w")) == NULL)
		return fail(w, temp);
	ok = fchmod(fd, 0600) == 0 && write_entries(w, f);
	if (fclose(f) != 0 || !ok || rename(temp, w->path) == -1) {
		fail(w, temp);
		unlink(temp);
		return MTRK_IO;
	}
	dir = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir != -1) {
		fsync(dir);
		close(dir);
	}
	return MTRK_OK;
}
