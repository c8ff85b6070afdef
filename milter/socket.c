#include "milter/socket.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/proc.h"
#include "common/store.h"

/* libmilter's grammar: local:PATH, unix:PATH, PATH, inet:PORT@HOST, inet6: */
static bool
local_path(const char *socket, const char **path)
{
	static const char *const words[] = { "local:", "unix:" };

	*path = socket;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (span_starts(span_of(socket), words[i]))
			*path = socket + strlen(words[i]);
	return !span_starts(span_of(socket), "inet");
}

const char *
milter_socket_path(const struct conf *c)
{
	const char *path;

	return local_path(c->milter_socket, &path) ? path : NULL;
}

static struct stat made; /* by us; st_ino 0: none */

/* By now it may be that of who was started meanwhile. */
void
milter_socket_remove(const struct conf *c)
{
	const char *path = milter_socket_path(c);
	struct stat st;

	if (path != NULL && made.st_ino != 0 && lstat(path, &st) == 0 &&
	    st.st_dev == made.st_dev && st.st_ino == made.st_ino)
		unlink(path);
}

/* The user that all of this is for: nobody in particular unless root. */
static enum mtrk_err
owner(const struct conf *c, uid_t *uid, gid_t *gid, char *why)
{
	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (geteuid() == 0 && c->user[0] != '\0' &&
	    (proc_user(c->user, uid, gid) != MTRK_OK || *uid == 0)) {
		snprintf(why, SOCKET_WHY_MAX,
		    "User %s: no such user, or root itself", c->user);
		return MTRK_NOTFOUND;
	}
	return MTRK_OK;
}

static enum mtrk_err
socket_group(const struct conf *c, gid_t *gid, char *why)
{
	if (c->milter_socket_group[0] == '\0' ||
	    proc_group(c->milter_socket_group, gid) == MTRK_OK)
		return MTRK_OK;
	snprintf(why, SOCKET_WHY_MAX, "MilterSocketGroup %s: no such group",
	    c->milter_socket_group);
	return MTRK_NOTFOUND;
}

enum mtrk_err
milter_socket_own(const struct conf *c, char *why)
{
	const char *path = milter_socket_path(c);
	uid_t uid;
	gid_t gid;

	if (owner(c, &uid, &gid, why) != MTRK_OK ||
	    socket_group(c, &gid, why) != MTRK_OK)
		return MTRK_NOTFOUND;
	if (path == NULL)
		return MTRK_OK;
	/* No link is followed: User may own the folder, and we are root.  The
	 * mode is the umask's with which it was made. */
	if (lchown(path, uid, gid) == -1 || lstat(path, &made) == -1) {
		snprintf(why, SOCKET_WHY_MAX, "%s: %m", path);
		return MTRK_IO;
	}
	if (!S_ISSOCK(made.st_mode) ||
	    (made.st_mode & 0777) != c->milter_socket_mode) {
		snprintf(why, SOCKET_WHY_MAX,
		    "%s: is no socket of mode %04o any more", path,
		    (unsigned)c->milter_socket_mode);
		return MTRK_IO;
	}
	return MTRK_OK;
}

/* "inet:PORT@HOST" is libmilter's; Postfix writes "inet:HOST:PORT". */
static void
print_inet(struct span socket, FILE *out)
{
	struct span family, rest, port, host;

	span_split(socket, ':', &family, &rest);
	if (!span_split(rest, '@', &port, &host))
		host = SPAN("127.0.0.1");
	fprintf(out,
	    "smtpd_milters = { inet:%.*s:%.*s, default_action=accept }\n",
	    (int)host.n, host.p, (int)port.n, port.p);
}

/* smtpd(8) works in its queue directory, chrooted (as in Debian) or not. */
static void
print_local(const char *path, FILE *out)
{
	static const char queue[] = "/var/spool/postfix/";
	bool below = span_starts(span_of(path), queue);

	if (below)
		path += strlen(queue);
	fprintf(
	    out, "smtpd_milters = { unix:%s, default_action=accept }\n", path);
	if (!below)
		fprintf(out,
		    "# a chrooted smtpd (Debian's) reaches only what is in "
		    "%s\n",
		    queue);
}

/* The folder that holds `path`, into dir[CONF_TEXT_MAX]. */
static void
parent_of(const char *path, char *dir)
{
	const char *slash = strrchr(path, '/');

	span_copy(dir, CONF_TEXT_MAX,
	    slash == path ? SPAN("/")
			  : (struct span){ path, (size_t)(slash - path) });
}

/* The socket's: a folder with the set-group-ID bit hands its own on. */
static const char *
group_name(const struct conf *c, const char *path)
{
	char dir[CONF_TEXT_MAX];
	struct stat st;
	const struct group *gr = NULL;

	if (c->milter_socket_group[0] != '\0')
		return c->milter_socket_group;
	parent_of(path, dir);
	if (stat(dir, &st) == 0 && (st.st_mode & S_ISGID) != 0)
		gr = getgrgid(st.st_gid);
	return gr != NULL ? gr->gr_name : "of its user";
}

