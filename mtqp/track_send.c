#include "mtqp/track_send.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/crypto.h"
#include "common/encode.h"
#include "common/log.h"
#include "mtqp/submit.h"
#include "mtqp/timeline.h"
#include "mtqp/wallet.h"

enum {
	LOCAL_RANDOM = 12, /* octets: 16 characters of base64 */
	ENVID_WISH = 32, /* D12 and A49: a value of 32 keeps to the 38 */
	MESSAGE_MAX = 64 << 20, /* octets of standard input; ours */
	PASSWORD_MAX = 256,
};

/* What tracks one message. */
struct token {
	char envid[3 * ENVID_MAX + 1]; /* xtext */
	char secret[SECRET_TEXT + 1]; /* padded base64 of 16 octets */
	struct mtrk mtrk;
	char certifier[CERTIFIER_TEXT + 2];
};

/* S25: hard to collide; base64 without what xtext must escape. */
static enum mtrk_err
random_local(char out[2 * LOCAL_RANDOM])
{
	unsigned char octets[LOCAL_RANDOM];
	enum mtrk_err err = crypto_random(octets, sizeof octets);

	if (err == MTRK_OK)
		err = base64_encode(octets, sizeof octets, BASE64_UNPADDED, out,
		    2 * LOCAL_RANDOM);
	for (char *p = out; err == MTRK_OK && *p != '\0'; p++)
		if (*p == '+' || *p == '/')
			*p = *p == '+' ? '-' : '_';
	return err;
}

/* S24: a name that is too long is replaced by its hash. */
static enum mtrk_err
make_envid(const char *host, char *out, size_t size)
{
	char local[2 * LOCAL_RANDOM], name[3 * HOST_MAX + 1];
	char hash[CERTIFIER_TEXT + 1];
	enum mtrk_err err = random_local(local);

	if (err == MTRK_OK)
		err = xtext_encode(span_of(host), name, sizeof name);
	if (err != MTRK_OK)
		return err;
	if (strlen(local) + 1 + strlen(name) > ENVID_MAX) {
		err = fqhn_hash(span_of(host), hash);
		if (err == MTRK_OK)
			err = xtext_encode(span_of(hash), name, sizeof name);
	}
	snprintf(out, size, "%s@%s", local, name);
	return err;
}

static enum mtrk_err
make_token(const char *host, struct token *t)
{
	unsigned char secret[SECRET_MIN];
	enum mtrk_err err = make_envid(host, t->envid, sizeof t->envid);

	t->mtrk = (struct mtrk){ 0 };
	if (err == MTRK_OK)
		err = crypto_random(secret, sizeof secret);
	if (err == MTRK_OK)
		err = crypto_sha1(secret, sizeof secret, t->mtrk.certifier);
	if (err == MTRK_OK)
		err = base64_encode(secret, sizeof secret, BASE64_PADDED,
		    t->secret, sizeof t->secret);
	if (err == MTRK_OK)
		err = base64_encode(t->mtrk.certifier, CERTIFIER_LEN,
		    BASE64_UNPADDED, t->certifier, sizeof t->certifier);
	crypto_wipe(secret, sizeof secret);
	return err;
}

static void
own_name(char out[HOST_MAX + 1])
{
	if (gethostname(out, HOST_MAX) == -1)
		out[0] = '\0';
	out[HOST_MAX] = '\0';
	if (strchr(out, '.') == NULL)
		snprintf(
		    out + strlen(out), HOST_MAX - strlen(out), ".localdomain");
}

int
track_new(int argc, char **argv)
{
	static const struct option options[] = {
		{ "host", required_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	char host[HOST_MAX + 1];
	struct token t;
	bool json = false;
	int c;

	own_name(host);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c != 'h' ||
		    !span_copy(host, sizeof host, span_of(optarg)) ||
		    host[0] == '\0')
			return EX_USAGE;
	}
	if (optind != argc) {
		fprintf(stderr, "mtrk-track new: unexpected \"%s\"\n",
		    argv[optind]);
		return EX_USAGE;
	}
	if (make_token(host, &t) != MTRK_OK) {
		fprintf(stderr, "mtrk-track: no random numbers to be had\n");
		return EX_TEMPFAIL;
	}
	if (json)
		printf("{\"envid\":\"%s\",\"secret\":\"%s\","
		       "\"certifier\":\"%s\"}\n",
		    t.envid, t.secret, t.certifier);
	else
		printf("envid: %s\nsecret: %s\ncertifier: %s\n", t.envid,
		    t.secret, t.certifier);
	return 0;
}

struct send {
	struct submission s;
	char host[HOST_MAX + 1], helo[HOST_MAX + 1], from[ADDRESS_MAX];
	char mtqp_host[HOST_MAX + 1];
	uint16_t mtqp_port;
	char password[PASSWORD_MAX];
	const char *password_file;
	char subject[256];
	struct buf message;
	struct token token;
};

