#include "mtqp/track_wallet.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/utf8.h"
#include "common/when.h"
#include "mtqp/draw.h"
#include "mtqp/encoded_word.h"
#include "mtqp/host.h"
#include "mtqp/known_servers.h"
#include "mtqp/screen.h"
#include "mtqp/track_misuse.h"
#include "mtqp/wallet.h"

enum {
	OPT_JSON = 1000,
	OPT_OLDER,
	OPT_SERVER,
	FORGET_MAX = 1000 /* at a time; ours */
};

static const char *
field(const json_t *e, const char *key)
{
	const char *s = json_string_value(json_object_get(e, key));

	return s != NULL ? s : "";
}

enum {
	TIME_AT = 6, /* columns, from the left */
	STATE_COLUMNS = 9, /* "untracked" */
	SUBJECT_MAX = 4096 /* octets, decoded; ours */
};

/* As people write it here; as it stands there if it is no time. */
static void
time_of(const json_t *e, char out[DRAW_TIME])
{
	struct tm t = { 0 };
	const char *text = field(e, "time");
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &t);

	out[0] = '\0';
	if (end != NULL && *end == '\0')
		draw_time((int64_t)timegm(&t), 0, out);
	if (out[0] == '\0')
		utf8_copy(out, DRAW_TIME, span_of(text));
}

static void
list_entry(const json_t *e, size_t time_columns)
{
	struct pen pen = { .out = stdout,
		.columns = screen_look().columns,
		.indent = TIME_AT };
	const size_t state_at = TIME_AT + time_columns + 2;
	const json_t *rcpts = json_object_get(e, "recipients");
	const char *first = json_string_value(json_array_get(rcpts, 0));
	size_t more = json_array_size(rcpts);
	struct buf subject = BUF(SUBJECT_MAX);
	char text[DRAW_TIME];

	snprintf(text, sizeof text, "%lld", (long long)wallet_number(e));
	pen_to(&pen, 4 - (strlen(text) < 4 ? strlen(text) : 4));
	pen_text(&pen, text);
	pen_to(&pen, TIME_AT);
	time_of(e, text);
	pen_text(&pen, text);
	pen_to(&pen, state_at);
	pen_text(&pen, field(e, "state"));
	pen_to(&pen, state_at + STATE_COLUMNS + 2);
	pen_text(&pen, first != NULL ? first : "-");
	snprintf(text, sizeof text, " and %zu more", more - 1);
	if (more > 1)
		pen_text(&pen, text);
	pen_to(&pen, pen.at + 2);
	encoded_words_decode(span_of(field(e, "subject")), &subject);
	pen_text(&pen, subject.p);
	pen_end(&pen);
	buf_free(&subject);
}

static void
list_for_people(const json_t *all)
{
	size_t columns = 0, i;
	json_t *e;

	json_array_foreach(all, i, e)
	{
		char text[DRAW_TIME];
		size_t n;

		time_of(e, text);
		n = draw_width(text);
		if (n > columns)
			columns = n;
	}
	json_array_foreach(all, i, e) list_entry(e, columns);
}

static void
list_json(const json_t *all)
{
	json_t *e;
	size_t i;

	json_array_foreach(all, i, e)
	{
		json_object_del(e, "secret");
		json_dumpf(e, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
		putchar('\n');
	}
}

/* --json leaves the secrets out: a list is for looking, not for handing on. */
int
track_list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ NULL, 0, NULL, 0 },
	};
	char why[WALLET_WHY_MAX];
	bool json = false;
	json_t *all;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != OPT_JSON)
			return track_misused_option("list", options, c);
		json = true;
	}
	if (optind != argc)
		return track_misuse("list", "unexpected", argv[optind]);
	if (wallet_all(&all, why) != MTRK_OK) {
		fprintf(stderr, "mtrk-track: %s\n", why);
		return EX_NOINPUT;
	}
	if (json)
		list_json(all);
	else
		list_for_people(all);
	if (json_array_size(all) == 0)
		fprintf(stderr,
		    "mtrk-track: nothing was sent from here "
		    "yet\n");
	json_decref(all);
	return 0;
}

