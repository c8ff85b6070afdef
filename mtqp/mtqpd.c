/*
 * mtqpd -- answers MTQP (RFC 3887) from the tracking store.  This is how it
 * starts, reloads and stops; what it does for a client is in service.c, what
 * the lines mean in command.c, how they come and go in common/loop.h.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/db.h"
#include "common/dns.h"
#include "common/keeper.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/notify.h"
#include "common/options.h"
#include "common/proc.h"
#include "common/sandbox.h"
#include "common/store.h"
#include "common/tls.h"
#include "common/uri.h"
#include "mtqp/audit.h"
#include "mtqp/certificates.h"
#include "mtqp/metrics.h"
#include "mtqp/service.h"

enum {
	ADDRESSES_MIN = 4096, /* remembered by the limits; ours */
	DEAD_READERS_S = 60,
	CHAIN_LOOK_S = 1,
	THREADS_MAX = 4, /* ours */
	STORE_LOOK_S = 1,
	STORE_LOOKS_A_WORD = 60, /* once a minute */
	STORE_FAULTS_MAX =
	    5, /* while somebody makes it, its modes may be any */
};

static struct server {
	struct conf conf;
	struct loop *loop;
	struct keeper *keeper; /* of certificates and keys */
	unsigned threads;
	struct service service;
	struct service_door clear, tls_first;
	bool listens_by_default;
	bool ready, stopping, failed;
	unsigned looks, faults; /* for a store that isn't there */
} server = {
	.clear = { &server.service, false },
	.tls_first = { &server.service, true },
};

static void
on_term(int sig)
{
	if (server.stopping) {
		log_notice("event=stop signal=%d now=yes", sig);
		loop_stop(server.loop);
		return;
	}
	server.stopping = true;
	notify("STOPPING=1");
	log_notice("event=stop signal=%d now=no", sig);
	loop_drain(server.loop);
}

/* Certificates are read again, for handshakes to come; a fault leaves what
 * there is.  The audit log may have been moved away. */
static void
on_hup(void)
{
	struct tls_ctx *fresh = NULL;
	char why[CERTIFICATES_WHY_MAX];

	if (server.ready)
		notify("RELOADING=1");
	if (server.service.tls != NULL &&
	    certificates_load(&server.conf, server.keeper, &fresh, why) !=
		MTRK_OK)
		log_err("event=tls text=\"%s\" kept=old", why);
	if (fresh != NULL)
		service_replace_tls(&server.service, fresh);
	if (server.ready && audit_open(server.conf.audit_log) != MTRK_OK)
		log_err("event=audit path=\"%s\" text=\"%m\" kept=old",
		    server.conf.audit_log);
	metric_add(METRIC_RELOADS);
	log_notice("event=hup certificates=%s text=\"other settings need a"
		   " restart\"",
	    fresh != NULL ? "new" : "as before");
	if (server.ready)
		notify("READY=1");
}

static struct proc_signals_go on_signals = { on_hup, on_term };

static void
on_chain(void *arg)
{
	(void)arg;
	chain_work(server.service.chain);
}

static void
on_watchdog(void *arg)
{
	(void)arg;
	if (loop_alive(server.loop))
		notify("WATCHDOG=1");
}

/* Nobody keeps the store's pages while we wait. */
static void
after_turn(void *arg)
{
	(void)arg;
	db_rest(store_db(server.service.store));
}

static void
thread_ends(void *arg)
{
	(void)arg;
	db_leave(store_db(server.service.store));
}

static const struct loop_hooks hooks = { after_turn, thread_ends, NULL };

/* One for each CPU that we may use.  Only one thread works with the chain. */
static unsigned
threads_of(const struct conf *c)
{
	cpu_set_t cpus;
	int n = 1;

	if (c->chain.n == 0 && sched_getaffinity(0, sizeof cpus, &cpus) == 0)
		n = CPU_COUNT(&cpus);
	return n < THREADS_MAX ? (unsigned)n : THREADS_MAX;
}

static void
before_metrics(void)
{
	metric_set(METRIC_OPEN, loop_connections(server.loop));
}

