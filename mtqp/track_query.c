#include "mtqp/track_query.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "mtqp/draw.h"
#include "mtqp/known_servers.h"
#include "mtqp/letter.h"
#include "mtqp/svg.h"
#include "mtqp/timeline.h"
#include "mtqp/timeline_json.h"
#include "mtqp/trace.h"
#include "mtqp/track_conf.h"
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
};

enum {
	HEADER_MAX = 1 << 20, /* octets of a message that are read; ours */
	WATCH_FIRST_S = 2, /* between questions; doubled while nothing is new */
	WATCH_MOST_S = 120,
};

struct query {
	struct mtqp_uri uri;
	struct trace_options trace;
	struct track_conf conf;
	char server[HOST_MAX + 1];
	uint16_t port;
	const char *svg; /* a file to draw into; NULL */
	bool json, raw, message, watch;
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
	case OPT_MESSAGE:
		return q->message = true;
	case OPT_WATCH:
		return q->watch = true;
	case OPT_SVG:
		q->svg = optarg;
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
		err = wallet_find_message(id, &q->uri, why);
	buf_free(&text);
	if (err == MTRK_OK)
		return 0;
	fprintf(stderr, "mtrk-track: %s\n", why);
	return EX_NOINPUT;
}

/* --server HOST ENVID SECRET, or a URI, or a number of `list`. */
static int
take_what(struct query *q, int n, char **what)
{
	char why[WALLET_WHY_MAX];
	uint64_t number;

	if (q->message)
		return n == 0 ? take_message(q) : EX_USAGE;
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
    struct buf *raw, FILE *out)
{
	const struct look look = { isatty(STDOUT_FILENO) &&
		    getenv("NO_COLOR") == NULL,
		draw_is_utf8() };
	json_t *j;