enum {
	OPT_SERVER = 1000,
	OPT_FROM,
	OPT_TIMEOUT,
	OPT_ASSUME,
	OPT_MTQP,
	OPT_USER,
	OPT_PASSWORD_FILE,
	OPT_CA,
	OPT_REQUIRE_TLS,
	OPT_HOST,
};

static const struct option send_options[] = {
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "assume-mtrk", no_argument, NULL, OPT_ASSUME },
	{ "mtqp", required_argument, NULL, OPT_MTQP },
	{ "user", required_argument, NULL, OPT_USER },
	{ "password-file", required_argument, NULL, OPT_PASSWORD_FILE },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "require-tls", no_argument, NULL, OPT_REQUIRE_TLS },
	{ "host", required_argument, NULL, OPT_HOST },
	{ NULL, 0, NULL, 0 },
};

static bool
take_timeout(struct send *x, const char *text)
{
	uint64_t v;

	if (!conf_parse_time(span_of(text), &v) || v > MTRK_TIMEOUT_MAX)
		return false;
	x->s.mtrk.has_timeout = true;
	x->s.mtrk.timeout_s = (uint32_t)v;
	return true;
}

/* Nothing that a person types may become another SMTP command. */
static bool
is_address(const char *a)
{
	struct span s = span_of(a);

	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)a[i] < ' ' || a[i] == 127 || a[i] == '<' ||
		    a[i] == '>')
			return false;
	return s.n < ADDRESS_MAX;
}

static bool
take_option(struct send *x, int c)
{
	switch (c) {
	case OPT_SERVER:
		return hostport_parse(span_of(optarg), x->host, &x->s.port) ==
		    MTRK_OK;
	case OPT_MTQP:
		return hostport_parse(span_of(optarg), x->mtqp_host,
			   &x->mtqp_port) == MTRK_OK;
	case OPT_FROM:
		return is_address(optarg) &&
		    span_copy(x->from, sizeof x->from, span_of(optarg));
	case OPT_HOST:
		return span_copy(x->helo, sizeof x->helo, span_of(optarg)) &&
		    is_address(optarg);
	case OPT_TIMEOUT:
		return take_timeout(x, optarg);
	case OPT_ASSUME:
		return x->s.assume_mtrk = true;
	case OPT_REQUIRE_TLS:
		return x->s.require_tls = true;
	case OPT_USER:
		x->s.user = optarg;
		return true;
	case OPT_PASSWORD_FILE:
		x->password_file = optarg;
		return true;
	case OPT_CA:
		x->s.ca_file = optarg;
		return true;
	default:
		return false;
	}
}

/* Not from the command line, where everybody on the host can read it. */
static bool
take_password(struct send *x)
{
	const char *given = getenv("MTRK_PASSWORD");
	FILE *f;

	if (x->s.user == NULL)
		return true;
	x->s.password = given;
	if (given != NULL)
		return true;
	if (x->password_file == NULL) {
		fprintf(stderr,
		    "mtrk-track: --user needs --password-file or "
		    "MTRK_PASSWORD\n");
		return false;
	}
	f = fopen(x->password_file, "re");
	if (f == NULL || fgets(x->password, sizeof x->password, f) == NULL) {
		fprintf(stderr, "mtrk-track: %s: %m\n", x->password_file);
		if (f != NULL)
			fclose(f);
		return false;
	}
	fclose(f);
	x->password[strcspn(x->password, "\r\n")] = '\0';
	x->s.password = x->password;
	return true;
}

static void
own_address(char *out, size_t size, const char *host)
{
	const struct passwd *pw = getpwuid(getuid());

	snprintf(out, size, "%s@%s", pw != NULL ? pw->pw_name : "nobody", host);
}

static bool
read_message(struct buf *b)
{
	char chunk[65536];
	size_t n;

	while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		buf_add(b, chunk, n);
	if (b->err == MTRK_OK && !ferror(stdin) && b->n > 0)
		return true;
	fprintf(stderr, "mtrk-track: standard input: %s\n",
	    b->err != MTRK_OK ? mtrk_err_text((enum mtrk_err)b->err)
		: b->n == 0   ? "no message there"
			      : "cannot read");
	return false;
}

/* For the list only: the first Subject line, unfolded no further. */
static void
find_subject(struct span m, char *out, size_t size)
{
	struct span line;

	out[0] = '\0';
	while (m.n > 0 && span_split(m, '\n', &line, &m) && line.n > 1) {
		if (!span_istarts(line, "Subject:"))
			continue;
		line = span_trim(span_from(line, strlen("Subject:")));
		while (line.n > 0 &&
		    (line.p[line.n - 1] == '\r' || line.n >= size))
			line.n--;
		span_copy(out, size, line);
		return;
	}
}

static void
say_refused(const char *rcpt, struct span reply)
{
	char q[512];

	fprintf(stderr, "mtrk-track: <%s> was refused: %s\n", rcpt,
	    log_quote(reply, q, sizeof q));
}

