#include "mtqp/service.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/crypto.h"
#include "common/log.h"
#include "mtqp/answer.h"
#include "mtqp/audit.h"
#include "mtqp/combine.h"
#include "mtqp/metrics.h"

enum {
	LIMITED_S = 2, /* the wait after one command too many; ours */
	QUOTED_MAX = 4 * ENVID_MAX + 4,
};

/* One connection. */
struct client {
	struct service *service;
	struct session session;
	struct conn *conn;
	struct reply *waits; /* for what other servers say; or NULL */
};

static enum mtrk_err
track(void *arg, struct span envid,
    const unsigned char certifier[CERTIFIER_LEN], struct tstat *out)
{
	const struct service *s = arg;
	enum mtrk_err err =
	    answer_track(s->store, s->conf, envid, certifier, time(NULL), out);

	if (err == MTRK_OK && s->conf->disguise &&
	    (s->chain == NULL || !chain_wants(s->chain, out)))
		combine_disguise(out);
	return err;
}

static bool
chains(void *arg, const struct tstat *known)
{
	const struct service *s = arg;

	return chain_wants(s->chain, known);
}

static bool
covers(void *arg, const char *fqdn)
{
	struct service *s = arg;
	bool yes;

	pthread_mutex_lock(&s->lock);
	yes = tls_server_covers(s->tls, fqdn);
	pthread_mutex_unlock(&s->lock);
	return yes;
}

static void
start_tls(struct service *s, struct conn *c, const char *fqdn)
{
	pthread_mutex_lock(&s->lock);
	conn_starttls(c, s->tls, fqdn);
	pthread_mutex_unlock(&s->lock);
}

void
service_replace_tls(struct service *s, struct tls_ctx *fresh)
{
	pthread_mutex_lock(&s->lock);
	tls_ctx_free(&s->tls);
	s->tls = fresh;
	pthread_mutex_unlock(&s->lock);
}

/* Never the secret, nor what it hashes to. */
static void
log_query(const struct service *s, const struct conn *c, const struct reply *r)
{
	const struct tls *tls = conn_tls(c);
	struct audit_line line = { time(NULL), conn_peer(c),
		tls != NULL ? tls_protocol(tls) : NULL, r->envid, r->outcome };
	char q[QUOTED_MAX];

	audit_write(&line);
	if (s->conf->log_level >= LOG_L_INFO)
		log_info("conn=%lu event=track client=%s channel=%s"
			 " envid=\"%s\" outcome=\"%s\"",
		    conn_id(c), conn_peer(c), tls != NULL ? "tls" : "clear",
		    log_quote(span_of(r->envid), q, sizeof q), r->outcome);
}

static void
count(const struct reply *r)
{
	metric_add(METRIC_COMMANDS);
	if (r->bad)
		metric_add(METRIC_BAD);
	else if (r->outcome == NULL)
		return;
	else if (r->failed)
		metric_add(METRIC_NOINFO);
	else if (r->err == MTRK_OK)
		metric_add(METRIC_ANSWERED);
	else if (r->err == MTRK_DENIED)
		metric_add(METRIC_TLS_REQUIRED);
	else
		metric_add(METRIC_UNAVAILABLE);
}

/* What came to nothing is answered late, if that happens often (A16). */
static void
delay(struct service *s, struct conn *c)
{
	unsigned wait_s;

	pthread_mutex_lock(&s->lock);
	wait_s = limits_failure(s->limits, conn_ip(c), clock_coarse_ms());
	pthread_mutex_unlock(&s->lock);
	if (wait_s == 0)
		return;
	metric_add(METRIC_DELAYED);
	conn_pause(c, wait_s);
}

static void
after_reply(struct service *s, struct conn *c, const struct reply *r)
{
	count(r);
	if (r->outcome != NULL)
		log_query(s, c, r);
	if (r->after == AFTER_CHAIN)
		return;
	if (r->after == AFTER_STARTTLS)
		start_tls(s, c, r->fqdn);
	else if (r->after == AFTER_CLOSE)
		conn_close(c);
	else if (r->failed)
		delay(s, c);
	conn_written(c);
}

static void
greet(struct conn *c, const struct session *s)
{
	session_greeting(s, conn_out(c));
	conn_written(c);
}

/* With what others said, or without. */
static void
answer_chained(struct client *client, struct reply *r, struct tstat *known)
{
	const struct service *s = client->service;

	if (s->conf->disguise)
		combine_disguise(known);
	command_answer(r, MTRK_OK, known);
	count(r);
	log_query(s, client->conn, r);
}

/* No answer outlives the record, not even one that took a while. */
static bool
is_still_known(const struct service *s, const struct reply *r)
{
	struct tstat now = { 0 };
	bool known = answer_track(s->store, s->conf, span_of(r->envid),
			 r->certifier, time(NULL), &now) == MTRK_OK;

	tstat_free(&now);
	return known;
}

static void
on_chained(void *arg, struct tstat *known, bool complete)
{
	struct client *client = arg;
	struct reply *r = client->waits;

	client->waits = NULL;
	if (!complete)
		metric_add(METRIC_CHAIN_FAILED);
	r->text = conn_out(client->conn);
	if (is_still_known(client->service, r)) {
		answer_chained(client, r, known);
	} else {
		command_answer(r, MTRK_NOTFOUND, known);
		count(r);
		log_query(client->service, client->conn, r);
	}
	free(r);
	conn_resume(client->conn);
}

