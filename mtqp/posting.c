#include "mtqp/posting.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/utf8.h"
#include "common/when.h"
#include "mtqp/draw.h"
#include "mtqp/letter.h"
#include "mtqp/screen.h"
#include "mtqp/timeline.h"
#include "mtqp/wallet.h"

enum { SUBJECT_MAX = 1000 /* octets that are kept; ours */ };

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

bool
posting_start(struct posting *p)
{
	struct track_conf *c = &p->conf;

	*p = (struct posting){ .message = BUF(MESSAGE_MAX) };
	if (track_conf_load(c, stderr) != MTRK_OK)
		return false;
	if (c->host[0] == '\0')
		own_name(c->host);
	return true;
}

void
posting_free(struct posting *p)
{
	crypto_wipe(&p->token, sizeof p->token);
	crypto_wipe(p->password, sizeof p->password);
	buf_free(&p->message);
}

bool
posting_has_server(const struct posting *p)
{
	if (p->conf.server[0] != '\0')
		return true;
	fprintf(stderr,
	    "mtrk-track: which server sends it? \"Server HOST\" is missing in "
	    "%s, or --server\n",
	    p->conf.path);
	return false;
}

bool
posting_read(struct posting *p)
{
	struct buf *b = &p->message;
	char chunk[65536];
	size_t n;

	if (isatty(STDIN_FILENO))
		fputs("Type the message: header, an empty line, text; Ctrl-D "
		      "behind its last line ends it.\n",
		    stderr);
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

static bool
take_login(struct posting *p)
{
	if (p->conf.user[0] == '\0')
		return true;
	p->s.smtp.user = p->conf.user;
	p->s.smtp.password = p->password;
	return password_read(&p->conf, p->password);
}

static bool
check_rcpts(const struct posting *p)
{
	for (size_t i = 0; i < p->s.n_rcpts; i++)
		if (!letter_is_address(span_of(p->s.rcpts[i])) ||
		    p->s.rcpts[i][0] == '\0') {
			fputs("mtrk-track: not an address: \"", stderr);
			draw_safe(p->s.rcpts[i], stderr);
			fputs("\"\n", stderr);
			return false;
		}
	return true;
}

static void
say_refused(const char *rcpt, struct span reply)
{
	char q[512];

	fputs("mtrk-track: <", stderr);
	draw_safe(rcpt, stderr);
	fprintf(stderr, "> was refused: %s\n", log_quote(reply, q, sizeof q));
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
fill_uri(const struct posting *p, struct mtqp_uri *uri)
{
	const struct track_conf *c = &p->conf;
	bool other = c->mtqp[0] != '\0';

	*uri = (struct mtqp_uri){ .port = other ? c->mtqp_port : 0 };
	span_copy(
	    uri->host, sizeof uri->host, span_of(other ? c->mtqp : c->server));
	if (!span_copy(
		uri->envid, sizeof uri->envid, span_of(p->token.envid)) ||
	    !span_copy(
		uri->secret, sizeof uri->secret, span_of(p->token.secret)))
		return MTRK_TOOBIG;
	return MTRK_OK;
}

/* A field for the list: folds become blanks; what is too long is cut. */
static void
field_text(struct span m, const char *name, char *out, size_t size)
{
	struct buf text = BUF(MESSAGE_MAX);
	struct span value;

	letter_field(m, name, &value);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != '\r' && value.p[i] != '\n')
			buf_chr(&text, value.p[i]);
	utf8_copy(out, size, buf_as_span(&text));
	buf_free(&text);
}

/* Times are RFC 3339 in UTC: their order is that of their octets. */
static bool
is_older(const json_t *e, void *arg)
{
	const char *time = json_string_value(json_object_get(e, "time"));

	return time != NULL && strcmp(time, arg) < 0;
}

/* A secret that no server knows any more is only a secret to lose. */
static void
forget_old(const struct posting *p)
{
	char limit[WHEN_TEXT], why[WALLET_WHY_MAX];
	size_t n;

	when_rfc3339((int64_t)time(NULL) - (int64_t)p->conf.keep_s, limit);
	if (wallet_forget(is_older, limit, &n, why) != MTRK_OK)
		fprintf(stderr, "mtrk-track: %s\n", why);
}

static int
say_sent(const struct posting *p, const struct mtqp_uri *uri,
    const struct submitted *done)
{
	char text[URI_MAX + 1];

	if (!done->tracked)
		fprintf(stderr,
		    "mtrk-track: sent, but not tracked: %s does not offer "
		    "MTRK (--assume-mtrk sends it anyway)\n",
		    p->conf.server);
	else if (!p->quiet && uri_format(uri, text, sizeof text) == MTRK_OK)
		printf("%s\n", text);
	return done->refused > 0 ? TRACK_FAILED : 0;
}

static int
say_not_sent(enum mtrk_err err, bool unsure, uint64_t number, const char *why)
{
	fprintf(stderr, "mtrk-track: %snot sent: ", unsure ? "perhaps " : "");
	draw_safe(why, stderr);
	if (unsure)
		fprintf(stderr, "; \"mtrk-track query %llu\" may tell",
		    (unsigned long long)number);
	fputc('\n', stderr);
	return status_of(err);
}

static void
set_state(uint64_t number, const char *state)
{
	char why[WALLET_WHY_MAX];

	if (wallet_set_state(number, state, why) != MTRK_OK)
		fprintf(stderr, "mtrk-track: %s\n", why);
}

static void
leaves(void *arg)
{
	set_state(*(const uint64_t *)arg, "unsure");
}

/* The secret is on the disk before the message is on its way. */
static int
send_stored(struct posting *p, const struct mtqp_uri *uri)
{
	char why[WALLET_WHY_MAX];
	char subject[SUBJECT_MAX], id[1000];
	const struct wallet_entry entry = { time(NULL), *uri, p->s.rcpts,
		p->s.n_rcpts, subject, id };
	struct submitted done;
	uint64_t number;
	enum mtrk_err err;

	field_text(p->s.message, "Subject", subject, sizeof subject);
	field_text(p->s.message, "Message-ID", id, sizeof id);
	err = wallet_add(&entry, &number, why);
	if (err != MTRK_OK) {
		fprintf(stderr, "mtrk-track: not sent: %s\n", why);
		return err == MTRK_BUSY ? EX_TEMPFAIL : EX_CANTCREAT;
	}
	p->s.leaves = leaves;
	p->s.arg = &number;
	err = submit(&p->s, &done, say_refused, why);
	if (p->s.smtp.waiting != NULL)
		p->s.smtp.waiting("");
	if (!done.unsure)
		set_state(number,
		    err != MTRK_OK     ? "failed"
			: done.tracked ? "sent"
				       : "untracked");
	return err == MTRK_OK ? say_sent(p, uri, &done)
			      : say_not_sent(err, done.unsure, number, why);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
fill_submission(struct posting *p)
{
	const struct track_conf *c = &p->conf;
	const struct passwd *pw = getpwuid(getuid());

	if (p->s.from == NULL && c->from[0] == '\0')
		snprintf(p->conf.from, sizeof p->conf.from, "%s@%s",
		    pw != NULL ? pw->pw_name : "nobody", c->host);
	if (p->s.from == NULL)
		p->s.from = c->from;
	p->s.smtp.host = c->server;
	p->s.smtp.port = c->server_port != 0 ? c->server_port : SUBMISSION_PORT;
	p->s.smtp.helo = c->host;
	p->s.smtp.require_tls = c->require_tls;
	p->s.smtp.ca_file = c->ca_file[0] != '\0' ? c->ca_file : NULL;
	if (!p->quiet && screen_is_interactive())
		p->s.smtp.waiting = screen_waiting;
	p->s.envid = p->token.envid;
	p->s.mtrk.has_timeout = c->has_timeout;
	p->s.mtrk.timeout_s = (uint32_t)c->timeout_s;
	memcpy(p->s.mtrk.certifier, p->token.mtrk.certifier, CERTIFIER_LEN);
	p->s.assume_mtrk = c->assume_mtrk;
	p->s.message = buf_as_span(&p->message);
}

int
posting_send(struct posting *p)
{
	struct mtqp_uri uri;
	int status;

	if (!check_rcpts(p) || !take_login(p))
		return EX_USAGE;
	if (token_make(p->conf.host, now_ms(), &p->token) != MTRK_OK ||
	    fill_uri(p, &uri) != MTRK_OK) {
		fprintf(stderr, "mtrk-track: cannot make an ENVID of \"%s\"\n",
		    p->conf.host);
		return EX_USAGE;
	}
	letter_drop_bcc(&p->message);
	fill_submission(p);
	forget_old(p);
	status = send_stored(p, &uri);
	crypto_wipe(&uri, sizeof uri);
	return status;
}
