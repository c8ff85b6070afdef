/*
 * mtrk-gate -- an SMTP proxy that speaks MTRK (RFC 3885) where the MTA can't.
 * What the octets mean is in gate_inbound.c, how they come and go in
 * gate_pump.c.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/db.h"
#include "common/dns.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/net.h"
#include "common/notify.h"
#include "common/options.h"
#include "common/proc.h"
#include "common/tls.h"
#include "milter/gate_listen.h"
#include "milter/gate_out.h"
#include "milter/gate_pump.h"

enum {
	SPARE_FDS = 64, /* log, listeners, signals */
	GRACE_S = 30, /* ours: for what was begun before SIGTERM */
	VERDICT_S = 600, /* for a message's reply: RFC 5321 4.5.3.2.6 */
	PIPE_STORE_S = 5, /* ours: for the store, while Sendmail waits */
};

static struct gate {
	struct conf conf;
	struct loop *loop;
	struct tls_ctx *tls; /* NULL: no GateTLS */
	struct gate_listener *listeners[CONF_LISTEN_MAX];
	struct gate_out *out; /* NULL: no GateRoute, and no pipe */
	enum pump_ending ending;
	unsigned ending_s; /* since SIGTERM */
} gate;

/* --pipe HOST QUEUEID */
static bool pipe_wanted;
static const char *pipe_host, *pipe_id;

/* All pairs, or nothing. */
static struct tls_ctx *
load_tls(const struct conf *c)
{
	struct tls_ctx *tls = NULL;
	enum mtrk_err err = MTRK_OK;
	char why[512];

	for (size_t i = 0; i < c->gate_tlses && err == MTRK_OK; i++) {
		const struct conf_gate_tls *t = &c->gate_tls[i];

		err = i == 0 ? tls_server_new(t->certificate, t->key, &tls, why,
				   sizeof why)
			     : tls_server_add(tls, t->certificate, t->key, why,
				   sizeof why);
	}
	if (err != MTRK_OK) {
		log_err("event=tls text=\"%s\"", why);
		tls_ctx_free(&tls);
	}
	return tls;
}

/* Who has a handshake in hand keeps the old ones. */
static void
reload_tls(void)
{
	struct tls_ctx *fresh;

	if (gate.conf.gate_tlses == 0) {
		log_notice("event=hup text=\"no certificate to read again\"");
		return;
	}
	if ((fresh = load_tls(&gate.conf)) == NULL) {
		log_err("event=hup text=\"the old certificates stay\"");
		return;
	}
	tls_ctx_free(&gate.tls);
	gate.tls = fresh;
	log_notice("event=hup text=\"certificates are read again\"");
}

static void
end_conversations(enum pump_ending how)
{
	gate.ending = how;
	gate_listen_end(how);
	if (gate.out != NULL)
		gate_out_end(gate.out, how);
	if (pump_count() == 0)
		loop_stop(gate.loop);
}

/* A second signal ends the grace, a third everything. */
static void
on_term(int sig)
{
	bool now = gate.ending == PUMP_ENDS_ALL;

	log_notice("event=stop signal=%d conversations=%u now=%s", sig,
	    pump_count(), now || pump_count() == 0 ? "yes" : "no");
	notify("STOPPING=1");
	loop_deaf(gate.loop);
	if (now)
		loop_stop(gate.loop);
	else
		end_conversations(gate.ending + 1);
}

static struct proc_signals_go on_signals = { reload_tls, on_term };

static void
on_second(void *arg)
{
	(void)arg;
	notify_alive();
	if (gate.ending == PUMP_GOES_ON)
		return;
	gate.ending_s++;
	if (pump_count() == 0 || gate.ending_s >= VERDICT_S)
		loop_stop(gate.loop);
	else if (gate.ending_s == GRACE_S)
		end_conversations(PUMP_ENDS_ALL);
}

static bool
start_listening(const struct conf *c)
{
	for (size_t i = 0; i < c->gate_listens; i++) {
		const struct conf_gate_listen *l = &c->gate_listen[i];

		if (gate_listen(gate.loop, c, l, &gate.tls,
			&gate.listeners[i]) == MTRK_OK)
			continue;
		log_err("event=listen host=%s port=%u text=\"%m\"", l->at.host,
		    (unsigned)l->at.port);
		return false;
	}
	return true;
}

static bool
start_out(const struct conf *c)
{
	char why[GATE_OUT_WHY];

	if (c->gate_routes == 0)
		return true;
	if (gate_out_new(gate.loop, c, &gate.out, why) == MTRK_OK &&
	    gate_out_listen(gate.out, why) == MTRK_OK)
		return true;
	log_err("event=start text=\"%s\"", why);
	return false;
}

static bool
needs_net_admin(const struct conf *c)
{
	for (size_t i = 0; i < c->gate_listens; i++)
		if (c->gate_listen[i].mode == GATE_TRANSPARENT)
			return true;
	return false;
}

static bool
start_user(const struct conf *c, bool check)
{
	uid_t uid = 1;
	gid_t gid;
	bool ok;

	if (check)
		ok = c->user[0] == '\0' ||
		    (proc_user(c->user, &uid, &gid) == MTRK_OK && uid != 0);
	else if (needs_net_admin(c))
		ok = proc_drop_but_net_admin(c->user) == MTRK_OK;
	else
		ok = proc_drop(c->user) == MTRK_OK;
	if (!ok)
		log_err("event=user name=%s text=\"can't become this user\"",
		    c->user);
	return ok;
}