/* A process that was killed leaves its slot in the store's reader table. */
static void
on_dead_readers(void *arg)
{
	unsigned n = db_clear_dead_readers(store_db(server.service.store));

	(void)arg;
	if (n > 0)
		log_notice("event=dead-readers cleared=%u", n);
}

/* Nobody is answered out of a store that is nobody's any more; with its
 * sandbox around it, it can't open the other. */
static void
on_store_look(void *arg)
{
	(void)arg;
	if (!db_lost_files(store_db(server.service.store)))
		return;
	log_err("event=store-lost store=\"%s\" text=\"it was deleted or "
		"replaced: mtqpd has to be started again\"",
	    server.conf.store);
	server.failed = true;
	loop_stop(server.loop);
}

/* Q1 */
static void
default_listen(struct conf *c)
{
	server.listens_by_default = c->listens == 0;
	if (!server.listens_by_default)
		return;
	c->listen[0] = (struct conf_listen){ "0.0.0.0", MTQP_PORT };
	c->listen[1] = (struct conf_listen){ "::", MTQP_PORT };
	c->listens = 2;
}

/* Nobody asked for [::] by name: a machine without IPv6 does without. */
static bool
may_be_missing(const struct conf_listen *l)
{
	return server.listens_by_default && strcmp(l->host, "::") == 0 &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
}

static bool
listen_on(const struct conf_listen *l, const struct protocol *p,
    struct service_door *door)
{
	if (loop_listen(server.loop, l->host, (uint16_t)l->port, p, door) ==
	    MTRK_OK)
		return true;
	if (may_be_missing(l)) {
		log_notice("event=listen text=\"no IPv6 here\"");
		return true;
	}
	log_err("event=listen host=%s port=%u text=\"%m\"", l->host,
	    (unsigned)l->port);
	return false;
}

/* Whoever reaches it may look: whatever watches servers is seldom root. */
static bool
start_metrics(const char *path)
{
	static struct metrics_source source = { before_metrics };

	if (path[0] == '\0')
		return true;
	if (loop_listen_local(server.loop, path, &metrics_http, &source) ==
		MTRK_OK &&
	    chmod(path, 0666) == 0)
		return true;
	log_err("event=metrics path=\"%s\" text=\"%m\"", path);
	return false;
}

static bool
start_listening(const struct conf *c)
{
	for (size_t i = 0; i < c->listens; i++)
		if (!listen_on(&c->listen[i], &service_mtqp, &server.clear))
			return false;
	for (size_t i = 0; i < c->listen_tls.n; i++) {
		struct conf_listen l = { 0 };

		conf_parse_listen(span_of(c->listen_tls.text[i]), &l);
		if (!listen_on(&l, &service_mtqps, &server.tls_first))
			return false;
	}
	return true;
}

static bool
start_tls(const struct conf *c)
{
	char why[CERTIFICATES_WHY_MAX];

	if (c->tls_certificate[0] == '\0')
		return true;
	if (certificates_load(c, server.keeper, &server.service.tls, why) !=
	    MTRK_OK) {
		log_err("event=tls text=\"%s\"", why);
		return false;
	}
	return true;
}

static bool
start_limits(const struct conf *c)
{
	const struct limits_conf limits = { c->mtqp_connections_per_client,
		c->mtqp_command_rate, c->mtqp_failures };
	unsigned addresses = 4 * (unsigned)c->mtqp_connections;
	uint64_t seed;

	loop_limit_memory(server.loop, (size_t)c->mtqp_memory);
	return crypto_random(&seed, sizeof seed) == MTRK_OK &&
	    limits_new(&limits,
		addresses < ADDRESSES_MIN ? ADDRESSES_MIN : addresses, seed,
		&server.service.limits) == MTRK_OK;
}

static bool
start_chain(const struct conf *c)
{
	return c->chain.n == 0 ||
	    chain_new(c, &server.service.chain) == MTRK_OK;
}

static bool
start_audit(const struct conf *c)
{
	if (audit_open(c->audit_log) == MTRK_OK)
		return true;
	log_err("event=audit path=\"%s\" text=\"%m\"", c->audit_log);
	return false;
}

static const struct sandbox_path names_and_authorities[] = {
	{ "/etc/resolv.conf", SANDBOX_READ_BESIDE },
	{ "/usr", SANDBOX_READ },
	{ "/lib", SANDBOX_READ },
};

