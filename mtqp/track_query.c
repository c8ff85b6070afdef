#include "mtqp/track_query.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "mtqp/host.h"
#include "mtqp/inquiry.h"
#include "mtqp/letter.h"
#include "mtqp/renew.h"
#include "mtqp/screen.h"
#include "mtqp/track_conf.h"
#include "mtqp/track_misuse.h"
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
	OPT_HOLD,
};

enum {
	HEADER_MAX = 1 << 20, /* octets of a message that are read; ours */
};

struct query {
	struct inquiry inquiry;
	struct track_conf conf;
	char server[HOST_MAX + 1];
	uint16_t port;
	bool message, watch, hold;
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
	{ "hold", no_argument, NULL, OPT_HOLD },
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
		return host_parse(span_of(optarg), q->server, &q->port) ==
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
	case OPT_HOLD:
		return q->hold = true;
	case OPT_SVG:
		q->inquiry.svg = optarg;
		return true;
	default:
		return false;
	}
}

/* A space or line end in either would be another command (A33), and nothing at
 * all none. */
static bool
is_word(const char *s)
{
	if (*s == '\0')
		return false;
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

static int
take_parts(struct query *q, int n, char **what)
{
	struct mtqp_uri *uri = &q->inquiry.uri;

	if (n != 2)
		return track_misuse("query",
		    "--server wants an envelope id and a secret behind it",
		    NULL);
	for (int i = 0; i < 2; i++)
		if (!is_word(what[i]))
			return track_misuse("query",
			    i == 0
				? "no envelope id: it is empty, or has blanks "
				  "or letters beyond ASCII in it"
				: "no secret: it is empty, or has blanks or "
				  "letters beyond ASCII in it",
			    i == 0 ? what[i] : NULL);
	if (!span_copy(uri->envid, sizeof uri->envid, span_of(what[0])) ||
	    !span_copy(uri->secret, sizeof uri->secret, span_of(what[1])))
		return track_misuse(
		    "query", "the envelope id or the secret is too long", NULL);
	memcpy(uri->host, q->server, sizeof uri->host);
	uri->port = q->port;
	return 0;
}

static int
take_number(struct query *q, uint64_t number)
{
	char why[WALLET_WHY_MAX];

	if (wallet_find(number, &q->inquiry.uri, why) == MTRK_OK)
		return 0;
	fprintf(stderr, "mtrk-track: %s\n", why);
	return EX_NOINPUT;
}

/* One that was cut off can still be a secret, though no sender makes one like
 * this; the server will only say that it has no information. */
static void
look_at_secret(const char *secret)
{
	if (strcspn(secret, "=") < (SECRET_MIN * 8 + 5) / 6)
		fputs("mtrk-track: note: the secret is shorter than RFC 3885 "
		      "allows; is the URI whole?\n",
		    stderr);
}

/* A URI is not told again: its secret is nobody else's business. */
static int
take_uri(struct query *q, const char *text)
{
	struct span s = span_of(text);
	char what[200];

	if (!span_istarts(s, "mtqp:"))
		return track_misuse("query",
		    "neither an mtqp: URI nor a number of \"mtrk-track list\"",
		    span_find(s, "/track/") < 0 ? text : NULL);
	if (uri_parse(s, &q->inquiry.uri) == MTRK_OK) {
		look_at_secret(q->inquiry.uri.secret);
		return 0;
	}
	snprintf(what, sizeof what,
	    "this is not a whole URI, mtqp://SERVER/track/ID/SECRET: %s",
	    uri_fault(s));
	return track_misuse("query", what, NULL);
}

/* --server HOST ENVID SECRET, or a URI, or a number of `list`. */
static int
take_what(struct query *q, int n, char **what)
{
	uint64_t number;

	if (q->message && n > 0)
		return track_misuse("query",
		    "--message reads the message from standard input, and "
		    "nothing else",
		    what[0]);
	if (q->message)
		return take_message(q);
	if (q->server[0] != '\0')
		return take_parts(q, n, what);
	if (n == 0)
		return track_misuse("query",
		    "which message? its mtqp: URI is missing, or its number in "
		    "\"mtrk-track list\"",
		    NULL);
	if (n == 2 && strchr(what[0], '@') != NULL)
		return track_misuse("query",
		    "an envelope id and its secret need --server HOST before "
		    "them",
		    NULL);
	if (n > 1)
		return track_misuse(
		    "query", "one message at a time, not this too", what[1]);
	if (span_number(span_of(what[0]), UINT32_MAX, &number))
		return take_number(q, number);
	return take_uri(q, what[0]);
}

static int
ask_and_show(struct query *q)
{
	struct inquiry *i = &q->inquiry;
	int status;

	if (q->watch) {
		status = renew(i);
	} else {
		if (screen_is_there())
			i->trace.asking = screen_asking;
		status = inquiry_ask(i);
		if (screen_is_there())
			screen_progress("");
		inquiry_say(i, 0, stderr);
		inquiry_print(i, screen_look(), stdout);
	}
	return status;
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

/* A window that closes with the program shows its last words until then. */
static void
hold(void)
{
	int c;

	if (!isatty(STDIN_FILENO))
		return;
	fputs("\nPress Enter to close. ", stdout);
	fflush(stdout);
	do
		c = getchar();
	while (c != '\n' && c != EOF);
}

static int
run(struct query *q, int argc, char **argv)
{
	const bool conf = take_conf(q);
	int c, status;

	while ((c = getopt_long(argc, argv, "", query_options, NULL)) != -1)
		if (!take_option(q, c))
			return track_misused_option("query", query_options, c);
	if (!conf)
		return EX_CONFIG;
	if (q->inquiry.raw && q->inquiry.json)
		return track_misuse("query", "--raw or --json, not both", NULL);
	if (q->inquiry.raw) /* one server's answer, as it came */
		q->inquiry.trace.depth = 0;
	status = take_what(q, argc - optind, argv + optind);
	return status == 0 ? ask_and_show(q) : status;
}

int
track_query(int argc, char **argv)
{
	struct query q = { .inquiry.trace.depth = HOPS_DEPTH };
	int status = run(&q, argc, argv);

	if (q.hold)
		hold();
	inquiry_free(&q.inquiry);
	return status;
}
