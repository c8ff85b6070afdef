/*
 * mtqpd -- answers MTQP (RFC 3887) from the tracking store.  What the lines
 * mean is in command.c, how they come and go in common/loop.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/db.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/options.h"
#include "common/proc.h"
#include "common/store.h"
#include "common/uri.h"
#include "mtqp/answer.h"
#include "mtqp/command.h"

enum {
	CONNS_MAX = 1000, /* ours */
	DEAD_READERS_S = 60,
	QUOTED_MAX = 4 * ENVID_MAX + 4,
};

static struct server {
	struct conf conf;
	struct loop *loop;
	struct store *store;
	struct tls_ctx *tls; /* NULL: no certificate */
	struct session_doors doors;
	bool listens_by_default;
	bool stopping;
} server;

static enum mtrk_err
track(void *arg, struct span envid,
    const unsigned char certifier[CERTIFIER_LEN], struct tstat *out)
{
	const struct server *s = arg;

	return answer_track(
	    s->store, &s->conf, envid, certifier, time(NULL), out);
}

static bool
covers(void *arg, const char *fqdn)
{
	const struct server *s = arg;

	return tls_server_covers(s->tls, fqdn);
}

/* Never the secret, nor what it hashes to. */
static void
log_query(const struct conn *c, const struct session *s, const struct reply *r)
{
	char q[QUOTED_MAX];

	if (r->outcome == NULL)
		return;
	log_info("conn=%lu event=track client=%s channel=%s envid=\"%s\""
		 " outcome=\"%s\"",
	    conn_id(c), conn_peer(c), s->state == SESSION_TLS ? "tls" : "clear",
	    log_quote(span_of(r->envid), q, sizeof q), r->outcome);
}

static void
send_reply(struct conn *c, struct reply *r)
{
	struct span text = buf_as_span(&r->text);

	if (r->text.err != MTRK_OK)
		conn_drop(c, "out of memory");
	else
		conn_write(c, text);
	if (r->after == AFTER_STARTTLS)
		conn_starttls(c, server.tls, r->fqdn);
	else if (r->after == AFTER_CLOSE)
		conn_close(c);
	reply_free(r);
}

static void
greet(struct conn *c, const struct session *s)
{
	struct reply r;

	session_greeting(s, &r);
	send_reply(c, &r);
}

static void *
on_opened(struct conn *c, void *arg)
{
	struct session *s = malloc(sizeof *s);

	(void)arg;
	if (s == NULL)
		return NULL;
	session_start(s, &server.conf, &server.doors);
	log_debug("conn=%lu event=open client=%s", conn_id(c), conn_peer(c));
	greet(c, s);
	return s;
}

static void
on_line(struct conn *c, void *user, enum line what, struct span line)
{
	struct session *s = user;
	struct reply r;

	if (what == LINE_OK)
		command_run(s, line, &r);
	else
		command_fault(what, &r);
	log_query(c, s, &r);
	send_reply(c, &r);
}

static void
on_secured(struct conn *c, void *user)
{
	struct session *s = user;

	session_secured(s);
	greet(c, s);
}

static void
on_closed(struct conn *c, void *user, const char *why)
{
	log_debug("conn=%lu event=close client=%s why=\"%s\"", conn_id(c),
	    conn_peer(c), why);
	free(user);
}

static const struct protocol mtqp = {
	.name = "mtqp",
	.line_max = MTQP_LINE_MAX,
	.idle_s = 600, /* Q11: not less */
	.line_s = 30,
	.flush_s = 60,
	.tls_s = 15,
	.refusal = "-TEMP/MTQP/unavailable too many connections\r\n",
	.opened = on_opened,
	.line = on_line,
	.secured = on_secured,
	.closed = on_closed,
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
	log_notice("event=stop signal=%d now=no", sig);
	loop_drain(server.loop);
}

static void
on_signals(void *arg)
{
	int sig;

	(void)arg;
	while ((sig = proc_next_signal()) != 0)
		if (sig == SIGHUP)
			log_notice("event=hup text=\"nothing is reloaded:"
				   " settings and certificate need a"
				   " restart\"");
		else
			on_term(sig);
}

