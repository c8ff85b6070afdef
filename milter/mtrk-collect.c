/*
 * mtrk-collect -- follows the MTA's log and writes what became of each
 * recipient.  The edge: options, start, the loop, signals.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/options.h"
#include "common/proc.h"
#include "common/store.h"
#include "milter/collect.h"
#include "milter/follow.h"
#include "milter/gz.h"
#include "milter/journal.h"
#include "milter/socket.h"

enum {
	WAIT_MS = 1000, /* where inotify doesn't reach */
	REST_MS = 20, /* between commits: each costs the disk, and the milter
		       * waits meanwhile */
	SAVE_EVERY_S = 5,
	PURGE_EVERY_S = 10,
	PURGE_STEPS = 500,
	OPT_ONCE = 1000,
	LOG_EVERY_S = 60,
	NAMELESS_S = 5, /* that a log may be without its name; ours */
};

static bool once;
static struct conf conf;
static struct store *store;

static bool
own_option(int option, const char *argument)
{
	(void)argument;
	once = once || option == OPT_ONCE;
	return option == OPT_ONCE;
}

static const struct option long_options[] = {
	{ "once", no_argument, NULL, OPT_ONCE },
	{ NULL, 0, NULL, 0 },
};

/* Small steps: a writer that waits for us waits for milliseconds. */
static void
purge(void)
{
	static uint64_t at;
	const struct retention r = { conf.retention_s, conf.retention_limit_s };
	unsigned removed = 0;

	db_clear_dead_readers(store_db(store));
	if (store_purge(store, &r, time(NULL), PURGE_STEPS, &at, &removed) ==
		MTRK_OK &&
	    removed > 0)
		log_info("event=purged messages=%u", removed);
}

/* What is due by the clock; true now and then for each. */
static bool
due(time_t *last, unsigned every_s)
{
	time_t now = time(NULL);

	if (now < *last + (time_t)every_s && now >= *last)
		return false;
	*last = now;
	return true;
}

static void
say_trouble(const char *what, const char *why)
{
	static struct log_limit limit;
	unsigned long missed;

	if (log_allow(&limit, LOG_EVERY_S, &missed))
		log_err("event=%s reason=\"%s\"", what, why);
}

static bool
told_to_stop(void)
{
	int sig = proc_next_signal();

	if (sig == SIGHUP)
		log_notice("event=hup text=\"nothing is re-read: restart to "
			   "change the configuration\"");
	return sig == SIGTERM || sig == SIGINT;
}

static bool
is_file(const char *path)
{
	return strcmp(path, "-") != 0 && strcmp(path, "journal") != 0 &&
	    strncmp(path, "journal:", strlen("journal:")) != 0;
}

/* A log that is moved has no name until the MTA makes it anew, which takes a
 * moment; one whose filesystem was unmounted lazily has none either. */
static const char *
trouble_of(const char *path, const struct follow *f)
{
	static time_t named;
	const char *why = follow_trouble(f);
	time_t now = time(NULL);

	if (why != NULL || !is_file(path))
		return why;
	if (named == 0 || now < named || access(path, F_OK) == 0)
		named = now;
	return now - named > NAMELESS_S
	    ? "nothing has its name; what was opened before is still read"
	    : NULL;
}

static void
tell_of_log(const char *path, const struct follow *f)
{
	static bool told;
	const char *why = trouble_of(path, f);

	if (why != NULL)
		say_trouble("log", why);
	else if (told)
		log_notice("event=log-again");
	told = why != NULL;
}

/* To the end, without a rest only as long as there is a heap of lines. */
static enum mtrk_err
read_all(struct collect *c, const struct follow *f, const char *path)
{
	enum mtrk_err err;

	while ((err = collect_some(c)) == MTRK_OK || err == MTRK_TOOBIG) {
		notify_alive();
		if (err == MTRK_OK && !once)
			poll(NULL, 0, REST_MS);
	}
	if (err == MTRK_NOTFOUND)
		tell_of_log(path, f);
	else
		say_trouble("store", mtrk_err_text(err));
	return err;
}

static void
follow_for_ever(
    struct collect *c, struct follow *f, const char *path, int signals)
{
	time_t saved = time(NULL), purged = 0;