	if (q->raw) {
		fwrite(raw->p, 1, raw->n, out);
	} else if (q->json) {
		j = timeline_json(h, w, &q->uri);
		json_dumpf(j, out, JSON_COMPACT);
		fputc('\n', out);
		json_decref(j);
	} else {
		timeline_text(h, w, look, out);
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

static bool
draw_picture(const char *path, const struct hops *h, const struct ways *w)
{
	FILE *f = fopen(path, "we");
	bool ok = f != NULL;

	if (ok) {
		svg_write(h, w, f);
		ok = !ferror(f);
		ok = fclose(f) == 0 && ok;
	}
	if (!ok)
		fprintf(stderr, "mtrk-track: %s: %m\n", path);
	return ok;
}

/* Q44: what the server was before, and is not now. */
static void
look_for_alarm(struct hop *h)
{
	static const char *const texts[] = {
		[ALARM_NO_TLS] = "warning: it no longer offers TLS: the "
				 "secret went in clear, and somebody may be "
				 "in between",
		[ALARM_OTHER_KEY] =
		    "warning: it has another key, which nobody vouches for: "
		    "it may be another server",
		[ALARM_NEW_KEY] =
		    "note: it has a new key, and a verified certificate",
	};
	char since[SINCE_TEXT], why[DATAFILE_WHY_MAX];
	enum alarm alarm;

	if (known_servers_note(h->host, &h->tls, &alarm, since, why) !=
	    MTRK_OK) {
		fprintf(stderr, "mtrk-track: %s\n", why);
		return;
	}
	if (alarm == ALARM_NONE)
		return;
	snprintf(h->alarm, sizeof h->alarm, "%s (before: since %s)",
	    texts[alarm], since);
	fputs("mtrk-track: ", stderr);
	draw_safe(h->host, stderr);
	fprintf(stderr, ": %s\n", h->alarm);
}

/* Once: what is to be printed goes to `out`; the exit status is returned. */
static int
ask(struct query *q, FILE *out)
{
	static struct hops hops; /* too large for a stack */
	struct buf raw = BUF(ASK_ANSWER_MAX);
	struct ways ways = { 0 };
	enum mtrk_err err;
	int status;

	q->trace.raw = q->raw ? &raw : NULL;
	err = trace(&q->uri, &q->trace, &hops);
	for (size_t i = 0; i < hops.n; i++) {
		note_hop(&hops.list[i], q->json || q->raw || i == 0);
		look_for_alarm(&hops.list[i]);
	}
	if (err == MTRK_OK)
		err = hops_ways(&hops, &ways);
	if (err == MTRK_OK) {
		status = timeline_status(&ways);
		show(q, &hops, &ways, &raw, out);
		if (q->svg != NULL && !draw_picture(q->svg, &hops, &ways))
			status = EX_CANTCREAT;
	} else {
		status = status_of(err);
	}
	ways_free(&ways);
	hops_free(&hops);
	buf_free(&raw);
	return status;
}

/* The answer as text that the caller frees; NULL: no memory. */
static char *
ask_for_text(struct query *q, int *status)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	*status = EX_OSERR;
	if (out == NULL)
		return NULL;
	*status = ask(q, out);
	if (fclose(out) != 0)
		*status = EX_OSERR;
	return text;
}

/* It goes on; a server that has answered once may come back, too. */
static bool
is_worth_waiting(int status, bool answered)
{
	return status == TRACK_UNDER_WAY || status == EX_TEMPFAIL ||
	    (status == EX_UNAVAILABLE && answered);
}

/* On a terminal the picture stays in its place and tells when it was new. */
static void
print_watched(
    const struct query *q, const char *text, bool changed, unsigned next_s)
{
	const bool screen = isatty(STDOUT_FILENO) && !q->json && !q->raw;
	char now[DRAW_TIME];

	if (screen)
		fputs("\033[H\033[J", stdout);
	if (screen || changed)
		fputs(text, stdout);
	if (screen && next_s > 0) {
		draw_time(time(NULL), time(NULL), now);
		printf("\nAsked at %s, again in %u s; Ctrl-C ends.\n", now,
		    next_s);
	}
	fflush(stdout);
}

/* Until the end is reached; what is printed is what is new. */
static int
watch(struct query *q)
{
	char *before = NULL;
	unsigned wait_s = WATCH_FIRST_S;
	int status;

	do {
		char *text = ask_for_text(q, &status);
		bool changed = text != NULL && text[0] != '\0' &&
		    (before == NULL || strcmp(text, before) != 0);
		bool again = is_worth_waiting(status, before != NULL);

		if (changed)
			wait_s = WATCH_FIRST_S;
		if (text != NULL)
			print_watched(q, text, changed, again ? wait_s : 0);
		if (text != NULL && text[0] == '\0') { /* no answer: keep */
			free(text);
		} else {
			free(before);
			before = text;
		}
		if (!again)
			break;
		sleep(wait_s);
		wait_s = 2 * wait_s < WATCH_MOST_S ? 2 * wait_s : WATCH_MOST_S;
	} while (true);
	free(before);
	return status;
}

static int
ask_and_show(struct query *q)
{
	int status = q->watch ? watch(q) : ask(q, stdout);

	return fflush(stdout) == 0 ? status : EX_IOERR;
}

static bool
take_conf(struct query *q)
{
	const struct track_conf *c = &q->conf;

	if (track_conf_load(&q->conf, stderr) != MTRK_OK)
		return false;
	q->trace.ask.ca_file = c->ca_file[0] != '\0' ? c->ca_file : NULL;
	q->trace.ask.require_tls = c->require_tls;
	q->trace.allow_private = c->allow_private;
	q->trace.resolver = c->resolver[0] != '\0' ? c->resolver : NULL;
	return true;
}

int
track_query(int argc, char **argv)
{
	struct query q = { .trace.depth = HOPS_DEPTH };
	int c, status;

	if (!take_conf(&q))
		return EX_CONFIG;
	while ((c = getopt_long(argc, argv, "", query_options, NULL)) != -1)
		if (!take_option(&q, c))
			return EX_USAGE;
	if (q.raw)
		q.trace.depth = 0; /* one server's answer, as it came */
	status = take_what(&q, argc - optind, argv + optind);
	if (status == EX_USAGE)
		fprintf(stderr,
		    "usage: mtrk-track query [--json|--raw] [--watch] "
		    "[--svg FILE] [--depth N] [--allow-private]\n"
		    "       [--resolver ADDR[:PORT]] [--ca FILE] "
		    "[--require-tls]\n"
		    "       URI | NUMBER | --message | --server HOST[:PORT] "
		    "ENVID SECRET\n");
	if (status == 0)
		status = ask_and_show(&q);
	crypto_wipe(&q.uri, sizeof q.uri);
	return status;
}
