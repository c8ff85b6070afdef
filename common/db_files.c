/*
 * The two files in the folder: room for them, their modes, and whether it is
 * still they that the folder has.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/db_private.h"
#include "common/log.h"

enum {
	LOCK_LEN = 9 * 4096, /* octets: READERS_MAX of 64 each, and a header */
	DATA_BEGIN = 8 * 4096, /* octets: two metas, the tables, copies */
	FILE_PATH_MAX = PATH_MAX_LEN + 16,
};

static const struct {
	const char *name;
	mode_t mode;
	off_t begin;
} files[DB_FILES] = {
	[DB_DATA] = { "data.mdb", 0640, DATA_BEGIN },
	[DB_LOCK] = { "lock.mdb", 0660, LOCK_LEN },
};

static void
path_of(const struct db *db, size_t file, char path[FILE_PATH_MAX])
{
	snprintf(path, FILE_PATH_MAX, "%s/%s", db->dir, files[file].name);
}

void
db_set_modes(const struct db *db)
{
	char path[FILE_PATH_MAX];

	for (size_t i = 0; i < DB_FILES; i++) {
		path_of(db, i, path);
		(void)!chmod(path, files[i].mode);
	}
}

int
db_reserve(const struct db *db)
{
	char path[FILE_PATH_MAX];
	int fd, rc = 0;

	for (size_t i = 0; rc == 0 && i < DB_FILES; i++) {
		path_of(db, i, path);
		if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660)) == -1)
			return errno;
		if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, files[i].begin) ==
			-1 &&
		    (errno == ENOSPC || errno == EDQUOT))
			rc = errno; /* else there is no such call here */
		close(fd);
	}
	return rc;
}

static char unreadable[PATH_MAX_LEN];

/* Of the thread that looked, which was not in the log or malloc() just then. */
static void
on_unreadable(int sig)
{
	(void)sig;
	log_err("event=store store=\"%s\" text=\"data.mdb was cut off, or its "
		"disk fails: it has to come from a backup, or be made anew\"",
	    unreadable);
	_exit(EX_IOERR);
}

void
db_tell_unreadable(const struct db *db)
{
	const struct sigaction action = { .sa_handler = on_unreadable };

	span_copy(unreadable, sizeof unreadable, span_of(db->dir));
	sigaction(SIGBUS, &action, NULL);
}

/* All 0: there is none. */
static struct db_file
file_now(const struct db *db, size_t file)
{
	char path[FILE_PATH_MAX];
	struct stat st;

	path_of(db, file, path);
	if (stat(path, &st) == -1)
		return (struct db_file){ 0 };
	return (struct db_file){ st.st_dev, st.st_ino };
}

void
db_know_files(struct db *db)
{
	for (size_t i = 0; i < DB_FILES; i++)
		db->files[i] = file_now(db, i);
}

static bool
same_file(struct db_file a, struct db_file b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

/* What was renamed with its folder is still somewhere. */
static bool
is_deleted(const struct db *db)
{
	struct stat st;
	int fd;

	return mdb_env_get_fd(db->env, &fd) == 0 && fstat(fd, &st) == 0 &&
	    st.st_nlink == 0;
}

/* What is written then is lost or, if only lock.mdb is another, is not
 * written alone. */
bool
db_lost_files(const struct db *db)
{
	struct db_file data = file_now(db, DB_DATA);

	if (data.ino == 0)
		return is_deleted(db);
	return !same_file(data, db->files[DB_DATA]) ||
	    !same_file(file_now(db, DB_LOCK), db->files[DB_LOCK]);
}