/*
 * What is open stays open; of files only the audit log is opened again, by
 * SIGHUP, and certificates by the keeper.  Asking other servers needs names
 * and authorities too.  Threads inherit what Landlock took away, and find
 * themselves without system calls.
 */
static bool
start_threads(const struct conf *c)
{
	const char *authorities = getenv("SSL_CERT_FILE");
	bool asks = c->chain.n > 0, audits = c->audit_log[0] != '\0';
	struct sandbox_path paths[7] = {
		{ "/etc/localtime", SANDBOX_READ_BESIDE },
		{ "/usr/share/zoneinfo", SANDBOX_READ },
	};
	size_t n = 2;

	if (audits)
		paths[n++] =
		    (struct sandbox_path){ c->audit_log, SANDBOX_WRITE_BESIDE };
	if (asks && authorities != NULL)
		paths[n++] =
		    (struct sandbox_path){ authorities, SANDBOX_READ_BESIDE };
	for (size_t i = 0; asks && i < ARRAY_LEN(names_and_authorities); i++)
		paths[n++] = names_and_authorities[i];
	tzset();
	if (sandbox_files(paths, n) == MTRK_OK &&
	    loop_threads(server.loop, server.threads) == MTRK_OK &&
	    sandbox_calls(asks) == MTRK_OK)
		return true;
	log_err("event=sandbox text=\"%m\"");
	return false;
}

/* MTRK_NOTFOUND: there is none yet. */
static enum mtrk_err
open_store(void)
{
	char why[STORE_WHY_MAX];
	enum mtrk_err err = store_open(
	    server.conf.store, STORE_READ, 0, &server.service.store, why);

	if (err != MTRK_OK && err != MTRK_NOTFOUND)
		log_err("event=store text=\"%s\"", why);
	else if (err != MTRK_OK && server.looks++ % STORE_LOOKS_A_WORD == 0)
		log_notice("event=wait text=\"%s\"", why);
	return err;
}

static bool
start_store(void)
{
	enum mtrk_err err = open_store();

	return err == MTRK_OK || err == MTRK_NOTFOUND;
}

static const char *
user_of(const struct conf *c)
{
	return c->mtqp_user[0] != '\0' ? c->mtqp_user : c->user;
}

static bool
no_user(const struct conf *c)
{
	log_err(
	    "event=user name=%s text=\"can't become this user\"", user_of(c));
	return false;
}

static bool
may_become_user(const struct conf *c)
{
	const char *user = user_of(c);
	uid_t uid = 1;
	gid_t gid;

	return geteuid() != 0 || user[0] == '\0' ||
	    (proc_user(user, &uid, &gid) == MTRK_OK && uid != 0) || no_user(c);
}

static bool
become_user(const struct conf *c)
{
	return proc_drop(user_of(c)) == MTRK_OK || no_user(c);
}

/* H21: all that needs rights, but for what a store brings.  No step may fail.
 */
static bool
start(const struct conf *c, bool check)
{
	server.service.conf = c;
	server.threads = threads_of(c);
	if (certificates_keeper(c, &server.keeper) != MTRK_OK ||
	    loop_new((unsigned)c->mtqp_connections, &server.loop) != MTRK_OK) {
		log_err("event=start text=\"%m\"");
		return false;
	}
	if (!start_listening(c) || !start_tls(c) || !start_store() ||
	    !start_limits(c) || !start_chain(c) || !may_become_user(c))
		return false;
	service_start(&server.service);
	return !check || start_metrics(c->metrics_socket);
}

static void
stop(void)
{
	loop_free(&server.loop);
	chain_free(&server.service.chain);
	tls_ctx_free(&server.service.tls);
	store_close(&server.service.store);
	limits_free(&server.service.limits);
	keeper_stop(&server.keeper);
	audit_close();
}

static bool
watch_chain(void)
{
	return server.service.chain == NULL ||
	    (loop_watch(server.loop, chain_fd(server.service.chain), on_chain,
		 NULL) == MTRK_OK &&
		loop_timer(server.loop, CHAIN_LOOK_S, on_chain, NULL) ==
		    MTRK_OK);
}

