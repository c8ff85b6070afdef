/*
 * mtrk-track -- what people run: make a secret, send tracked mail, ask what
 * became of it.
 */
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
#include "mtqp/draw.h"
#include "mtqp/host.h"
#include "mtqp/track_conf.h"
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

/* Behind "usage: mtrk-track ". */
#define USAGE \
	"COMMAND [OPTION...]\n" \
	"\n" \
	"Send mail that can be tracked, and ask what became of it.\n" \
	"\n" \
	"  send      send a message, remember its secret, print its " \
	"mtqp: URI\n" \
	"              [--server HOST[:PORT]] [--from ADDRESS] " \
	"[--timeout TIME]\n" \
	"              [--assume-mtrk] [--mtqp HOST[:PORT]] [--host " \
	"NAME]\n" \
	"              [--user NAME] [--password-file FILE] [--ca FILE]\n" \
	"              [--require-tls] RECIPIENT... <MESSAGE\n" \
	"  list      what was sent from here\n" \
	"              [--json]\n" \
	"  query     where a message is now\n" \
	"              [--json | --raw] [--watch] [--hold] [--svg FILE]\n" \
	"              [--depth N] [--allow-private] [--resolver " \
	"ADDRESS[:PORT]]\n" \
	"              [--ca FILE] [--require-tls]\n" \
	"              URI | NUMBER | --message <MESSAGE |\n" \
	"              --server HOST[:PORT] ID SECRET\n" \
	"  share     print the URI of a message that was sent, for " \
	"others\n" \
	"              NUMBER\n" \
	"  forget    remove messages and their secrets, or what is " \
	"known of a server\n" \
	"              NUMBER... | --older TIME | --server HOST\n" \
	"  sendmail  send as sendmail does, for mail programs\n" \
	"              [-t] [-i] [-f ADDRESS] [RECIPIENT...] <MESSAGE\n" \
	"  new       a new id, secret and certifier, for other programs\n" \
	"              [--host NAME] [--json]\n" \
	"\n" \
	"Your own server and login stand in " \
	"~/.config/mtrk/track.conf: see\n" \
	"\"man mtrk-track\".\n"

/* Options before the subcommand are the common ones; "+" stops there. */
static const struct program program = {
	.name = "mtrk-track",
	.usage = USAGE "\nBefore the command:",
	.short_options = "",
	.arguments = true,
};

/* What getopt_long() says begins with the command. */
static int
run(const struct command *c, int argc, char **argv)
{
	char name[64];
	int status, told;

	snprintf(name, sizeof name, "mtrk-track %s", c->word);
	argv[0] = name;
	status = c->run(argc, argv);
	told = options_told(&program, status);
	/* what was sent is sent, though its URI could not be told: its secret
	 * is in the list, and who sends again sends twice */
	return c->run == track_send ? status : told;
}

/* With -n: would a command start? */
static int
check(void)
{
	struct track_conf own;

	return track_conf_load(&own, stderr) == MTRK_OK ? 0 : EX_CONFIG;
}

int
main(int argc, char **argv)
{
	struct program p = program;
	struct common_options o;
	struct conf conf;
	char libraries[256];

	setlocale(LC_ALL, "");
	setlocale(LC_MESSAGES, "C"); /* the system's words inside of ours */
	signal(SIGPIPE, SIG_IGN);
	snprintf(libraries, sizeof libraries,
	    "%s, c-ares %s, jansson %s, libidn2 %s", crypto_version(),
	    dns_version(), JANSSON_VERSION, host_idn_version());
	p.libraries = libraries;
	options_read(&p, argc, argv, &o);
	if (o.conf_given || o.check > 0)
		options_conf(&p, &o, &conf);
	if (o.check > 1)
		conf_print(&conf, stdout);
	if (o.check > 0)
		return options_told(&p, check());
	argc -= o.first_argument;
	argv += o.first_argument;
	optind = 0; /* glibc: begin anew with the subcommand's options */
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[0], commands[i].word) == 0)
			return run(&commands[i], argc, argv);
	if (argc == 0) {
		fputs("usage: mtrk-track " USAGE, stderr);
		return EX_USAGE;
	}
	fputs("mtrk-track: there is no command \"", stderr);
	draw_safe(argv[0], stderr);
	fputs(
	    "\".\nTry \"mtrk-track --help\", or \"man mtrk-track\".\n", stderr);
	return EX_USAGE;
}
