/*
 * mtrk-dump -- reads the store for administrators.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/options.h"
#include "common/store.h"
#include "mtqp/dump.h"
#include "mtqp/metrics.h"

enum {
	OPT_JSON = 1000,
	OPT_STATISTICS,
	OPT_ENVID,
	OPT_QUEUE_ID,
	OPT_MESSAGE_ID,
	OPT_SENDER,
	OPT_RECIPIENT,
};

static struct {
	bool json, statistics, filtered;
	struct dump_filter filter;
	struct conf conf;
	unsigned long shown;
	FILE *out; /* collects, until pour() */
	char *text;
	size_t n;
	enum mtrk_err err; /* MTRK_NOMEM */
} run;

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "statistics", no_argument, NULL, OPT_STATISTICS },
	{ "envid", required_argument, NULL, OPT_ENVID },
	{ "queue-id", required_argument, NULL, OPT_QUEUE_ID },
	{ "message-id", required_argument, NULL, OPT_MESSAGE_ID },
	{ "sender", required_argument, NULL, OPT_SENDER },
	{ "recipient", required_argument, NULL, OPT_RECIPIENT },
	{ NULL, 0, NULL, 0 },
};

static bool
own_option(int option, const char *argument)
{
	struct span *const wanted[] = {
		[0] = &run.filter.envid,
		[OPT_QUEUE_ID - OPT_ENVID] = &run.filter.queue_id,
		[OPT_MESSAGE_ID - OPT_ENVID] = &run.filter.message_id,
		[OPT_SENDER - OPT_ENVID] = &run.filter.sender,
		[OPT_RECIPIENT - OPT_ENVID] = &run.filter.recipient,
	};

	if (option == OPT_JSON)
		run.json = true;
	else if (option == OPT_STATISTICS)
		run.statistics = true;
	else if (option < OPT_ENVID || option > OPT_RECIPIENT)
		return false;
	else {
		*wanted[option - OPT_ENVID] = span_of(argument);
		run.filtered = true;
	}
	return true;
}

static bool
collect(void)
{
	if (run.out == NULL)
		run.out = open_memstream(&run.text, &run.n);
	return run.out != NULL;
}

static bool
show(const struct message *m, void *arg)
{
	(void)arg;
	if (!dump_matches(m, &run.filter))
		return true;
	run.shown++;
	if (collect() &&
	    (run.json ? dump_json : dump_text)(m, &run.conf, run.out))
		return true;
	run.err = MTRK_NOMEM;
	return false;
}

/* Whoever reads it may take hours, and nobody looks at the store meanwhile. */
static bool
pour(void *arg)
{
	bool ok = true;

	(void)arg;
	if (run.out == NULL)
		return true;
	if (ferror(run.out) | (fclose(run.out) != 0))
		run.err = MTRK_NOMEM;
	else
		ok = fwrite(run.text, 1, run.n, stdout) == run.n;
	free(run.text);
	run.out = NULL;
	return ok && run.err == MTRK_OK;
}

static void
counter(struct span name, uint64_t value, void *arg)
{
	char q[128];

	(void)arg;
	fprintf(run.out, "count.%s %llu\n", log_quote(name, q, sizeof q),
	    (unsigned long long)value);
}

static void
example(struct span name, struct span line, void *arg)
{
	char q[128], text[2048];

	(void)arg;
	fprintf(run.out, "example.%s %s\n", log_quote(name, q, sizeof q),
	    log_quote(line, text, sizeof text));
}

static enum mtrk_err
statistics(struct store *st)
{
	struct db_numbers n;
	enum mtrk_err err = db_numbers(store_db(st), &n);

	if (err == MTRK_OK && !collect())
		err = MTRK_NOMEM;
	if (err != MTRK_OK)
		return err;
	fprintf(run.out,
	    "messages %llu\nevents %llu\nused_bytes %llu\n"
	    "file_bytes %llu\nlimit_bytes %llu\n",
	    (unsigned long long)n.entries[STORE_MESSAGES],
	    (unsigned long long)n.entries[STORE_EVENTS],
	    (unsigned long long)n.used_bytes, (unsigned long long)n.file_bytes,
	    (unsigned long long)run.conf.store_limit);
	/* a running mtqpd's are its own; that it doesn't run is no fault */
	if (run.conf.metrics_socket[0] != '\0')
		(void)metrics_fetch(run.conf.metrics_socket, counter, NULL);
	err = store_counters(st, counter, NULL);
	if (err == MTRK_OK)
		err = store_examples(st, example, NULL);
	(void)pour(NULL);
	return err;
}

/* An empty answer has its reason. */
static int
dump(struct store *st)
{
	enum mtrk_err err =
	    run.statistics ? statistics(st) : store_all(st, show, pour, NULL);

	if (err == MTRK_OK)
		err = run.err;
	if (err != MTRK_OK) {
		fprintf(stderr, "mtrk-dump: stopped: %s\n", mtrk_err_text(err));
		return EX_IOERR;
	}
	if (!run.statistics && run.shown == 0)
		fprintf(stderr,
		    "mtrk-dump: no message in %s matches (never marked, "
		    "never seen here, or past its retention)\n",
		    run.conf.store);
	return 0;
}

int
main(int argc, char **argv)
{
	struct program program = {
		.name = "mtrk-dump",
		.usage = "[-c FILE] [-n[n]] [-V] [--help] [--json] "
			 "[--statistics]\n"
			 "       [--envid ENVID] [--queue-id ID] "
			 "[--message-id ID] [--sender ADDR] "
			 "[--recipient ADDR]",
		.short_options = "",
		.long_options = long_options,
		.own = own_option,
	};
	char libraries[192], why[STORE_WHY_MAX];
	struct common_options o;
	struct store *st;
	int status;

	snprintf(libraries, sizeof libraries, "%s, %s, libevent %s, jansson %s",
	    crypto_version(), db_version(), loop_version(), JANSSON_VERSION);
	program.libraries = libraries;
	options_read(&program, argc, argv, &o);
	if (run.statistics && (run.json || run.filtered)) {
		fputs("mtrk-dump: --statistics are of the whole store, and "
		      "text\n",
		    stderr);
		return EX_USAGE;
	}
	options_conf(&program, &o, &run.conf);
	log_setup(
	    "mtrk-dump", LOG_TO_STDERR, (enum log_level)run.conf.log_level);
	if (o.check > 1)
		conf_print(&run.conf, stdout);
	if (store_open(run.conf.store, STORE_READ, 0, &st, why) != MTRK_OK) {
		fprintf(stderr, "mtrk-dump: %s\n", why);
		return o.check > 0 ? EX_CONFIG : EX_NOINPUT;
	}
	status = options_told(&program, o.check > 0 ? 0 : dump(st));
	store_close(&st);
	return status;
}
