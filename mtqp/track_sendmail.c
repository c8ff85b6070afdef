#include "mtqp/track_sendmail.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "mtqp/letter.h"
#include "mtqp/posting.h"
#include "mtqp/timeline.h"

enum {
	RCPTS_MAX = 1000, /* of one message; ours */
	WORDS_MAX = 28, /* octets: RFC 3461 4.1's notify-esmtp-value */
};

struct sendmail {
	struct posting p;
	bool from_header, dots_end; /* -t; without -i */
	char *rcpts[RCPTS_MAX];
	size_t n;
	char from[ADDRESS_MAX]; /* of the message's own header */
};

/* "-oi" and "-oem" are options with an argument here: "i", "em". */
static bool
take_o(struct sendmail *m, const char *value)
{
	if (strcmp(value, "i") == 0)
		m->dots_end = false;
	return true;
}

/* A list of RFC 3461's words, which go into a command as they are. */
static bool
is_words(const char *s)
{
	return s[strspn(s,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "abcdefghijklmnopqrstuvwxyz,")] == '\0' &&
	    s[0] != '\0' && strlen(s) <= WORDS_MAX;
}

/* What sendmail takes and a submission has no use for is taken, too. */
static bool
take_option(struct sendmail *m, int c)
{
	switch (c) {
	case 't':
		return m->from_header = true;
	case 'i':
		m->dots_end = false;
		return true;
	case 'o':
		return take_o(m, optarg);
	case 'f':
	case 'r':
		m->p.s.from = strcmp(optarg, "<>") == 0 ? "" : optarg;
		return letter_is_address(span_of(m->p.s.from));
	case 'N':
		m->p.s.notify = optarg;
		return is_words(optarg);
	case 'R':
		m->p.s.ret = optarg;
		return is_words(optarg);
	case 'b':
		return strcmp(optarg, "m") == 0; /* deliver: no other mode */
	case 'F':
	case 'B':
	case 'O':
	case 'L':
	case 'X':
	case 'h':
	case 'p':
	case 'V':
	case 'v':
	case 'm':
	case 'n':
	case 'U':
	case 'G':
		return true;
	default:
		return false;
	}
}

static bool
add_rcpt(const char *address, void *arg)
{
	struct sendmail *m = arg;

	if (m->n == RCPTS_MAX)
		return false;
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->rcpts[i], address) == 0)
			return true;
	return (m->rcpts[m->n] = strdup(address)) != NULL && ++m->n > 0;
}

static bool
keep_from(const char *address, void *arg)
{
	struct sendmail *m = arg;

	if (m->from[0] == '\0')
		span_copy(m->from, sizeof m->from, span_of(address));
	return true;
}

/* Of -f, of track.conf, of the message; else the system's. */
static void
find_sender(struct sendmail *m)
{
	struct span value;

	if (m->p.s.from != NULL || m->p.conf.from[0] != '\0' ||
	    !letter_field(buf_as_span(&m->p.message), "From", &value) ||
	    letter_addresses(value, keep_from, m) != MTRK_OK)
		return;
	if (m->from[0] != '\0')
		m->p.s.from = m->from;
}

static enum mtrk_err
find_rcpts(struct sendmail *m, int n, char **words)
{
	enum mtrk_err err = MTRK_OK;

	for (int i = 0; i < n && err == MTRK_OK; i++)
		err = letter_addresses(span_of(words[i]), add_rcpt, m);
	if (err == MTRK_OK && m->from_header)
		err =
		    letter_recipients(buf_as_span(&m->p.message), add_rcpt, m);
	return err;
}

/* No partial success: the mail program would send to all once more. */
static int
send_it(struct sendmail *m, int n, char **words)
{
	int status;

	m->p.quiet = m->p.s.all_or_none = true;
	if (!posting_has_server(&m->p))
		return EX_USAGE;
	if (!posting_read(&m->p))
		return EX_NOINPUT;
	if (m->dots_end)
		buf_cut(
		    &m->p.message, letter_to_dot(buf_as_span(&m->p.message)).n);
	if (find_rcpts(m, n, words) != MTRK_OK) {
		fprintf(stderr,
		    "mtrk-track sendmail: not an address, or more than %d\n",
		    RCPTS_MAX);
		return EX_USAGE;
	}
	if (m->n == 0) {
		fprintf(stderr, "mtrk-track sendmail: no recipients\n");
		return EX_USAGE;
	}
	find_sender(m);
	m->p.s.rcpts = m->rcpts;
	m->p.s.n_rcpts = m->n;
	status = posting_send(&m->p);
	return status == TRACK_FAILED ? EX_UNAVAILABLE : status;
}

int
track_sendmail(int argc, char **argv)
{
	static struct sendmail m; /* too large for a stack */
	int c, status = EX_USAGE;
	bool ok = posting_start(&m.p);

	m.dots_end = true;
	if (!ok)
		status = EX_CONFIG;
	while (ok &&
	    (c = getopt(argc, argv, "+tivmnUGo:f:r:N:R:b:F:B:O:L:X:h:p:V:")) !=
		-1)
		if (!(ok = take_option(&m, c)))
			fprintf(stderr,
			    "mtrk-track sendmail: no such use of \"%s\"\n",
			    argv[optind - 1]);
	if (ok)
		status = send_it(&m, argc - optind, argv + optind);
	for (size_t i = 0; i < m.n; i++)
		free(m.rcpts[i]);
	posting_free(&m.p);
	return status;
}