/* The connection waits while others are asked. */
static void
chain_it(struct client *client, struct reply *r)
{
	struct chain_question q = { r->envid, r->secret, r->certifier,
		conn_tls(client->conn) != NULL, &r->known };
	struct reply *waits = malloc(sizeof *waits);

	if (waits != NULL)
		*waits = *r;
	if (waits != NULL &&
	    chain_ask(client->service->chain, &q, on_chained, client) ==
		MTRK_OK) {
		metric_add(METRIC_CHAINED);
		crypto_wipe(waits->secret, sizeof waits->secret);
		client->waits = waits;
		conn_hold(client->conn);
	} else {
		free(waits);
		answer_chained(client, r, &r->known);
	}
	crypto_wipe(r->secret, sizeof r->secret);
	tstat_free(&r->known);
}

/* TLS that comes first is the work of a STARTTLS that was never said. */
static const char *
refuses(void *arg, const struct net_ip *ip)
{
	const struct service_door *door = arg;
	struct service *s = door->service;
	bool yes;

	if (s->store == NULL)
		return "there is no store yet";
	pthread_mutex_lock(&s->lock);
	yes = (!door->tls_first ||
		  limits_command(s->limits, ip, clock_coarse_ms())) &&
	    limits_connect(s->limits, ip, clock_coarse_ms());
	pthread_mutex_unlock(&s->lock);
	if (!yes)
		metric_add(METRIC_REFUSED);
	return yes ? NULL : "too many connections or commands of one address";
}

static void
left(struct service *s, const struct net_ip *ip)
{
	pthread_mutex_lock(&s->lock);
	limits_closed(s->limits, ip);
	pthread_mutex_unlock(&s->lock);
}

static void
missed(void *arg, const struct net_ip *ip)
{
	left(((const struct service_door *)arg)->service, ip);
}

static bool
may_command(struct service *s, const struct conn *c)
{
	bool yes;

	pthread_mutex_lock(&s->lock);
	yes = limits_command(s->limits, conn_ip(c), clock_coarse_ms());
	pthread_mutex_unlock(&s->lock);
	return yes;
}

static void *
on_opened(struct conn *c, void *arg)
{
	const struct service_door *door = arg;
	struct service *s = door->service;
	struct client *client = malloc(sizeof *client);

	metric_add(METRIC_CONNECTIONS);
	if (client == NULL)
		return NULL;
	client->service = s;
	client->conn = c;
	client->waits = NULL;
	session_start(&client->session, s->conf, &s->doors);
	log_debug("conn=%lu event=open client=%s", conn_id(c), conn_peer(c));
	if (door->tls_first)
		start_tls(s, c, NULL);
	else
		greet(c, &client->session);
	return client;
}

static void
on_line(struct conn *c, void *user, enum line what, struct span line)
{
	struct client *client = user;
	struct service *s = client->service;
	struct buf *out = conn_out(c);
	struct reply r;

	if (!may_command(s, c)) {
		metric_add(METRIC_LIMITED);
		command_refuse(out, &r);
		conn_pause(c, LIMITED_S);
	} else if (what == LINE_OK) {
		command_run(&client->session, line, out, &r);
	} else {
		command_fault(&client->session, what, out, &r);
	}
	after_reply(s, c, &r);
	if (r.after == AFTER_CHAIN)
		chain_it(client, &r);
}

static void
on_secured(struct conn *c, void *user)
{
	struct client *client = user;

	metric_add(METRIC_HANDSHAKES);
	session_secured(&client->session);
	greet(c, &client->session);
}

static void
on_closed(struct conn *c, void *user, const char *why)
{
	struct client *client = user;

	log_debug("conn=%lu event=close client=%s why=\"%s\"", conn_id(c),
	    conn_peer(c), why);
	left(client->service, conn_ip(c));
	if (client->waits != NULL) {
		chain_forget(client->service->chain, client);
		client->waits->outcome = "not answered";
		log_query(client->service, c, client->waits);
	}
	free(client->waits);
	free(client);
}

void
service_start(struct service *s)
{
	s->doors = (struct session_doors){ .track = track,
		.covers = s->tls != NULL ? covers : NULL,
		.chains = s->chain != NULL ? chains : NULL,
		.arg = s };
	pthread_mutex_init(&s->lock, NULL);
}

#define MTQP(its_name, its_refusal) \
	{ \
		.name = (its_name), .line_max = MTQP_LINE_MAX, \
		.idle_s = 600, /* Q11: not less */ \
		    .line_s = 30, .flush_s = 60, .tls_s = 15, \
		.answer_s = 115, /* Q13: two minutes */ \
		    .refusal = (its_refusal), .refuses = refuses, \
		.missed = missed, .opened = on_opened, .line = on_line, \
		.secured = on_secured, .closed = on_closed, \
	}
const struct protocol service_mtqp =
    MTQP("mtqp", "-TEMP/MTQP/unavailable try again later\r\n");
const struct protocol service_mtqps = MTQP("mtqps", NULL);
