#include "common/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"

enum { PATIENCE_S = 5 /* opening a local file takes no longer; ours */ };

struct keeper {
	pid_t child;
	int fd;
	unsigned asked; /* number of the last question */
};

struct question {
	unsigned number;
	size_t file;
};

/* A descriptor comes with it if errno is 0. */
struct answer {
	unsigned number; /* of the question: an old one may come late */
	int error;
};

static bool
send_file(int to, int file, struct answer a)
{
	struct iovec data = { &a, sizeof a };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1 };

	if (file != -1) {
		control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.head), &file, sizeof file);
		m.msg_control = &control;
		m.msg_controllen = sizeof control.room;
	}
	return sendmsg(to, &m, MSG_NOSIGNAL) == sizeof a;
}

/* False: there is no answer, and errno. */
static bool
receive_file(int from, struct answer *a, int *file)
{
	struct iovec data = { a, sizeof *a };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	const struct cmsghdr *c;

	*file = -1;
	errno = EIO;
	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != sizeof *a)
		return false;
	if ((c = CMSG_FIRSTHDR(&m)) != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(file, CMSG_DATA(c), sizeof *file);
	return true;
}

/* -1 and errno: there is none. */
static int
ask_file(struct keeper *k, size_t i)
{
	const struct question q = { ++k->asked, i };
	struct answer a;
	int file;

	if (send(k->fd, &q, sizeof q, MSG_NOSIGNAL) != sizeof q)
		return -1;
	while (receive_file(k->fd, &a, &file)) {
		if (a.number == q.number) {
			errno = a.error;
			return file;
		}
		if (file != -1)
			close(file);
	}
	return -1;
}

/* The child's whole life: until the other end is closed. */
static void
serve(int fd, const char *const *paths, size_t n)
{
	struct question q;

	while (recv(fd, &q, sizeof q, 0) == sizeof q) {
		int file =
		    q.file < n ? open(paths[q.file], O_RDONLY | O_CLOEXEC) : -1;
		struct answer a = { q.number, file == -1 ? errno : 0 };

		if (!send_file(fd, file, a))
			return;
		if (file != -1)
			close(file);
	}
}

/* Deaf to what stops its parent: it ends when that has ended. */
static void
become_keeper(int fd, const char *const *paths, size_t n)
{
	static const int deaf[] = { SIGTERM, SIGINT, SIGHUP, SIGPIPE };
	/* symbolic links lead anywhere, and elsewhere after a renewal */
	static const struct sandbox_path may = { "/", SANDBOX_READ };

	for (size_t i = 0; i < ARRAY_LEN(deaf); i++)
		(void)signal(deaf[i], SIG_IGN);
	if (dup2(fd, STDIN_FILENO) == -1 ||
	    dup2(STDOUT_FILENO, STDERR_FILENO) == -1)
		_exit(71);
	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
	(void)prctl(PR_SET_NAME, "mtrk-keeper");
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)sandbox_files(&may, 1);
	serve(STDIN_FILENO, paths, n);
	_exit(0);
}

enum mtrk_err
keeper_start(const char *const *paths, size_t n, struct keeper **out)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fds[2];

	*out = NULL;
	if (n > KEEPER_FILES_MAX)
		return MTRK_TOOBIG;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return MTRK_IO;
	if ((*out = calloc(1, sizeof **out)) == NULL) {
		close(fds[0]);
		close(fds[1]);
		return MTRK_NOMEM;
	}
	(*out)->fd = fds[0];
	(*out)->child = fork();
	if ((*out)->child == 0)
		become_keeper(fds[1], paths, n);
	close(fds[1]);
	if ((*out)->child == -1 ||
	    setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof patience) == -1) {
		keeper_stop(out);
		return MTRK_IO;
	}
	return MTRK_OK;
}

enum mtrk_err
keeper_read(struct keeper *k, size_t i, struct buf *out)
{
	char bytes[4096];
	ssize_t n;
	int file = ask_file(k, i);

	if (file == -1)
		return MTRK_IO;
	while ((n = read(file, bytes, sizeof bytes)) > 0)
		buf_add(out, bytes, (size_t)n);
	explicit_bzero(bytes, sizeof bytes);
	close(file);
	return n == -1 ? MTRK_IO : (enum mtrk_err)out->err;
}

void
keeper_stop(struct keeper **kp)
{
	struct keeper *k = *kp;

	*kp = NULL;
	if (k == NULL)
		return;
	close(k->fd);
	if (k->child > 0)
		(void)waitpid(k->child, NULL, 0);
	free(k);
}