/* A process that was killed leaves its slot in the store's reader table. */
static void
on_dead_readers(void *arg)
{
	unsigned n = db_clear_dead_readers(store_db(server.store));

	(void)arg;
	if (n > 0)
		log_notice("event=dead-readers cleared=%u", n);
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
start_listening(const struct conf *c)
{
	for (size_t i = 0; i < c->listens; i++) {
		const struct conf_listen *l = &c->listen[i];

		if (loop_listen(server.loop, l->host, (uint16_t)l->port, &mtqp,
			NULL) == MTRK_OK)
			continue;
		if (may_be_missing(l)) {
			log_notice("event=listen text=\"no IPv6 here\"");
			continue;
		}
		log_err("event=listen host=%s port=%u text=\"%m\"", l->host,
		    (unsigned)l->port);
		return false;
	}
	return true;
}

static bool
start_tls(const struct conf *c)
{
	char why[512];

	server.doors = (struct session_doors){ .track = track, .arg = &server };
	if (c->tls_certificate[0] == '\0')
		return true;
	if (tls_server_new(c->tls_certificate, c->tls_key, &server.tls, why,
		sizeof why) != MTRK_OK) {
		log_err("event=tls text=\"%s\"", why);
		return false;
	}
	server.doors.covers = covers;
	return true;
}

static bool
start_store(const struct conf *c)
{
	char why[STORE_WHY_MAX];

	if (store_open(c->store, STORE_READ, 0, &server.store, why) == MTRK_OK)
		return true;
	log_err("event=store text=\"%s\"", why);
	return false;
}

static const char *
user_of(const struct conf *c)
{
	return c->mtqp_user[0] != '\0' ? c->mtqp_user : c->user;
}

static bool
start_user(const struct conf *c, bool check)
{
	const char *user = user_of(c);
	uid_t uid = 1;
	gid_t gid;
	bool ok;

	if (!check)
		ok = proc_drop(user) == MTRK_OK;
	else
		ok = geteuid() != 0 || user[0] == '\0' ||
		    (proc_user(user, &uid, &gid) == MTRK_OK && uid != 0);
	if (!ok)
		log_err(
		    "event=user name=%s text=\"can't become this user\"", user);
	return ok;
}

/* H21: all that needs rights, then give them up.  No step may fail. */
static bool
start(const struct conf *c, bool check)
{
	if (loop_new(CONNS_MAX, &server.loop) != MTRK_OK) {
		log_err("event=start text=\"%m\"");
		return false;
	}
	return start_listening(c) && start_tls(c) && start_store(c) &&
	    start_user(c, check);
}

static void
stop(void)
{
	loop_free(&server.loop);
	tls_ctx_free(&server.tls);
	store_close(&server.store);
}

static bool
serve(const struct conf *c)
{
	int signals = proc_signals();
	bool ok;

	if (signals == -1 ||
	    loop_watch(server.loop, signals, on_signals, NULL) != MTRK_OK ||
	    loop_timer(server.loop, DEAD_READERS_S, on_dead_readers, NULL) !=
		MTRK_OK) {
		log_err("event=start text=\"%m\"");
		return false;
	}
	log_setup(
	    "mtqpd", (enum log_to)c->log_to, (enum log_level)c->log_level);
	log_notice("event=start version=%s store=\"%s\" tls=%s", MTRK_VERSION,
	    c->store, server.tls != NULL ? "yes" : "no");
	proc_ready();
	ok = loop_run(server.loop) == MTRK_OK;
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
	char libraries[128];
	bool ok;

	snprintf(libraries, sizeof libraries, "%s, %s, libevent %s",
	    crypto_version(), db_version(), loop_version());
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
	ok = start(&server.conf, options.check > 0);
	if (ok && options.check == 0)
		ok = serve(&server.conf);
	stop();
	return ok ? EX_OK : EX_CONFIG;
}
