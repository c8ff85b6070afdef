/*
 * mtrk-milter -- opens a tracking record for each marked message.
 *
 * The edge to libmilter is thin: fetch the session, call session.c, carry on.
 * Any callback may find no session (xxfi_close may come first), and nothing
 * we do may cost anybody mail: every road ends in SMFIS_CONTINUE, but for a
 * bad mark under "OnBadMTRK reject".
 */
#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/log.h"
#include "common/net.h"
#include "common/notify.h"
#include "common/options.h"
#include "common/proc.h"
#include "common/store.h"
#include "milter/session.h"
#include "milter/socket.h"

enum {
	STORE_WAIT_MS = 5000, /* ours: no message waits longer for us */
	STOP_WAIT_S = 5, /* ours: for messages in hand */
	LOG_EVERY_S = 60,
	MILTER_TIMEOUT_S = 7210, /* libmilter's own default */
	SESSIONS_MAX = 16000, /* ours: twice as many as the gate's clients */
	SPARE_FDS = 32,
};

static struct conf conf;
static struct store *store;
static atomic_uint in_hand; /* messages being stored */
static atomic_ulong untracked; /* marked ones that could not be */
static atomic_bool milter_over;
static atomic_bool stopping; /* nothing is stored any more */
static atomic_bool opened; /* the store */
static atomic_bool in_trouble; /* the store took not the last one */

static bool
rejects_bad(void)
{
	return conf.on_bad_mtrk == BADMTRK_REJECT;
}

