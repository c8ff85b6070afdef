#include "mtqp/track_query.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "mtqp/inquiry.h"
#include "mtqp/letter.h"
#include "mtqp/renew.h"
#include "mtqp/screen.h"
#include "mtqp/track_conf.h"
#include "mtqp/wallet.h"

enum {
	OPT_SERVER = 1000,
	OPT_JSON,
	OPT_RAW,
	OPT_CA,
	OPT_REQUIRE_TLS,
	OPT_DEPTH,
	OPT_ALLOW_PRIVATE,
	OPT_RESOLVER,
	OPT_MESSAGE,
	OPT_WATCH,
	OPT_SVG,
};

enum {
	HEADER_MAX = 1 << 20, /* octets of a message that are read; ours */
};

struct query {
	struct inquiry inquiry;
	struct track_conf conf;
	char server[HOST_MAX + 1];
	uint16_t port;
	bool message, watch;
};

static const struct option query_options[] = {
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "require-tls", no_argument, NULL, OPT_REQUIRE_TLS },
	{ "depth", required_argument, NULL, OPT_DEPTH },
	{ "allow-private", no_argument, NULL, OPT_ALLOW_PRIVATE },
	{ "resolver", required_argument, NULL, OPT_RESOLVER },
	{ "message", no_argument, NULL, OPT_MESSAGE },
	{ "watch", no_argument, NULL, OPT_WATCH },
	{ "svg", required_argument, NULL, OPT_SVG },
	{ NULL, 0, NULL, 0 },
};

static bool
take_depth(struct query *q)
{
	uint64_t depth;

	if (!span_number(span_of(optarg), HOPS_MAX, &depth))
		return false;
	q->inquiry.trace.depth = (unsigned)depth;
	return true;
}

static bool
take_option(struct query *q, int c)
{
	switch (c) {
	case OPT_SERVER:
		return hostport_parse(span_of(optarg), q->server, &q->port) ==
		    MTRK_OK;
	case OPT_JSON:
		return q->inquiry.json = true;
	case OPT_RAW:
		return q->inquiry.raw = true;
	case OPT_CA:
		q->inquiry.trace.ask.ca_file = optarg;
		return true;
	case OPT_REQUIRE_TLS:
		return q->inquiry.trace.ask.require_tls = true;
	case OPT_DEPTH:
		return take_depth(q);
	case OPT_ALLOW_PRIVATE:
		return q->inquiry.trace.allow_private = true;
	case OPT_RESOLVER:
		q->inquiry.trace.resolver = optarg;
		return true;
	case OPT_MESSAGE:
		return q->message = true;
	case OPT_WATCH:
		return q->watch = true;
	case OPT_SVG:
		q->inquiry.svg = optarg;
		return true;
	default:
		return false;
	}
}

/* A space or line end in either would be another command (A33). */
static bool
is_word(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

/* The message itself on standard input, as a mail program pipes it. */
static int
take_message(struct query *q)
{
	struct buf text = BUF(HEADER_MAX);
	char why[WALLET_WHY_MAX] = "standard input: no Message-ID there";
	char chunk[4096];
	struct span id;
	size_t n;
	enum mtrk_err err = MTRK_NOTFOUND;

	/* a long body is of no interest, but its writer waits */
	while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		if (text.n + n <= HEADER_MAX)
			buf_add(&text, chunk, n);
	if (letter_field(buf_as_span(&text), "Message-ID", &id))
		err = wallet_find_message(id, &q->inquiry.uri, why);
	buf_free(&text);
	if (err == MTRK_OK)
		return 0;
	fprintf(stderr, "mtrk-track: %s\n", why);
	return EX_NOINPUT;
}

/* --server HOST ENVID SECRET, or a URI, or a number of `list`. */
static int
take_what(struct query *q, int n, char **what)
{
	char why[WALLET_WHY_MAX];
	uint64_t number;

	if (q->message)
		return n == 0 ? take_message(q) : EX_USAGE;
	if (q->server[0] != '\0') {
		if (n != 2 || !is_word(what[0]) || !is_word(what[1]) ||
		    !span_copy(q->inquiry.uri.envid,
			sizeof q->inquiry.uri.envid, span_of(what[0])) ||
		    !span_copy(q->inquiry.uri.secret,
			sizeof q->inquiry.uri.secret, span_of(what[1])))
			return EX_USAGE;
		memcpy(
		    q->inquiry.uri.host, q->server, sizeof q->inquiry.uri.host);
		q->inquiry.uri.port = q->port;
		return 0;
	}
	if (n != 1)
		return EX_USAGE;
	if (!span_number(span_of(what[0]), UINT32_MAX, &number))
		return uri_parse(span_of(what[0]), &q->inquiry.uri) == MTRK_OK
		    ? 0
		    : EX_USAGE;
	if (wallet_find(number, &q->inquiry.uri, why) == MTRK_OK)
		return 0;
	fprintf(stderr, "mtrk-track: %s\n", why);
	return EX_NOINPUT;
}

static int
ask_and_show(struct query *q)
{
	struct inquiry *i = &q->inquiry;
	int status;

	if (q->watch) {
		status = renew(i);
	} else {
		status = inquiry_ask(i);
		inquiry_say(i, 0, stderr);
		inquiry_print(i, screen_look(), stdout);
	}
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

static bool
take_conf(struct query *q)
{
	const struct track_conf *c = &q->conf;

	if (track_conf_load(&q->conf, stderr) != MTRK_OK)
		return false;
	q->inquiry.trace.ask.ca_file =
	    c->ca_file[0] != '\0' ? c->ca_file : NULL;
	q->inquiry.trace.ask.require_tls = c->require_tls;
	q->inquiry.trace.allow_private = c->allow_private;
	q->inquiry.trace.resolver = c->resolver[0] != '\0' ? c->resolver : NULL;
	return true;
}

int
track_query(int argc, char **argv)
{
	struct query q = { .inquiry.trace.depth = HOPS_DEPTH };
	int c, status;

	if (!take_conf(&q))
		return EX_CONFIG;
	while ((c = getopt_long(argc, argv, "", query_options, NULL)) != -1)
		if (!take_option(&q, c))
			return EX_USAGE;
	if (q.inquiry.raw)
		q.inquiry.trace.depth = 0; /* one server's answer, as it came */
	status = take_what(&q, argc - optind, argv + optind);
	if (status == EX_USAGE)
		fprintf(stderr,
		    "usage: mtrk-track query [--json|--raw] [--watch] "
		    "[--svg FILE] [--depth N] [--allow-private]\n"
		    "       [--resolver ADDR[:PORT]] [--ca FILE] "
		    "[--require-tls]\n"
		    "       URI | NUMBER | --message | --server HOST[:PORT] "
		    "ENVID SECRET\n");
	if (status == 0)
		status = ask_and_show(&q);
	inquiry_free(&q.inquiry);
	return status;
}
