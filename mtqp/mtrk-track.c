/*
 * mtrk-track -- what people run: make a secret, send tracked mail, ask what
 * became of it.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
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
#include "mtqp/track_sendmail.h"
#include "mtqp/track_wallet.h"

static const struct command {
	const char *word;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "new", track_new },
	{ "send", track_send },
	{ "query", track_query },
	{ "list", track_list },
	{ "share", track_share },
	{ "forget", track_forget },
	{ "sendmail", track_sendmail },
};

/* Options before the subcommand are the common ones; "+" stops there. */
static const struct program program = {
	.name = "mtrk-track",
	.usage =
	    "[-c FILE] [-f] [-n[n]] [-V] [--help] COMMAND ...\n"
	    "  new    [--host FQHN] [--json]\n"
	    "  send   --server HOST[:PORT] [--from ADDR] [--timeout TIME] "
	    "[--assume-mtrk]\n"
	    "         [--mtqp HOST[:PORT]] [--user NAME "
	    "--password-file FILE] [--host FQHN]\n"
	    "         [--ca FILE] [--require-tls] RCPT... < message\n"
	    "  query  [--json|--raw] [--watch] [--depth N] [--allow-private] "
	    "[--resolver ADDR[:PORT]]\n"
	    "         [--ca FILE] [--require-tls]\n"
	    "         URI | NUMBER | --message | --server HOST[:PORT] ENVID "
	    "SECRET\n"
	    "  list   [--json]\n"
	    "  share  NUMBER\n"
	    "  forget NUMBER... | --older TIME | --server HOST\n"
	    "  sendmail [-t] [-i] [-f ADDR] [RCPT...] < message",
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