static int
status_of(enum mtrk_err err)
{
	switch (err) {
	case MTRK_IO:
		return EX_UNAVAILABLE;
	case MTRK_BUSY:
		return EX_TEMPFAIL;
	default:
		return TRACK_FAILED;
	}
}

static enum mtrk_err
fill_uri(const struct send *x, struct mtqp_uri *uri)
{
	bool other = x->mtqp_host[0] != '\0';

	*uri = (struct mtqp_uri){ .port = other ? x->mtqp_port : 0 };
	span_copy(uri->host, sizeof uri->host,
	    span_of(other ? x->mtqp_host : x->host));
	if (!span_copy(
		uri->envid, sizeof uri->envid, span_of(x->token.envid)) ||
	    !span_copy(
		uri->secret, sizeof uri->secret, span_of(x->token.secret)))
		return MTRK_TOOBIG;
	return MTRK_OK;
}

/* The secret is on the disk before the message is on its way. */
static int
send_stored(struct send *x, const struct mtqp_uri *uri)
{
	char why[WALLET_WHY_MAX], text[URI_MAX + 1], not_set[WALLET_WHY_MAX];
	const struct wallet_entry entry = { time(NULL), *uri, x->s.rcpts,
		x->s.n_rcpts, x->subject };
	struct submitted done;
	uint64_t number;
	enum mtrk_err err = wallet_add(&entry, &number, why);

	if (err != MTRK_OK) {
		fprintf(stderr, "mtrk-track: not sent: %s\n", why);
		return EX_CANTCREAT;
	}
	err = submit(&x->s, &done, say_refused, why);
	if (wallet_set_state(number,
		err != MTRK_OK     ? "failed"
		    : done.tracked ? "sent"
				   : "untracked",
		not_set) != MTRK_OK)
		fprintf(stderr, "mtrk-track: %s\n", not_set);
	if (err != MTRK_OK) {
		fprintf(stderr, "mtrk-track: not sent: %s\n", why);
		return status_of(err);
	}
	if (!done.tracked)
		fprintf(stderr,
		    "mtrk-track: sent, but not tracked: %s does not offer "
		    "MTRK (--assume-mtrk sends it anyway)\n",
		    x->host);
	else if (uri_format(uri, text, sizeof text) == MTRK_OK)
		printf("%s\n", text);
	return done.refused > 0 ? TRACK_FAILED : 0;
}

static bool
check_rcpts(const struct send *x)
{
	for (size_t i = 0; i < x->s.n_rcpts; i++)
		if (!is_address(x->s.rcpts[i]) || x->s.rcpts[i][0] == '\0') {
			fprintf(stderr,
			    "mtrk-track: not an address: recipient "
			    "%zu\n",
			    i + 1);
			return false;
		}
	return true;
}

static int
send_it(struct send *x)
{
	struct mtqp_uri uri;
	int status;

	if (!take_password(x) || !check_rcpts(x))
		return EX_USAGE;
	if (!read_message(&x->message))
		return EX_NOINPUT;
	if (make_token(x->helo, &x->token) != MTRK_OK ||
	    fill_uri(x, &uri) != MTRK_OK) {
		fprintf(stderr, "mtrk-track: cannot make an ENVID of \"%s\"\n",
		    x->helo);
		return EX_USAGE;
	}
	if (x->s.port == 0)
		x->s.port = SUBMISSION_PORT;
	memcpy(x->s.mtrk.certifier, x->token.mtrk.certifier, CERTIFIER_LEN);
	x->s.host = x->host;
	x->s.helo = x->helo;
	x->s.from = x->from;
	x->s.envid = x->token.envid;
	x->s.message = buf_as_span(&x->message);
	find_subject(x->s.message, x->subject, sizeof x->subject);
	status = send_stored(x, &uri);
	crypto_wipe(&uri, sizeof uri);
	return status;
}

int
track_send(int argc, char **argv)
{
	struct send x = { .message = BUF(MESSAGE_MAX) };
	int c, status;

	own_name(x.helo);
	own_address(x.from, sizeof x.from, x.helo);
	while ((c = getopt_long(argc, argv, "", send_options, NULL)) != -1)
		if (!take_option(&x, c)) {
			fprintf(stderr, "mtrk-track send: bad %s\n",
			    argv[optind - 1]);
			return EX_USAGE;
		}
	x.s.rcpts = argv + optind;
	x.s.n_rcpts = (size_t)(argc - optind);
	if (x.host[0] == '\0' || x.s.n_rcpts == 0) {
		fprintf(stderr,
		    "usage: mtrk-track send --server HOST[:PORT] "
		    "[options] RCPT... < message\n");
		return EX_USAGE;
	}
	status = send_it(&x);
	crypto_wipe(&x.token, sizeof x.token);
	crypto_wipe(x.password, sizeof x.password);
	buf_free(&x.message);
	return status;
}
