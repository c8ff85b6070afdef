#include "mtqp/track_query.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/crypto.h"
#include "mtqp/draw.h"
#include "mtqp/timeline.h"
#include "mtqp/timeline_json.h"
#include "mtqp/trace.h"
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
};

struct query {
	struct mtqp_uri uri;
	struct trace_options trace;
	char server[HOST_MAX + 1];
	uint16_t port;
	bool json, raw;
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
	{ NULL, 0, NULL, 0 },
};

static bool
take_depth(struct query *q)
{
	uint64_t depth;

	if (!span_number(span_of(optarg), HOPS_MAX, &depth))
		return false;
	q->trace.depth = (unsigned)depth;
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
		return q->json = true;
	case OPT_RAW:
		return q->raw = true;
	case OPT_CA:
		q->trace.ask.ca_file = optarg;
		return true;
	case OPT_REQUIRE_TLS:
		return q->trace.ask.require_tls = true;
	case OPT_DEPTH:
		return take_depth(q);
	case OPT_ALLOW_PRIVATE:
		return q->trace.allow_private = true;
	case OPT_RESOLVER:
		q->trace.resolver = optarg;
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

/* --server HOST ENVID SECRET, or a URI, or a number of `list`. */
static int
take_what(struct query *q, int n, char **what)
{
	char why[WALLET_WHY_MAX];
	uint64_t number;

	if (q->server[0] != '\0') {
		if (n != 2 || !is_word(what[0]) || !is_word(what[1]) ||
		    !span_copy(
			q->uri.envid, sizeof q->uri.envid, span_of(what[0])) ||
		    !span_copy(
			q->uri.secret, sizeof q->uri.secret, span_of(what[1])))
			return EX_USAGE;
		memcpy(q->uri.host, q->server, sizeof q->uri.host);
		q->uri.port = q->port;
		return 0;
	}
	if (n != 1)
		return EX_USAGE;
	if (!span_number(span_of(what[0]), UINT32_MAX, &number))
		return uri_parse(span_of(what[0]), &q->uri) == MTRK_OK
		    ? 0
		    : EX_USAGE;
	if (wallet_find(number, &q->uri, why) == MTRK_OK)
		return 0;
	fprintf(stderr, "mtrk-track: %s\n", why);
	return EX_NOINPUT;
}

/* Where an outcome becomes an exit status. */
static int
status_of(enum mtrk_err err)
{
	switch (err) {
	case MTRK_NOTFOUND:
		return TRACK_NO_INFORMATION;
	case MTRK_BUSY:
		return EX_TEMPFAIL;
	default:
		return EX_UNAVAILABLE;
	}
}

static void
show(const struct query *q, const struct hops *h, const struct ways *w,
    struct buf *raw)
{
	const struct look look = { isatty(STDOUT_FILENO) &&
		    getenv("NO_COLOR") == NULL,
		draw_is_utf8() };
	json_t *j;

	if (q->raw) {
		fwrite(raw->p, 1, raw->n, stdout);
	} else if (q->json) {
		j = timeline_json(h, w, &q->uri);
		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(j);
	} else {
		timeline_text(h, w, look, stdout);
	}
}

/* On standard error, what the answer itself doesn't show; `all`: every failure,
 * which the timeline draws. */
static void
note_hop(const struct hop *h, bool all)
{
	if (h->tls.active && !h->tls.verified) {
		fputs("mtrk-track: note: TLS with ", stderr);
		draw_safe(h->host, stderr);
		fprintf(stderr, ", but its certificate: %s\n", h->tls.why_not);
	}
	if (!all || h->state == HOP_ANSWERED || h->state == HOP_SAME)
		return;
	fputs("mtrk-track: ", stderr);
	draw_safe(h->host, stderr);
	fputs(h->state == HOP_NOT_ASKED ? ": not asked: " : ": ", stderr);
	draw_safe(h->why, stderr);
	fputs(h->err == MTRK_NOTFOUND && h->state == HOP_FAILED
		? " (never seen there, another secret, or past its retention: "
		  "it does not say which)\n"
		: "\n",
	    stderr);
}

static int
ask_and_show(struct query *q)
{
	static struct hops hops; /* too large for a stack */
	struct buf raw = BUF(ASK_ANSWER_MAX);
	struct ways ways = { 0 };
	enum mtrk_err err;
	int status;

	q->trace.raw = q->raw ? &raw : NULL;
	err = trace(&q->uri, &q->trace, &hops);
	for (size_t i = 0; i < hops.n; i++)
		note_hop(&hops.list[i], q->json || q->raw || i == 0);
	if (err == MTRK_OK)
		err = hops_ways(&hops, &ways);
	if (err == MTRK_OK) {
		status = timeline_status(&ways);
		show(q, &hops, &ways, &raw);
	} else {
		status = status_of(err);
	}
	ways_free(&ways);
	hops_free(&hops);
	buf_free(&raw);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

int
track_query(int argc, char **argv)
{
	struct query q = { .trace.depth = HOPS_DEPTH };
	int c, status;

	while ((c = getopt_long(argc, argv, "", query_options, NULL)) != -1)
		if (!take_option(&q, c))
			return EX_USAGE;
	if (q.raw)
		q.trace.depth = 0; /* one server's answer, as it came */
	status = take_what(&q, argc - optind, argv + optind);
	if (status == EX_USAGE)
		fprintf(stderr,
		    "usage: mtrk-track query [--json|--raw] [--depth N] "
		    "[--allow-private]\n"
		    "       [--resolver ADDR[:PORT]] [--ca FILE] "
		    "[--require-tls]\n"
		    "       URI | NUMBER | --server HOST[:PORT] ENVID "
		    "SECRET\n");
	if (status == 0)
		status = ask_and_show(&q);
	crypto_wipe(&q.uri, sizeof q.uri);
	return status;
}
