/*
 * common/sandbox.h -- what a daemon that strangers talk to gives up for good
 * once it has started: files (Landlock) and system calls (seccomp).  The door
 * to both.  Where the kernel has one of them not, that one is skipped, with a
 * word in the log; a failure is an error.
 */
#ifndef MTRK_COMMON_SANDBOX_H
#define MTRK_COMMON_SANDBOX_H

#include "common/err.h"
#include "common/span.h"

enum sandbox_may {
	SANDBOX_READ, /* the file, or all in the folder */
	SANDBOX_READ_BESIDE, /* all in the folder that the file is in, and in
				that which a symbolic link leads to now */
	SANDBOX_WRITE_BESIDE, /* the same, and make and write files there */
};
struct sandbox_path {
	const char *path; /* that doesn't exist: skipped */
	enum sandbox_may may;
};

/* From now on no other file can be opened by this thread, and by those that
 * it starts; those that are open stay so.  MTRK_IO keeps errno. */
enum mtrk_err sandbox_files(const struct sandbox_path *, size_t n);

/*
 * In all threads, from now on only what a loop that serves sockets needs; no
 * new program, no new process, nothing about users, mounts, other processes.
 * `asks`: it may make connections and threads too.
 */
enum mtrk_err sandbox_calls(bool asks);

const char *sandbox_version(void); /* "libseccomp 2.5.4" */

#endif
