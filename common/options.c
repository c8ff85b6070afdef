#include "common/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { LONGS_MAX = 32, SHORT_MAX = 64, OPT_HELP = 0x4000 };

static const char help[] =
    "\n  -c FILE   configuration (default " CONF_DEFAULT_PATH ")\n"
    "  -f        stay in the foreground\n"
    "  -n        check the configuration; exit 0 only if it would start\n"
    "  -nn       print the configuration as understood, too\n"
    "  -V        version\n"
    "  --help    this text\n";

static void
say_help(const struct program *p, FILE *out)
{
	fprintf(out, "usage: %s %s\n%s", p->name, p->usage, help);
}

static const struct option common_long[] = {
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* Ours in front of the program's own, getopt_long's way. */
static void
merge(const struct program *p, char *shorts, struct option *longs)
{
	size_t n = 0;

	snprintf(shorts, SHORT_MAX, "+c:fnV%s", p->short_options);
	for (const struct option *o = common_long; o->name != NULL; o++)
		longs[n++] = *o;
	for (const struct option *o = p->long_options;
	     o != NULL && o->name != NULL && n < LONGS_MAX - 1; o++)
		longs[n++] = *o;
	longs[n] = (struct option){ 0 };
}

int
options_told(const struct program *p, int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE) /* "| head" has seen enough */
		fprintf(stderr, "%s: standard output: %m\n", p->name);
	return EX_IOERR;
}

static void
take(const struct program *p, struct common_options *o, int c)
{
	switch (c) {
	case 'c':
		o->conf_path = optarg;
		o->conf_given = true;
		return;
	case 'f':
		o->foreground = true;
		return;
	case 'n':
		o->check++;
		return;
	case 'V':
		printf("%s %s (%s)\n", p->name, MTRK_VERSION, p->libraries);
		exit(options_told(p, 0));
	case OPT_HELP:
		say_help(p, stdout);
		exit(options_told(p, 0));
	default:
		if (c != '?' && p->own != NULL && p->own(c, optarg))
			return;
		fprintf(stderr, "%s: try %s --help\n", p->name, p->name);
		exit(EX_USAGE);
	}
}

/*
 * Standard input, output or error that was closed when we were started ("2>&-")
 * would be the next file that is opened, be it the store's or a client, and
 * what is said would be written into it.  Something stands in for it that
 * can't be read or written, as before.
 */
static void
keep_standard_descriptors(void)
{
	static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd < (int)ARRAY_LEN(wrong_way); fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", wrong_way[fd]) != fd)
			exit(EX_OSERR);
}

void
options_read(
    const struct program *p, int argc, char **argv, struct common_options *out)
{
	struct option longs[LONGS_MAX];
	char shorts[SHORT_MAX];
	int c;

	keep_standard_descriptors();
	*out = (struct common_options){ .conf_path = CONF_DEFAULT_PATH };
	merge(p, shorts, longs);
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		take(p, out, c);
	out->first_argument = optind;
	if (optind < argc && !p->arguments) {
		fprintf(stderr, "%s: takes no argument: \"%s\"\n", p->name,
		    argv[optind]);
		exit(EX_USAGE);
	}
}

void
options_conf(
    const struct program *p, const struct common_options *o, struct conf *out)
{
	FILE *f;

	if (!o->conf_given && (f = fopen(o->conf_path, "re")) == NULL &&
	    errno == ENOENT) {
		conf_defaults(out);
		return;
	}
	if (!o->conf_given && f != NULL)
		fclose(f);
	if (conf_load(o->conf_path, out, stderr) != MTRK_OK) {
		fprintf(stderr, "%s: the configuration has faults, see above\n",
		    p->name);
		exit(EX_CONFIG);
	}
}
