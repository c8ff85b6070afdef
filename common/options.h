/*
 * common/options.h -- the options every program has:
 *
 *	-c FILE, -f, -n, -nn, -V, --help
 */
#ifndef MTRK_COMMON_OPTIONS_H
#define MTRK_COMMON_OPTIONS_H

#include <getopt.h>

#include "common/conf.h"

struct program {
	const char *name;
	const char *usage; /* lines behind "usage: NAME " */
	const char *libraries; /* "liblmdb 0.9.24, ..." for -V */
	const char *short_options; /* of its own, getopt's form; may be "" */
	const struct option
	    *long_options; /* ended by a zero row; may be NULL */
	bool arguments; /* it takes some: from first_argument on */
	/* An option of its own; false: the argument is bad (said already). */
	bool (*own)(int option, const char *argument);
};

struct common_options {
	const char *conf_path;
	bool conf_given; /* -c was there */
	bool foreground;
	unsigned check; /* how many -n */
	int first_argument; /* index into argv */
};

/*
 * Reads all options.  -V and --help print and exit 0; an unknown option, or
 * an argument of a program that takes none, is told and exits 64 (EX_USAGE).
 */
void options_read(
    const struct program *, int argc, char **argv, struct common_options *out);

/* `status`, if all that was printed is out; else it says so: 74 (EX_IOERR). */
int options_told(const struct program *, int status);

/* Load the configuration for a daemon: defaults if the default file does not
 * exist.  On error exits 78 (EX_CONFIG) with "file:line: reason". */
void options_conf(
    const struct program *, const struct common_options *, struct conf *out);

#endif