/* SMFIP_NR_*: the MTA doesn't wait for an answer that is always the same. */
static sfsistat
answer_to(unsigned long no_reply_step)
{
	return no_reply_step != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* What was agreed in xxfi_negotiate; the same for all connections. */
static atomic_ulong agreed;

/*
 * Without a descriptor left libmilter sleeps, for seconds, and every MTA that
 * connects meanwhile waits: who would take one of the last is sent away, and
 * its mail goes on untracked.  The system gives the lowest that is free.
 */
static bool
has_room(void)
{
	static struct log_limit limit;
	unsigned long missed;
	struct rlimit max;
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	bool room = getrlimit(RLIMIT_NOFILE, &max) == 0 && fd != -1 &&
	    (rlim_t)fd + SPARE_FDS < max.rlim_cur;

	if (fd != -1)
		close(fd);
	if (!room && log_allow(&limit, LOG_EVERY_S, &missed))
		log_err("event=limit descriptors=%lu missed=%lu",
		    (unsigned long)max.rlim_cur, missed);
	return room;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
    unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	unsigned long wanted = SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOHDRS |
	    SMFIP_NOBODY | SMFIP_NOUNKNOWN;

	(void)ctx, (void)f0, (void)f2, (void)f3;
	if (!has_room())
		return SMFIS_REJECT;
	/* Over TCP the MTA's next small packet would wait for the ACK of the
	 * one before, which Linux delays by 40 ms when we have nothing to
	 * say: measured, 220 messages a second instead of 700. */
	if (milter_socket_path(&conf) != NULL)
		wanted |= SMFIP_NR_CONN | SMFIP_NR_RCPT |
		    (rejects_bad() ? 0 : SMFIP_NR_MAIL);
	agreed = wanted & f1;
	/* No list of macros: the MTA's own has {daemon_name} and i, and one
	 * for us alone is work for Postfix with every message. */
	*pf0 = 0; /* we change nothing */
	*pf1 = agreed;
	*pf2 = *pf3 = 0;
	return SMFIS_CONTINUE;
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, struct sockaddr *sa)
{
	struct session *s = session_new();

	(void)host;
	session_connect(s, sa);
	smfi_setpriv(ctx, s);
	return answer_to(agreed & SMFIP_NR_CONN);
}

static sfsistat
refuse(SMFICTX *ctx, const char *why)
{
	char code[] = "501", status[] = "5.5.4", text[128];

	snprintf(text, sizeof text, "Bad MTRK: %s", why);
	smfi_setreply(ctx, code, status, text);
	return SMFIS_REJECT;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct session *s = smfi_getpriv(ctx);
	const char *why = "";
	enum carried carried;
	char q[256];

	carried = session_mail(s, (const char *const *)argv, time(NULL), &why);
	if (carried == CARRIED_BAD) {
		log_info("event=bad-mtrk from=\"%s\" reason=\"%s\" action=%s",
		    log_quote(span_of(argv[0]), q, sizeof q), why,
		    rejects_bad() ? "reject" : "untracked");
		if (rejects_bad())
			return refuse(ctx, why);
	}
	return answer_to(agreed & SMFIP_NR_MAIL);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	session_rcpt(smfi_getpriv(ctx), (const char *const *)argv);
	return answer_to(agreed & SMFIP_NR_RCPT);
}

static char *
macro(SMFICTX *ctx, const char *name)
{
	char symbol[32];

	snprintf(symbol, sizeof symbol, "%s", name);
	return smfi_getsymval(ctx, symbol);
}

/* One line a minute: a full disk must not fill another with log. */
static void
count_untracked(const char *queue_id, const char *why)
{
	static struct log_limit limit;
	unsigned long missed;
	char q[64];

	untracked++;
	if (log_allow(&limit, LOG_EVERY_S, &missed))
		log_err("qid=\"%s\" event=untracked reason=\"%s\" "
			"untracked_since_start=%lu",
		    log_quote(span_of(queue_id), q, sizeof q), why, untracked);
}

static void
store_message(struct session *s, const char *queue_id, const char *daemon)
{
	const char *instance = conf_instance_by_daemon(&conf, span_of(daemon));
	struct message m;
	enum mtrk_err err = session_message(s, queue_id, instance, &m);
	char q[2 * ENVID_MAX], i[64];

	if (err == MTRK_NOTFOUND)
		return;
	if (err == MTRK_OK && stopping) {
		err = MTRK_BUSY;
	} else if (err == MTRK_OK) {
		err = store_add(store, &m, STORE_WAIT_MS);
		in_trouble = err != MTRK_OK;
	}
	if (err == MTRK_OK)
		log_info("qid=\"%s\" event=tracked envid=\"%s\" recipients=%zu",
		    log_quote(m.queue_id, i, sizeof i),
		    log_quote(m.envid, q, sizeof q), m.n_recipients);
	else
		count_untracked(queue_id,
		    instance == NULL ? "no Instance line for its daemon_name"
				     : mtrk_err_text(err));
}

/*
 * Postfix and Sendmail say end-of-header once they have the whole message, as
 * they say end-of-message: the record is durable before the 250 at either.
 * Who is answered "accept" here is spared reading the body again, for us.
 */
static sfsistat
on_end_of_header(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	in_hand++;
	store_message(s, macro(ctx, "i"), macro(ctx, "{daemon_name}"));
	session_reset(s);
	in_hand--;
	return SMFIS_ACCEPT;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	session_reset(smfi_getpriv(ctx));
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	smfi_setpriv(ctx, NULL);
	session_free(&s);
	return SMFIS_CONTINUE;
}

static bool
register_milter(void)
{
	static char name[] = "mtrk-milter";
	struct smfiDesc desc = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = 0,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_eoh = on_end_of_header,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	return smfi_setconn(conf.milter_socket) == MI_SUCCESS &&
	    smfi_register(desc) == MI_SUCCESS &&
	    smfi_settimeout(MILTER_TIMEOUT_S) == MI_SUCCESS;
}

/* libmilter lives in a thread of its own: it blocks the signals there and
 * would take HUP for the end; the main thread gets them and decides. */
static void *
milter_thread(void *arg)
{
	int *result = arg;

	*result = smfi_main();
	milter_over = true;
	return NULL;
}

static void
on_signal_byte(int sig, bool *stop)
{
	if (sig == SIGHUP)
		log_notice("event=hup text=\"nothing is re-read: restart "
			   "to change the configuration\"");
	else if (sig != 0)
		*stop = true;
}

static bool
is_listening(int fd)
{
	int yes = 0;
	socklen_t size = sizeof yes;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 &&
	    yes != 0;
}

/* Reads no more of any MTA: each session ends with what it has in hand. */
static void
hear_no_more(void)
{
	for (int fd = STDERR_FILENO + 1; fd < SESSIONS_MAX + SPARE_FDS; fd++)
		if (!is_listening(fd))
			shutdown(fd, SHUT_RD);
}

/* Until nothing was in hand for so many looks. */
static void
settle(unsigned looks)
{
	unsigned quiet = 0;

	for (unsigned i = 0; i < STOP_WAIT_S * 100 && quiet < looks; i++) {
		hear_no_more(); /* nor of who came meanwhile */
		usleep(10000);
		quiet = in_hand > 0 ? 0 : quiet + 1;
	}
}

/* smfi_stop() would wait for the listener, which looks up every five seconds,
 * and take from its own threads what they use. */
static void
wait_for_end(int signals)
{
	struct pollfd fd = { .fd = signals, .events = POLLIN };
	bool stop = false;

	while (!stop && !milter_over)
		if (poll(&fd, 1, 500) == 1)
			on_signal_byte(proc_next_signal(), &stop);
	notify("STOPPING=1");
	settle(2);
	stopping = true; /* nobody is in the store while we exit */
	settle(1);
}

/*
 * Who waits for a disk that hangs can't be ended, and keeps what is open open
 * beyond our end: no MTA is to wait at it.
 */
static void
hang_up(void)
{
	for (int fd = STDERR_FILENO + 1; fd < SESSIONS_MAX + SPARE_FDS; fd++)
		shutdown(fd, SHUT_RDWR);
}

static void *
opening_thread(void *arg)
{
	struct timespec wait = { .tv_sec = STORE_WAIT_MS / 1000 };

	while (nanosleep(&wait, &wait) == -1)
		;
	if (opened)
		return arg;
	log_err("event=start reason=\"the disk of %s hangs\"", conf.store);
	hang_up();
	_exit(EX_UNAVAILABLE);
}

/* The socket is there already, for MTAs to wait at. */
static void
watch_opening(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, opening_thread, NULL) == 0)
		pthread_detach(thread);
}