/* H21: all that needs rights, then give them up. */
static bool
start(const struct conf *c, bool check)
{
	if (c->gate_listens == 0 && c->gate_routes == 0) {
		log_err("event=start text=\"neither GateListen nor GateRoute:"
			" nothing to do\"");
		return false;
	}
	if (loop_new(0, &gate.loop) != MTRK_OK) {
		log_err("event=start text=\"%m\"");
		return false;
	}
	net_allow_descriptors(2 * GATE_CLIENTS_MAX + SPARE_FDS);
	if (c->gate_tlses > 0 && (gate.tls = load_tls(c)) == NULL)
		return false;
	return start_listening(c) && start_out(c) && start_user(c, check);
}

static void
stop(void)
{
	pump_drop_all("we stop");
	gate_out_free(&gate.out);
	loop_free(&gate.loop);
	for (size_t i = 0; i < CONF_LISTEN_MAX; i++)
		gate_listener_free(&gate.listeners[i]);
	tls_ctx_free(&gate.tls);
}

static bool
serve(const struct conf *c)
{
	int signals = proc_signals();
	bool ok;

	if (signals == -1 ||
	    loop_watch(gate.loop, signals, proc_hand_signals, &on_signals) !=
		MTRK_OK ||
	    loop_timer(gate.loop, 1, on_second, NULL) != MTRK_OK) {
		log_err("event=start text=\"%m\"");
		return false;
	}
	log_setup(
	    "mtrk-gate", (enum log_to)c->log_to, (enum log_level)c->log_level);
	log_notice("event=start version=%s listeners=%zu certificates=%zu"
		   " routes=%zu",
	    MTRK_VERSION, c->gate_listens, c->gate_tlses, c->gate_routes);
	if (gate.out != NULL)
		gate_out_begin(gate.out);
	proc_ready();
	notify("READY=1");
	ok = loop_run(gate.loop) == MTRK_OK;
	log_notice("event=end");
	return ok;
}

static void
on_patience(int sig)
{
	(void)sig;
	_exit(EX_OK); /* the mail is on its way; gate_book.c has told */
}

/* One conversation for Sendmail, which started us and waits for its end. */
static int
run_pipe(const struct conf *c)
{
	char why[GATE_OUT_WHY];
	enum mtrk_err err = MTRK_IO;

	log_setup(
	    "mtrk-gate", (enum log_to)c->log_to, (enum log_level)c->log_level);
	if (!proc_faults_to_errno() || loop_new(0, &gate.loop) != MTRK_OK ||
	    proc_drop(c->user) != MTRK_OK)
		log_err("event=start text=\"%m\"");
	else if (gate_out_new(gate.loop, c, &gate.out, why) != MTRK_OK)
		log_err("event=start text=\"%s\"", why);
	else if ((err = gate_out_pipe(gate.out, pipe_host, pipe_id)) != MTRK_OK)
		log_err("event=start text=\"%s\"", mtrk_err_text(err));
	else
		err = loop_run(gate.loop);
	if (err == MTRK_OK && signal(SIGALRM, on_patience) != SIG_ERR)
		alarm(PIPE_STORE_S);
	stop();
	return err == MTRK_OK ? EX_OK : EX_TEMPFAIL;
}

static bool
own_option(int option, const char *argument)
{
	(void)option, (void)argument;
	pipe_wanted = true;
	return true;
}

static const struct option long_options[] = {
	{ "pipe", no_argument, NULL, 'p' },
	{ 0 },
};

static struct program program = {
	.name = "mtrk-gate",
	.usage = "[-fn] [-c FILE]\n"
		 "       mtrk-gate [-c FILE] --pipe HOST QUEUEID",
	.short_options = "",
	.long_options = long_options,
	.own = own_option,
	.arguments = true,
};

static void
read_pipe(int argc, char **argv, const struct common_options *o)
{
	if (argc - o->first_argument != (pipe_wanted ? 2 : 0)) {
		fprintf(stderr, "usage: mtrk-gate %s\n", program.usage);
		exit(EX_USAGE);
	}
	if (!pipe_wanted)
		return;
	pipe_host = argv[o->first_argument];
	pipe_id = argv[o->first_argument + 1];
}

int
main(int argc, char **argv)
{
	struct common_options options;
	char libraries[192];
	bool ok;

	snprintf(libraries, sizeof libraries, "%s, %s, libevent %s, c-ares %s",
	    crypto_version(), db_version(), loop_version(), dns_version());
	program.libraries = libraries;
	options_read(&program, argc, argv, &options);
	read_pipe(argc, argv, &options);
	options_conf(&program, &options, &gate.conf);
	if (pipe_wanted && options.check == 0)
		return run_pipe(&gate.conf);
	/* What goes wrong before we run is said to who started us. */
	log_setup(
	    "mtrk-gate", LOG_TO_STDERR, (enum log_level)gate.conf.log_level);
	if (options.check > 1)
		conf_print(&gate.conf, stdout);
	if (options.check == 0 && !options.foreground &&
	    proc_background() != MTRK_OK)
		return EX_OSERR;
	notify_open();
	ok = start(&gate.conf, options.check > 0);
	if (ok && options.check == 0)
		ok = serve(&gate.conf);
	stop();
	return options_told(&program, ok ? EX_OK : EX_CONFIG);
}