/* M2: whoever has the URI may ask; that is what it is printed for. */
int
track_share(int argc, char **argv)
{
	char why[WALLET_WHY_MAX], text[URI_MAX + 1];
	struct mtqp_uri uri;
	uint64_t number;
	enum mtrk_err err;

	if (argc != 2 || !span_number(span_of(argv[1]), UINT32_MAX, &number))
		return track_misuse("share",
		    "one number of \"mtrk-track list\" is wanted",
		    argc > 1 ? argv[argc - 1] : NULL);
	err = wallet_find(number, &uri, why);
	if (err == MTRK_OK &&
	    (err = uri_format(&uri, text, sizeof text)) != MTRK_OK)
		snprintf(why, sizeof why, "%s", mtrk_err_text(err));
	if (err == MTRK_OK)
		printf("%s\n", text);
	else
		fprintf(stderr, "mtrk-track: %s\n", why);
	crypto_wipe(&uri, sizeof uri);
	crypto_wipe(text, sizeof text);
	return err == MTRK_OK ? 0 : EX_NOINPUT;
}

struct forgetting {
	uint64_t numbers[FORGET_MAX];
	size_t n;
	char older_than[WHEN_TEXT]; /* "": not asked for */
};

/* Times are RFC 3339 in UTC: their order is that of their octets. */
static bool
goes(const json_t *e, void *arg)
{
	const struct forgetting *f = arg;

	if (f->older_than[0] != '\0' &&
	    strcmp(field(e, "time"), f->older_than) < 0)
		return true;
	for (size_t i = 0; i < f->n; i++)
		if (wallet_number(e) == f->numbers[i])
			return true;
	return false;
}

static bool
take_what(struct forgetting *f, int n, char **what)
{
	for (int i = 0; i < n; i++, f->n++)
		if (f->n == FORGET_MAX ||
		    !span_number(
			span_of(what[i]), UINT32_MAX, &f->numbers[f->n]))
			return false;
	return f->n > 0 || f->older_than[0] != '\0';
}

/* What is known of its TLS (Q44). */
static int
forget_server(const char *text)
{
	char why[DATAFILE_WHY_MAX], host[HOST_MAX + 1];

	if (!host_name(span_of(text), host))
		return track_misuse("forget", "--server cannot be this", text);
	if (known_servers_forget(host, why) == MTRK_OK)
		return 0;
	fprintf(stderr, "mtrk-track: %s\n", why);
	return EX_NOINPUT;
}

int
track_forget(int argc, char **argv)
{
	static const struct option options[] = {
		{ "older", required_argument, NULL, OPT_OLDER },
		{ "server", required_argument, NULL, OPT_SERVER },
		{ NULL, 0, NULL, 0 },
	};
	struct forgetting f = { .n = 0 };
	char why[WALLET_WHY_MAX];
	uint64_t age_s;
	size_t n;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == OPT_SERVER && argc == optind)
			return forget_server(optarg);
		if (c != OPT_OLDER ||
		    !conf_parse_time(span_of(optarg), &age_s) ||
		    age_s > INT32_MAX)
			return track_misused_option("forget", options, c);
		when_rfc3339(
		    (int64_t)time(NULL) - (int64_t)age_s, f.older_than);
	}
	if (!take_what(&f, argc - optind, argv + optind))
		return track_misuse("forget",
		    "numbers of \"mtrk-track list\" are wanted, or --older TIME, "
		    "or --server HOST",
		    NULL);
	if (wallet_forget(goes, &f, &n, why) != MTRK_OK) {
		fprintf(stderr, "mtrk-track: %s\n", why);
		return EX_NOINPUT;
	}
	if (n < f.n) {
		fprintf(stderr, "mtrk-track: %zu forgotten, not %zu\n", n, f.n);
		return EX_NOINPUT;
	}
	return 0;
}
