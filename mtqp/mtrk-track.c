/*
 * mtrk-track -- what people run: make a secret, send tracked mail, ask what
 * became of it.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/options.h"
#include "mtqp/ask.h"
#include "mtqp/timeline.h"
#include "mtqp/track_send.h"
#include "mtqp/wallet.h"

enum { OPT_SERVER = 1000, OPT_JSON, OPT_RAW, OPT_CA, OPT_REQUIRE_TLS };

struct query {
	struct mtqp_uri uri;
	struct ask_options ask;
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
	{ NULL, 0, NULL, 0 },
};

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
		q->ask.ca_file = optarg;
		return true;
	case OPT_REQUIRE_TLS:
		return q->ask.require_tls = true;
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

static int
show(const struct query *q, const struct buf *mime, const struct ask_tls *tls)
{
	struct tstat t;
	enum mtrk_err err = tstat_read(buf_as_span(mime), &t);
	int status = timeline_status(&t);
	json_t *j;

	if (err != MTRK_OK || t.n == 0) {
		fprintf(stderr,
		    "mtrk-track: the answer of %s is not a "
		    "tracking status\n",
		    q->uri.host);
		status = EX_UNAVAILABLE;
	} else if (q->raw) {
		fwrite(mime->p, 1, mime->n, stdout);
	} else if (q->json) {
		j = timeline_json(&t, &q->uri, tls);
		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(j);
	} else {
		timeline_text(&t,
		    isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
		    stdout);
	}
	tstat_free(&t);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}

static int
ask_and_show(const struct query *q)
{
	struct buf mime = BUF(ASK_ANSWER_MAX);
	char why[ASK_WHY_MAX] = "";
	struct ask_tls tls;
	enum mtrk_err err = ask_track(&q->uri, &q->ask, &mime, &tls, why);
	int status;

	if (tls.active && !tls.verified)
		fprintf(stderr,
		    "mtrk-track: note: TLS with %s, but its "
		    "certificate: %s\n",
		    q->uri.host, tls.why_not);
	if (err == MTRK_OK) {
		status = show(q, &mime, &tls);
	} else {
		fprintf(stderr, "mtrk-track: %s: %s%s\n", q->uri.host, why,
		    err == MTRK_NOTFOUND
			? " (never seen there, another secret, or past its "
			  "retention: it does not say which)"
			: "");
		status = status_of(err);
	}
	buf_free(&mime);
	return status;
}

static int
track_query(int argc, char **argv)
{
	struct query q = { 0 };
	int c, status;

	while ((c = getopt_long(argc, argv, "", query_options, NULL)) != -1)
		if (!take_option(&q, c))
			return EX_USAGE;
	status = take_what(&q, argc - optind, argv + optind);
	if (status == EX_USAGE)
		fprintf(stderr,
		    "usage: mtrk-track query [--json|--raw] [--ca FILE] "
		    "[--require-tls]\n"
		    "       URI | NUMBER | --server HOST[:PORT] ENVID "
		    "SECRET\n");
	if (status == 0)
		status = ask_and_show(&q);
	crypto_wipe(&q.uri, sizeof q.uri);
	return status;
}

static const char *
field(const json_t *e, const char *key)
{
	const char *s = json_string_value(json_object_get(e, key));

	return s != NULL ? s : "";
}

static void
list_entry(const json_t *e)
{
	const json_t *rcpts = json_object_get(e, "recipients");
	const char *first = json_string_value(json_array_get(rcpts, 0));
	size_t more = json_array_size(rcpts);

	printf("%4lld  %s  %-9s  %s",
	    (long long)json_integer_value(json_object_get(e, "number")),
	    field(e, "time"), field(e, "state"), first != NULL ? first : "-");
	if (more > 1)
		printf(" and %zu more", more - 1);
	printf("  %s\n", field(e, "subject"));
}

/* --json leaves the secrets out: a list is for looking, not for handing on. */
static int
track_list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ NULL, 0, NULL, 0 },
	};
	char why[WALLET_WHY_MAX];
	bool json = false;
	json_t *all, *e;
	size_t i;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != OPT_JSON)
			return EX_USAGE;
		json = true;
	}
	if (optind != argc)
		return EX_USAGE;
	if (wallet_all(&all, why) != MTRK_OK) {
		fprintf(stderr, "mtrk-track: %s\n", why);
		return EX_NOINPUT;
	}
	json_array_foreach(all, i, e)
	{
		json_object_del(e, "secret");
		if (!json) {
			list_entry(e);
			continue;
		}
		json_dumpf(e, stdout, JSON_COMPACT);
		putchar('\n');
	}
	if (json_array_size(all) == 0)
		fprintf(stderr,
		    "mtrk-track: nothing was sent from here "
		    "yet\n");
	json_decref(all);
	return 0;
}

static const struct command {
	const char *word;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "new", track_new },
	{ "send", track_send },
	{ "query", track_query },
	{ "list", track_list },
};

/* Options before the subcommand are the common ones; "+" stops there. */
static const struct program program = {
	.name = "mtrk-track",
	.usage = "[-c FILE] [-f] [-n[n]] [-V] [--help] COMMAND ...\n"
		 "  new    [--host FQHN] [--json]\n"
		 "  send   --server HOST[:PORT] [--from ADDR] [--timeout TIME] "
		 "[--assume-mtrk]\n"
		 "         [--mtqp HOST[:PORT]] [--user NAME "
		 "--password-file FILE] [--host FQHN]\n"
		 "         [--ca FILE] [--require-tls] RCPT... < message\n"
		 "  query  [--json|--raw] [--ca FILE] [--require-tls]\n"
		 "         URI | NUMBER | --server HOST[:PORT] ENVID SECRET\n"
		 "  list   [--json]",
	.short_options = "",
};

int
main(int argc, char **argv)
{
	struct program p = program;
	struct common_options o;
	struct conf conf;
	char libraries[256];

	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_IGN);
	snprintf(libraries, sizeof libraries, "%s, jansson %s",
	    crypto_version(), JANSSON_VERSION);
	p.libraries = libraries;
	options_read(&p, argc, argv, &o);
	if (o.conf_given || o.check > 0)
		options_conf(&p, &o, &conf);
	if (o.check > 1)
		conf_print(&conf, stdout);
	if (o.check > 0)
		return 0;
	argc -= o.first_argument;
	argv += o.first_argument;
	optind = 0; /* glibc: begin anew with the subcommand's options */
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[0], commands[i].word) == 0)
			return commands[i].run(argc, argv);
	fprintf(stderr, "mtrk-track: %s \"%s\": try --help\n",
	    argc > 0 ? "unknown command" : "a command is missing",
	    argc > 0 ? argv[0] : "");
	return EX_USAGE;
}
