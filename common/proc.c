#include "common/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

static int wake[2] = { -1, -1 };
static int ready_fd = -1;

enum mtrk_err
proc_user(const char *user, uid_t *uid, gid_t *gid)
{
	const struct passwd *pw = getpwnam(user);

	if (pw == NULL)
		return MTRK_NOTFOUND;
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return MTRK_OK;
}

enum mtrk_err
proc_group(const char *group, gid_t *gid)
{
	const struct group *gr = getgrnam(group);

	if (gr == NULL)
		return MTRK_NOTFOUND;
	*gid = gr->gr_gid;
	return MTRK_OK;
}

/* What is left of root's rights across setresuid(): this one alone. */
static bool
keep_only(int capability)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	data[0].effective = data[0].permitted = 1u << capability;
	return syscall(SYS_capset, &head, data) == 0 &&
	    prctl(PR_SET_KEEPCAPS, 0) == 0;
}

/* Sendmail's mailer flag S changes the effective user alone, and whoever is
 * root in any way can be root again. */
static bool
root_can_be_had(void)
{
	uid_t real, effective, saved;

	return getresuid(&real, &effective, &saved) == -1 || real == 0 ||
	    effective == 0 || saved == 0;
}

/* The supplementary groups stay: mtqpd reads the store by one of them. */
static enum mtrk_err
become(const char *user, bool net_admin)
{
	bool named = user[0] != '\0';
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (!root_can_be_had()) {
		log_debug("event=user stays=%ld", (long)uid);
		return MTRK_OK;
	}
	if (!named && uid == 0) {
		log_warn("event=user text=\"no User is set: running as root\"");
		return MTRK_OK;
	}
	if (named && (proc_user(user, &uid, &gid) != MTRK_OK || uid == 0))
		return MTRK_NOTFOUND;
	if (seteuid(0) == -1 ||
	    (named ? initgroups(user, gid) : setgroups(1, &gid)) == -1 ||
	    setresgid(gid, gid, gid) == -1 ||
	    (net_admin && prctl(PR_SET_KEEPCAPS, 1) == -1) ||
	    setresuid(uid, uid, uid) == -1 ||
	    (net_admin && !keep_only(CAP_NET_ADMIN)))
		return MTRK_IO;
	if (setuid(0) != -1 || geteuid() != uid || getegid() != gid)
		return MTRK_IO; /* trust, but check */
	return MTRK_OK;
}

enum mtrk_err
proc_drop(const char *user)
{
	return become(user, false);
}

enum mtrk_err
proc_drop_but_net_admin(const char *user)
{
	return become(user, true);
}

static void
on_signal(int sig)
{
	int saved = errno;
	unsigned char b = (unsigned char)sig;

	(void)!write(wake[1], &b, 1); /* full: a wake-up is pending already */
	errno = saved;
}

bool
proc_faults_to_errno(void)
{
	return signal(SIGPIPE, SIG_IGN) != SIG_ERR &&
	    signal(SIGXFSZ, SIG_IGN) != SIG_ERR;
}

int
proc_signals(void)
{
	static const int ours[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };

	if (wake[0] == -1 && pipe2(wake, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (sigaction(ours[i], &sa, NULL) == -1)
			return -1;
	return proc_faults_to_errno() ? wake[0] : -1;
}

int
proc_next_signal(void)
{
	unsigned char b;

	return read(wake[0], &b, 1) == 1 ? b : 0;
}

void
proc_hand_signals(void *signals_go)
{
	const struct proc_signals_go *go = signals_go;
	int sig;

	while ((sig = proc_next_signal()) != 0)
		if (sig == SIGHUP)
			go->hup();
		else
			go->others(sig);
}

/* The parent's whole life: wait for the one byte that says "ready". */
static void
parent_waits(pid_t child, int fd)
{
	char byte;
	int status;

	if (read(fd, &byte, 1) == 1)
		_exit(0);
	waitpid(child, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 70);
}

enum mtrk_err
proc_background(void)
{
	int fds[2], null;
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) == -1 || (child = fork()) == -1)
		return MTRK_IO;
	if (child != 0) {
		close(fds[1]);
		parent_waits(child, fds[0]);
	}
	close(fds[0]);
	ready_fd = fds[1];
	if (setsid() == -1 || chdir("/") == -1 ||
	    (null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return MTRK_IO;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
	return MTRK_OK;
}

void
proc_ready(void)
{
	if (ready_fd == -1)
		return;
	if (!log_is_on_stderr()) /* somebody may wait for its end */
		dup2(STDOUT_FILENO, STDERR_FILENO);
	(void)!write(ready_fd, "", 1);
	close(ready_fd);
	ready_fd = -1;
}