static bool
start_events(void)
{
	int signals = proc_signals();
	unsigned watchdog_s = notify_watchdog_s();

	if (signals != -1 &&
	    loop_watch(server.loop, signals, proc_hand_signals, &on_signals) ==
		MTRK_OK &&
	    watch_chain() &&
	    (watchdog_s == 0 ||
		loop_timer(server.loop, watchdog_s, on_watchdog, NULL) ==
		    MTRK_OK))
		return true;
	log_err("event=start text=\"%m\"");
	return false;
}

static bool
start_reading(void)
{
	db_linger(store_db(server.service.store));
	loop_set_hooks(server.loop, &hooks);
	return loop_timer(server.loop, DEAD_READERS_S, on_dead_readers, NULL) ==
	    MTRK_OK &&
	    loop_timer(server.loop, STORE_LOOK_S, on_store_look, NULL) ==
	    MTRK_OK;
}

static void
log_as_configured(const struct conf *c)
{
	log_setup(
	    "mtqpd", (enum log_to)c->log_to, (enum log_level)c->log_level);
}

/* There is a store.  Until now nobody has been listened to; H21: from now on
 * there are no rights. */
static bool
admit(const struct conf *c)
{
	if (!start_metrics(c->metrics_socket) || !become_user(c) ||
	    !start_audit(c) || !start_reading())
		return false;
	log_as_configured(c);
	if (!start_threads(c))
		return false;
	server.ready = true;
	log_notice("event=start version=%s store=\"%s\" tls=%s threads=%u",
	    MTRK_VERSION, c->store, server.service.tls != NULL ? "yes" : "no",
	    server.threads);
	proc_ready();
	notify("READY=1");
	return true;
}

static void on_no_store(void *arg);

/* Programs are started in any order: whoever makes the store comes. */
static bool
wait_for_store(void)
{
	notify("EXTEND_TIMEOUT_USEC=60000000"); /* systemd's patience */
	return loop_later(server.loop, STORE_LOOK_S, on_no_store, NULL) ==
	    MTRK_OK;
}

static void
on_no_store(void *arg)
{
	enum mtrk_err err;

	(void)arg;
	if (server.stopping)
		return;
	err = open_store();
	server.faults =
	    err == MTRK_OK || err == MTRK_NOTFOUND ? 0 : server.faults + 1;
	if (err == MTRK_OK)
		server.failed = !admit(&server.conf);
	else
		server.failed =
		    server.faults > STORE_FAULTS_MAX || !wait_for_store();
	if (server.failed)
		loop_stop(server.loop);
}

static bool
serve(const struct conf *c)
{
	bool ok;

	if (!start_events())
		return false;
	if (server.service.store != NULL) {
		ok = admit(c);
	} else {
		log_as_configured(c);
		server.looks = 0; /* this log has heard nothing of it */
		ok = wait_for_store();
		proc_ready(); /* to make the store may be the next to start */
	}
	ok = ok && loop_run(server.loop) == MTRK_OK && !server.failed;
	log_notice("event=end");
	return ok;
}

static struct program program = {
	.name = "mtqpd",
	.usage = "[-fn] [-c FILE]",
	.short_options = "",
};

int
main(int argc, char **argv)
{
	struct common_options options;
	char libraries[256];
	bool ok;

	snprintf(libraries, sizeof libraries,
	    "%s, %s, libevent %s, c-ares %s, %s", crypto_version(),
	    db_version(), loop_version(), dns_version(), sandbox_version());
	program.libraries = libraries;
	options_read(&program, argc, argv, &options);
	options_conf(&program, &options, &server.conf);
	default_listen(&server.conf);
	/* What goes wrong before we run is said to who started us. */
	log_setup(
	    "mtqpd", LOG_TO_STDERR, (enum log_level)server.conf.log_level);
	if (options.check > 1)
		conf_print(&server.conf, stdout);
	if (options.check == 0 && !options.foreground &&
	    proc_background() != MTRK_OK)
		return EX_OSERR;
	notify_open();
	ok = start(&server.conf, options.check > 0);
	if (ok && options.check == 0)
		ok = serve(&server.conf);
	stop();
	return options_told(&program, ok ? EX_OK : EX_CONFIG);
}