static int
run(int signals)
{
	static int result;
	pthread_t thread;

	log_setup("mtrk-milter", (enum log_to)conf.log_to,
	    (enum log_level)conf.log_level);
	if (pthread_create(&thread, NULL, milter_thread, &result) != 0) {
		log_err("event=start reason=\"%m\"");
		return EX_OSERR;
	}
	pthread_detach(thread); /* it may end seconds after we do */
	proc_ready();
	notify("READY=1");
	log_notice("event=start version=%s socket=\"%s\" store=\"%s\"",
	    MTRK_VERSION, conf.milter_socket, conf.store);
	wait_for_end(signals);
	if (milter_over && result != MI_SUCCESS) {
		log_err("event=stop reason=\"libmilter gave up\"");
		return EX_UNAVAILABLE;
	}
	/* Everything that was answered is durable. */
	log_notice("event=stop untracked=%lu", untracked);
	milter_socket_remove(&conf);
	if (in_hand > 0 || in_trouble)
		hang_up(); /* which libmilter logs as a fault */
	return 0;
}

static int
start(const struct common_options *o)
{
	char why[STORE_WHY_MAX];
	int signals;

	/* What goes wrong before we run is said to who started us. */
	log_setup("mtrk-milter", LOG_TO_STDERR, (enum log_level)conf.log_level);
	if (!o->foreground && proc_background() != MTRK_OK)
		return EX_OSERR;
	notify_open();
	net_allow_descriptors(SESSIONS_MAX + SPARE_FDS);
	signals = proc_signals();
	umask(~(mode_t)conf.milter_socket_mode & 0777);
	if (signals == -1 || !register_milter() ||
	    smfi_opensocket(true) != MI_SUCCESS) {
		log_err("event=start socket=\"%s\" reason=\"cannot listen "
			"there\"",
		    conf.milter_socket);
		return EX_UNAVAILABLE;
	}
	watch_opening();
	umask(027); /* the socket's own is not for folders */
	if (milter_socket_own(&conf, why) != MTRK_OK ||
	    milter_store_folder(&conf, why) != MTRK_OK) {
		log_err("event=start reason=\"%s\"", why);
		return EX_NOPERM;
	}
	if (proc_drop(conf.user) != MTRK_OK) {
		log_err("event=start user=\"%s\" reason=\"cannot become this "
			"user\"",
		    conf.user);
		return EX_NOUSER;
	}
	if (store_open(conf.store, STORE_WRITE, conf.store_limit, &store,
		why) != MTRK_OK) {
		log_err("event=start reason=\"%s\"", why);
		return EX_UNAVAILABLE;
	}
	opened = true;
	return run(signals);
}

static int
check(const struct common_options *o)
{
	char why[STORE_WHY_MAX];
	enum mtrk_err err = milter_check(&conf, why);

	if (o->check > 1)
		conf_print(&conf, stdout);
	if (err != MTRK_OK) {
		fprintf(stderr, "mtrk-milter: %s\n", why);
		return EX_CONFIG;
	}
	milter_socket_print(&conf, stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	struct program program = {
		.name = "mtrk-milter",
		.usage = "[-c FILE] [-f] [-n[n]] [-V] [--help]",
		.short_options = "",
	};
	unsigned major, minor, patch;
	struct common_options o;
	char libraries[192];

	smfi_version(&major, &minor, &patch);
	snprintf(libraries, sizeof libraries, "%s, %s, libmilter %u.%u.%u",
	    crypto_version(), db_version(), major, minor, patch);
	program.libraries = libraries;
	options_read(&program, argc, argv, &o);
	options_conf(&program, &o, &conf);
	return o.check > 0 ? options_told(&program, check(&o)) : start(&o);
}
