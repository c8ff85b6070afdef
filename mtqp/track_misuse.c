#include "mtqp/track_misuse.h"

#include <stdio.h>
#include <sysexits.h>

#include "mtqp/draw.h"

int
track_misuse(const char *command, const char *what, const char *text)
{
	fprintf(stderr, "mtrk-track %s: %s", command, what);
	if (text != NULL) {
		fputs(": \"", stderr);
		draw_safe(text, stderr);
		fputc('"', stderr);
	}
	fputs("\nTry \"mtrk-track --help\", or \"man mtrk-track\".\n", stderr);
	return EX_USAGE;
}

int
track_misused_option(const char *command, const struct option *options, int c)
{
	char what[80];

	while (options->name != NULL && options->val != c)
		options++;
	if (options->name == NULL) {
		fputs("Try \"mtrk-track --help\", or \"man mtrk-track\".\n",
		    stderr);
		return EX_USAGE;
	}
	snprintf(what, sizeof what, "--%s cannot be this", options->name);
	return track_misuse(command, what, optarg);
}
