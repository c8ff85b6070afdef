#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/log.h"

enum { PATH_LEN_MAX = 4096 /* realpath(3)'s PATH_MAX */ };

/* Sanitizers look at /proc and trace themselves when the process ends. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

static const uint64_t reads =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t writes =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG;
/* The first version's rights: later kernels know them too. */
static const uint64_t handled = LANDLOCK_ACCESS_FS_EXECUTE |
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

/* "/a/b" is beside all in "/a". */
static void
folder_of(const char *path, char out[PATH_LEN_MAX])
{
	const char *slash = strrchr(path, '/');
	struct span s = { path, slash != NULL ? (size_t)(slash - path) : 0 };

	if (slash == NULL)
		s = SPAN(".");
	else if (s.n == 0)
		s = SPAN("/");
	span_copy(out, PATH_LEN_MAX, s);
}

static bool
allow_beneath(int rules, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	struct stat st;
	bool ok;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR &
		    ~(uint64_t)LANDLOCK_ACCESS_FS_MAKE_REG;
	ok = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		 &rule, 0) == 0;
	close(rule.parent_fd);
	return ok;
}

static bool
allow(int rules, const struct sandbox_path *p)
{
	const uint64_t access =
	    p->may == SANDBOX_WRITE_BESIDE ? reads | writes : reads;
	char folder[PATH_LEN_MAX], *real;
	bool ok;

	if (p->may == SANDBOX_READ)
		return allow_beneath(rules, p->path, access);
	folder_of(p->path, folder);
	ok = allow_beneath(rules, folder, access);
	if (ok && (real = realpath(p->path, NULL)) != NULL) {
		folder_of(real, folder);
		ok = allow_beneath(rules, folder, access);
		free(real);
	}
	return ok;
}

enum mtrk_err
sandbox_files(const struct sandbox_path *paths, size_t n)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = handled };
	int rules;
	bool ok;

	if (SANITIZED)
		return MTRK_OK;
	rules =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	ok = rules != -1;
	/* EPERM: a container's filter of system calls */
	if (rules == -1 &&
	    (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM)) {
		log_notice("event=sandbox text=\"no Landlock here: %m\"");
		return MTRK_OK;
	}
	for (size_t i = 0; ok && i < n; i++)
		ok = allow(rules, &paths[i]);
	ok = ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	if (rules != -1)
		close(rules);
	return ok ? MTRK_OK : MTRK_IO;
}

/* What serving sockets, LMDB, malloc, OpenSSL and the log need. */
static const char *const serving[] = { "accept", "accept4", "brk",
	"clock_nanosleep", "clock_gettime", "close", "connect", "dup", "dup2",
	"dup3", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
	"epoll_wait", "exit", "exit_group", "fcntl", "fdatasync", "flock",
	"fstat", "fstatfs", "futex", "getcwd", "getdents64", "getegid",
	"geteuid", "getgid", "getpeername", "getpid", "getppid", "getrandom",
	"getrlimit", "getsockname", "getsockopt", "gettid", "gettimeofday",
	"getuid", "ioctl", "lseek", "lstat", "madvise", "mmap", "mprotect",
	"mremap", "munmap", "nanosleep", "newfstatat", "open", "openat", "poll",
	"ppoll", "pread64", "prlimit64", "read", "readv", "recvfrom", "recvmsg",
	"restart_syscall", "rseq", "rt_sigaction", "rt_sigprocmask",
	"rt_sigreturn", "sched_yield", "sendmsg", "sendto", "set_robust_list",
	"setsockopt", "shutdown", "sigaltstack", "socket", "stat", "statx",
	"sysinfo", "tgkill", "time", "umask", "uname", "unlink", "wait4",
	"write", "writev" };
/* What asking other servers adds. */
static const char *const asking[] = { "bind", "eventfd2", "getitimer", "pipe2",
	"recvmmsg", "sendmmsg", "set_tid_address", "socketpair",
	"timerfd_create", "timerfd_settime" };

static bool
add_calls(scmp_filter_ctx f, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);
		int rc = nr == __NR_SCMP_ERROR
		    ? 0 /* unknown to this libseccomp */
		    : seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 0);

		if (rc != 0 && rc != -EDOM) /* not of this architecture */
			return false;
	}
	return true;
}

/* A thread, and nothing else: clone3() hides its flags, so it isn't there and
 * glibc falls back on clone(). */
static bool
add_threads(scmp_filter_ctx f)
{
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		   SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) ==
	    0;
}

enum mtrk_err
sandbox_calls(bool asks)
{
	scmp_filter_ctx f;
	bool ok;
	int rc = 0;

	if (SANITIZED)
		return MTRK_OK;
	if ((f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS))) == NULL)
		return MTRK_NOMEM;
	ok = add_calls(f, serving, ARRAY_LEN(serving)) &&
	    (!asks ||
		(add_calls(f, asking, ARRAY_LEN(asking)) && add_threads(f)));
	if (ok)
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (ok && rc == 0) /* for all threads */
		rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (ok && rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	if (rc == -EINVAL || rc == -ENOSYS) {
		log_debug("event=sandbox text=\"no seccomp in this kernel\"");
		return MTRK_OK;
	}
	errno = rc < 0 ? -rc : errno;
	return ok && rc == 0 ? MTRK_OK : MTRK_IO;
}

const char *
sandbox_version(void)
{
	static char text[48];
	const struct scmp_version *v = seccomp_version();

	snprintf(text, sizeof text, "libseccomp %u.%u.%u", v->major, v->minor,
	    v->micro);
	return text;
}
