#include "mtqp/track_send.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "common/conf.h"
#include "mtqp/host.h"
#include "mtqp/letter.h"
#include "mtqp/posting.h"
#include "mtqp/track_misuse.h"

int
track_new(int argc, char **argv)
{
	static const struct option options[] = {
		{ "host", required_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct posting p;
	bool json = false;
	int c;

	if (!posting_start(&p))
		return EX_CONFIG;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c != 'h' || !host_name(span_of(optarg), p.conf.host))
			return track_misused_option("new", options, c);
	}
	if (optind != argc)
		return track_misuse("new", "unexpected", argv[optind]);
	if (token_make(p.conf.host, (int64_t)time(NULL) * 1000, &p.token) !=
	    MTRK_OK) {
		fprintf(stderr, "mtrk-track: no random numbers to be had\n");
		return EX_TEMPFAIL;
	}
	if (json)
		printf("{\"envid\":\"%s\",\"secret\":\"%s\","
		       "\"certifier\":\"%s\"}\n",
		    p.token.envid, p.token.secret, p.token.certifier);
	else
		printf("envid: %s\nsecret: %s\ncertifier: %s\n", p.token.envid,
		    p.token.secret, p.token.certifier);
	posting_free(&p);
	return 0;
}

enum {
	OPT_SERVER = 1000,
	OPT_FROM,
	OPT_TIMEOUT,
	OPT_ASSUME,
	OPT_MTQP,
	OPT_USER,
	OPT_PASSWORD_FILE,
	OPT_CA,
	OPT_REQUIRE_TLS,
	OPT_HOST,
};

static const struct option send_options[] = {
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "assume-mtrk", no_argument, NULL, OPT_ASSUME },
	{ "mtqp", required_argument, NULL, OPT_MTQP },
	{ "user", required_argument, NULL, OPT_USER },
	{ "password-file", required_argument, NULL, OPT_PASSWORD_FILE },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "require-tls", no_argument, NULL, OPT_REQUIRE_TLS },
	{ "host", required_argument, NULL, OPT_HOST },
	{ NULL, 0, NULL, 0 },
};

#define TAKE(field) span_copy(c->field, sizeof c->field, span_of(optarg))

static bool
take_option(struct posting *p, int option)
{
	struct track_conf *c = &p->conf;

	switch (option) {
	case OPT_SERVER:
		return host_parse(span_of(optarg), c->server,
			   &c->server_port) == MTRK_OK;
	case OPT_MTQP:
		return host_parse(span_of(optarg), c->mtqp, &c->mtqp_port) ==
		    MTRK_OK;
	case OPT_FROM:
		p->s.from = optarg; /* "" too: the null sender */
		return letter_is_address(span_of(optarg));
	case OPT_HOST:
		return host_name(span_of(optarg), c->host);
	case OPT_TIMEOUT:
		return c->has_timeout =
			   conf_parse_time(span_of(optarg), &c->timeout_s) &&
		    c->timeout_s <= MTRK_TIMEOUT_MAX;
	case OPT_ASSUME:
		return c->assume_mtrk = true;
	case OPT_REQUIRE_TLS:
		return c->require_tls = true;
	case OPT_USER:
		return TAKE(user);
	case OPT_PASSWORD_FILE:
		c->password_command[0] = '\0';
		return TAKE(password_file);
	case OPT_CA:
		return TAKE(ca_file);
	default:
		return false;
	}
}

int
track_send(int argc, char **argv)
{
	struct posting p;
	int c, status = EX_USAGE;

	if (!posting_start(&p))
		return EX_CONFIG;
	while ((c = getopt_long(argc, argv, "", send_options, NULL)) != -1)
		if (!take_option(&p, c))
			return track_misused_option("send", send_options, c);
	p.s.rcpts = argv + optind;
	p.s.n_rcpts = (size_t)(argc - optind);
	if (p.s.n_rcpts == 0)
		status = track_misuse("send",
		    "to whom? the recipients' addresses are missing", NULL);
	else if (!posting_has_server(&p))
		status = EX_USAGE;
	else
		status = posting_read(&p) ? posting_send(&p) : EX_NOINPUT;
	posting_free(&p);
	return status;
}
