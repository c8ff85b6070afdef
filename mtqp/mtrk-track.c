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
#include "common/dns.h"
#include "common/options.h"
#include "mtqp/track_query.h"
#include "mtqp/track_send.h"
#include "mtqp/wallet.h"

enum { OPT_JSON = 1000 };

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
		 "  query  [--json|--raw] [--depth N] [--allow-private] "
		 "[--resolver ADDR[:PORT]]\n"
		 "         [--ca FILE] [--require-tls]\n"
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
	snprintf(libraries, sizeof libraries, "%s, c-ares %s, jansson %s",
	    crypto_version(), dns_version(), JANSSON_VERSION);
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