void
milter_socket_print(const struct conf *c, FILE *out)
{
	const char *path = milter_socket_path(c);

	if (path == NULL) {
		print_inet(span_of(c->milter_socket), out);
		return;
	}
	print_local(path, out);
	fprintf(out, "# socket mode %04o, group %s\n",
	    (unsigned)c->milter_socket_mode, group_name(c, path));
}

enum mtrk_err
milter_store_folder(const struct conf *c, char *why)
{
	uid_t uid;
	gid_t gid;

	if (owner(c, &uid, &gid, why) != MTRK_OK)
		return MTRK_NOTFOUND;
	if (mkdir(c->store, 0750) == -1) {
		if (errno == EEXIST)
			return MTRK_OK;
	} else if (uid == (uid_t)-1 || lchown(c->store, uid, gid) == 0) {
		return MTRK_OK;
	}
	snprintf(why, SOCKET_WHY_MAX, "Store %s: %m", c->store);
	return MTRK_IO;
}

/* May something be made in the folder that holds `path`? */
static enum mtrk_err
check_parent(const char *setting, const char *path, char *why)
{
	char dir[CONF_TEXT_MAX];

	parent_of(path, dir);
	if (access(dir, W_OK | X_OK) == 0)
		return MTRK_OK;
	snprintf(why, SOCKET_WHY_MAX, "%s %s: %s: %m", setting, path, dir);
	return MTRK_IO;
}

/* To be written as it is, or to be made. */
static enum mtrk_err
check_store_file(const struct conf *c, const char *name, char *why)
{
	char path[CONF_TEXT_MAX + 16];

	snprintf(path, sizeof path, "%s/%s", c->store, name);
	if (access(path, F_OK) == -1 && errno == ENOENT)
		return check_parent("Store", path, why);
	if (access(path, R_OK | W_OK) == 0)
		return MTRK_OK;
	snprintf(why, SOCKET_WHY_MAX, "Store %s: %m", path);
	return MTRK_IO;
}

static enum mtrk_err
check_store_content(const struct conf *c, char *why)
{
	char path[CONF_TEXT_MAX + 16];
	struct store *st;
	enum mtrk_err err;

	snprintf(path, sizeof path, "%s/data.mdb", c->store);
	if (access(path, F_OK) == -1)
		return MTRK_OK;
	err = store_open(c->store, STORE_READ, 0, &st, why);
	store_close(&st);
	return err;
}

/* The rights that count are User's. */
enum mtrk_err
milter_become(const struct conf *c, char *why)
{
	enum mtrk_err err;
	uid_t uid;
	gid_t gid;

	if ((err = owner(c, &uid, &gid, why)) != MTRK_OK || uid == (uid_t)-1 ||
	    (err = proc_drop(c->user)) == MTRK_OK)
		return err;
	snprintf(
	    why, SOCKET_WHY_MAX, "User %s: cannot become this user", c->user);
	return err;
}

enum mtrk_err
milter_check_store(const struct conf *c, char *why)
{
	struct stat st;
	enum mtrk_err err;

	if (lstat(c->store, &st) == -1 && errno == ENOENT)
		return check_parent("Store", c->store, why);
	if ((err = milter_become(c, why)) == MTRK_OK &&
	    (err = check_store_file(c, "data.mdb", why)) == MTRK_OK &&
	    (err = check_store_file(c, "lock.mdb", why)) == MTRK_OK)
		err = check_store_content(c, why);
	return err;
}

/* What has the name is removed, if it is a socket. */
static enum mtrk_err
check_local(const char *path, char *why)
{
	struct stat st;

	if (lstat(path, &st) == -1 || S_ISSOCK(st.st_mode))
		return check_parent("MilterSocket", path, why);
	snprintf(why, SOCKET_WHY_MAX,
	    "MilterSocket %s: is there, and is no socket", path);
	return MTRK_IO;
}

static enum mtrk_err
check_host(const struct conf *c, char *why)
{
	struct span family, host, port, rest;
	char name[CONF_TEXT_MAX];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	int rc;

	span_split(span_of(c->milter_socket), ':', &family, &rest);
	if (!span_split(rest, '@', &port, &host))
		return MTRK_OK;
	if (span_starts(host, "[") && span_ends(host, "]"))
		host = (struct span){ host.p + 1, host.n - 2 };
	hints.ai_family = span_is(family, "inet6") ? AF_INET6 : AF_INET;
	span_copy(name, sizeof name, host);
	if ((rc = getaddrinfo(name, NULL, &hints, &found)) != 0) {
		snprintf(why, SOCKET_WHY_MAX, "MilterSocket %s: %s",
		    c->milter_socket, gai_strerror(rc));
		return MTRK_NOTFOUND;
	}
	freeaddrinfo(found);
	return MTRK_OK;
}

static enum mtrk_err
check_socket(const struct conf *c, char *why)
{
	const char *path = milter_socket_path(c);
	gid_t gid;

	if (socket_group(c, &gid, why) != MTRK_OK)
		return MTRK_NOTFOUND;
	return path != NULL ? check_local(path, why) : check_host(c, why);
}

enum mtrk_err
milter_check(const struct conf *c, char *why)
{
	enum mtrk_err err;

	why[0] = '\0';
	if ((err = check_socket(c, why)) == MTRK_OK)
		err = milter_check_store(c, why);
	return err;
}