	while (!told_to_stop() && !follow_ended(f)) {
		enum mtrk_err err = read_all(c, f, path);

		notify_alive();
		if (due(&saved, SAVE_EVERY_S))
			collect_save(c);
		if (due(&purged, PURGE_EVERY_S))
			purge();
		if (err == MTRK_NOTFOUND)
			follow_wait(f, signals, WAIT_MS);
		else
			poll(NULL, 0, WAIT_MS); /* the store is in trouble */
	}
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A place in standard input means nothing next time, nor does one in a folder
 * whose files come and go: read again, they add nothing. */
static bool
keeps_place(const char *path)
{
	return strcmp(path, "-") != 0 && !is_folder(path);
}

static void
log_numbers(const struct collect *c, const struct follow *f)
{
	struct collect_numbers n = collect_numbers(c);

	log_info("event=stop lines=%llu events=%llu unmatched=%llu "
		 "too_long=%llu",
	    (unsigned long long)n.lines, (unsigned long long)n.events,
	    (unsigned long long)n.unmatched,
	    (unsigned long long)follow_skipped(f));
}

/* To the end of what there is, or as long as there may be more. */
static int
run(struct collect *c, struct follow *f, const char *path, bool for_ever,
    int signals)
{
	enum mtrk_err err;

	if (!once)
		log_setup("mtrk-collect", (enum log_to)conf.log_to,
		    (enum log_level)conf.log_level);
	log_notice("event=start version=%s log=\"%s\" store=\"%s\"",
	    MTRK_VERSION, path, conf.store);
	proc_ready();
	notify("READY=1");
	if (for_ever)
		follow_for_ever(c, f, path, signals);
	notify("STOPPING=1");
	err = read_all(c, f, path);
	if (collect_save(c) != MTRK_OK || err != MTRK_NOTFOUND)
		return EX_OSERR;
	return follow_trouble(f) == NULL || !once ? 0 : EX_NOINPUT;
}

static int
collect_from(const char *path, int signals)
{
	struct buf mark = BUF(FOLLOW_MARK_MAX);
	char name[CONF_TEXT_MAX + 8];
	bool keep = keeps_place(path);
	struct follow *f = NULL;
	struct collect *c = NULL;
	int status = EX_OSERR;
	enum mtrk_err err;

	snprintf(name, sizeof name, "log:%.100s", path);
	if (keep)
		store_get_mark(store, name, &mark);
	err = follow_new(path, mark.p != NULL ? mark.p : "", &f);
	buf_free(&mark);
	if (err == MTRK_OK)
		c = collect_new(&conf, store, f, keep ? name : NULL);
	else if (err == MTRK_NOTFOUND)
		log_err("event=start reason=\"MailLog journal: built without "
			"libsystemd\"");
	else
		log_err("event=start log=\"%s\" reason=\"%m\"", path);
	if (c != NULL) {
		/* standard input may come slowly */
		status =
		    run(c, f, path, !once || strcmp(path, "-") == 0, signals);
		log_numbers(c, f);
	}
	collect_free(&c);
	follow_free(&f);
	return status;
}

static int
start(const struct common_options *o, const char *path)
{
	char why[STORE_WHY_MAX];
	int signals, status;

	/* What goes wrong before we run is said to who started us. */
	log_setup(
	    "mtrk-collect", LOG_TO_STDERR, (enum log_level)conf.log_level);
	if (!o->foreground && !once && proc_background() != MTRK_OK)
		return EX_OSERR;
	notify_open();
	signals = proc_signals();
	if (signals == -1 || proc_drop(conf.user) != MTRK_OK) {
		log_err("event=start user=\"%s\" reason=\"cannot become this "
			"user\"",
		    conf.user);
		return EX_NOUSER;
	}
	umask(027);
	if (store_open(conf.store, STORE_WRITE, conf.store_limit, &store,
		why) != MTRK_OK) {
		log_err("event=start reason=\"%s\"", why);
		return EX_UNAVAILABLE;
	}
	status = collect_from(path, signals);
	store_close(&store);
	return status;
}

/* Would it start?  Changes nothing but who we are. */
static int
check(const struct common_options *o, const char *path)
{
	char why[STORE_WHY_MAX] = "";
	bool needed = strcmp(path, "-") != 0 && strcmp(path, "journal") != 0;
	bool waits = false;
	const char *readable = path;

	if (o->check > 1)
		conf_print(&conf, stdout);
	if (strncmp(path, "journal:", strlen("journal:")) == 0)
		readable += strlen("journal:");
	if (milter_become(&conf, why) == MTRK_OK) {
		waits = needed && access(readable, R_OK) == -1;
		if (waits && (once || !is_file(path) || errno != ENOENT))
			snprintf(why, sizeof why, "MailLog %s: %m", path);
		else
			milter_check_store(&conf, why);
	}
	if (why[0] != '\0') {
		fprintf(stderr, "mtrk-collect: %s\n", why);
		return EX_CONFIG;
	}
	if (waits)
		fprintf(stderr,
		    "mtrk-collect: MailLog %s is not there yet: it would be "
		    "waited for\n",
		    path);
	return 0;
}

int
main(int argc, char **argv)
{
	static char libraries[192];
	const struct program program = {
		.name = "mtrk-collect",
		.usage = "[-c FILE] [-f] [-n[n]] [-V] [--help] "
			 "[--once [FILE|DIR|-]]",
		.libraries = libraries,
		.short_options = "",
		.long_options = long_options,
		.own = own_option,
		.arguments = true,
	};
	struct common_options o;
	const char *path;

	snprintf(libraries, sizeof libraries, "%s, %s, zlib %s, %s",
	    crypto_version(), db_version(), gz_version(), journal_version());
	options_read(&program, argc, argv, &o);
	if (argc - o.first_argument > (once ? 1 : 0)) {
		fprintf(stderr, "mtrk-collect: unexpected argument: \"%s\"\n",
		    argv[argc - 1]);
		return EX_USAGE;
	}
	options_conf(&program, &o, &conf);
	path = o.first_argument < argc ? argv[o.first_argument] : conf.mail_log;
	if (!once && is_folder(path)) {
		fprintf(stderr,
		    "mtrk-collect: MailLog %s: a folder can't be followed, "
		    "only read with --once\n",
		    path);
		return EX_CONFIG;
	}
	return o.check > 0 ? options_told(&program, check(&o, path))
			   : start(&o, path);
}
