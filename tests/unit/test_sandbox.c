/* What is left to a process that was taken over: it tries, on this kernel,
 * what an intruder in mtqpd would. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "tests/lib/cm.h"

enum { PATH_LEN = 300 };

static char folder[256], store[PATH_LEN], key[PATH_LEN], zone[PATH_LEN],
    audit[PATH_LEN], fresh[PATH_LEN], linked[PATH_LEN];
static int data; /* the store's file, as store_open(STORE_READ) has it */

static bool
closed(int fd)
{
	if (fd != -1)
		close(fd);
	return fd == -1;
}

static bool
no_open(const char *path, int how)
{
	return closed(open(path, how | O_CLOEXEC, 0600)) && errno == EACCES;
}

static bool
may_open(const char *path, int how)
{
	return !closed(open(path, how | O_CLOEXEC, 0600));
}

/* One of mtqpd's calls doesn't exist there. */
static bool
no_call(long rc)
{
	return rc == -1 && errno == ENOSYS;
}

static bool
files_are_out_of_reach(void)
{
	char byte;

	return no_open(store, O_RDWR) && no_open(store, O_WRONLY | O_TRUNC) &&
	    no_open(store, O_RDONLY) && no_open(key, O_RDONLY) &&
	    no_open("/etc/passwd", O_RDONLY) && no_open(zone, O_WRONLY) &&
	    no_open(fresh, O_WRONLY | O_CREAT) && unlink(store) == -1 &&
	    unlink(audit) == -1 && may_open(zone, O_RDONLY) &&
	    may_open(linked, O_RDONLY) && no_open(linked, O_WRONLY) &&
	    may_open(audit, O_WRONLY | O_APPEND) &&
	    pread(data, &byte, 1, 0) == 1;
}

/* What is open for reading doesn't become more. */
static bool
data_stays_as_it_is(void)
{
	char proc[PATH_LEN];

	snprintf(proc, sizeof proc, "/proc/self/fd/%d", data);
	return pwrite(data, "x", 1, 0) == -1 && ftruncate(data, 0) == -1 &&
	    truncate(store, 0) == -1 && fchmod(data, 0666) == -1 &&
	    mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, data, 0) ==
	    MAP_FAILED &&
	    no_open(proc, O_RDWR);
}

static bool
nothing_is_started(void)
{
	char *const argv[] = { "true", NULL }, *const envp[] = { NULL };

	return no_call(execve("/bin/true", argv, envp)) && no_call(fork()) &&
	    no_call(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)) &&
	    no_call(kill(getppid(), 0)) && no_call(setuid(0)) &&
	    no_call(chroot("/")) && no_call(rename(audit, store)) &&
	    no_call(symlink(key, fresh)) && no_call(chmod(store, 0666)) &&
	    no_call(prctl(PR_SET_DUMPABLE, 1));
}

static bool
it_can_serve(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return !closed(fd);
}

static const struct {
	const char *what;
	bool (*holds)(void);
} rules[] = {
	{ "it can still serve", it_can_serve },
	{ "files are out of reach", files_are_out_of_reach },
	{ "what is open for reading stays so", data_stays_as_it_is },
	{ "nothing is started, nobody touched", nothing_is_started },
};

static void
be_taken_over(void)
{
	const struct sandbox_path paths[] = { { zone, SANDBOX_READ },
		{ linked, SANDBOX_READ_BESIDE },
		{ audit, SANDBOX_WRITE_BESIDE } };

	if (sandbox_files(paths, ARRAY_LEN(paths)) != MTRK_OK ||
	    sandbox_calls(false) != MTRK_OK)
		_exit(99);
	for (unsigned i = 0; i < ARRAY_LEN(rules); i++)
		if (!rules[i].holds())
			_exit((int)i + 1);
	_exit(0);
}

static void
put(char path[PATH_LEN], const char *name)
{
	FILE *f;

	snprintf(path, PATH_LEN, "%s/%s", folder, name);
	assert_non_null(f = fopen(path, "w"));
	fputs("text", f);
	fclose(f);
}

/* Sanitizers need what the sandbox takes away. */
static bool
has_sandbox(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	return false;
#else
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
		   LANDLOCK_CREATE_RULESET_VERSION) >= 1 &&
	    prctl(PR_GET_SECCOMP) != -1;
#endif
}

/* As /etc/resolv.conf is: what it leads to is beside it, too. */
static void
link_elsewhere(void)
{
	char names[PATH_LEN], real[PATH_LEN];

	snprintf(names, sizeof names, "%s/names", folder);
	assert_int_equal(mkdir(names, 0700), 0);
	put(real, "names/real");
	snprintf(names, sizeof names, "%s/links", folder);
	assert_int_equal(mkdir(names, 0700), 0);
	snprintf(linked, sizeof linked, "%s/links/linked", folder);
	assert_int_equal(symlink("../names/real", linked), 0);
}

static void
taken_over(void **state)
{
	char logs[PATH_LEN];
	int status;
	pid_t child;

	(void)state;
	if (!has_sandbox())
		skip();
	scratch_make(folder);
	snprintf(logs, sizeof logs, "%s/log", folder);
	assert_int_equal(mkdir(logs, 0700), 0);
	link_elsewhere();
	put(store, "data.mdb");
	put(key, "key.pem");
	put(zone, "zone");
	put(audit, "log/audit");
	snprintf(fresh, sizeof fresh, "%s/fresh", folder);
	assert_int_not_equal(data = open(store, O_RDONLY | O_CLOEXEC), -1);
	if ((child = fork()) == 0)
		be_taken_over();
	assert_int_equal(waitpid(child, &status, 0), child);
	close(data);
	scratch_remove(folder);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > (int)ARRAY_LEN(rules))
		fail_msg("the sandbox: status %d", status);
	if (WEXITSTATUS(status) != 0)
		fail_msg("not so: %s", rules[WEXITSTATUS(status) - 1].what);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
