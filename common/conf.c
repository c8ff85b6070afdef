#include "common/conf.h"

#include <string.h>
#include <unistd.h>

#include "common/conf_address.h"
#include "common/conf_gate.h"
#include "common/conf_text.h"
#include "common/log.h"

enum conf_type {
	CONF_STRING, /* this and what follows are text */
	CONF_PATH,
	CONF_LOG,
	CONF_SOCKET,
	CONF_DOMAIN,
	CONF_NUMBER,
	CONF_TIME,
	CONF_SIZE,
	CONF_OCTAL,
	CONF_CHOICE,
	CONF_LISTEN, /* this and what follows may be given again and again */
	CONF_LIST,
	CONF_INSTANCE,
	CONF_GATE_LISTEN,
	CONF_GATE_TLS,
	CONF_GATE_ROUTE,
	CONF_PEER,
};

static const char *const yes_no[] = { "no", "yes", NULL };
static const char *const unknowns[] = { "noinfo", "opaque", NULL };
static const char *const bad_mtrks[] = { "ignore", "reject", NULL };
static const char *const hop_tlss[] = { "may", "verify", NULL };
static const char *const log_tos[] = { "stderr", "syslog", NULL };
static const char *const log_levels[] = { "err", "warning", "notice", "info",
	"debug", NULL };

enum {
	DAY_S = 86400,
	LINE_MAX_LEN = 4096,
};

/*
 * One row per setting.  The parser, -n, -nn and mtrk.conf(5)'s test all read
 * this.  `preset` is in the words a person would write; NULL: none.  `least`
 * and `most` are of the value, or of a string's length; `least` of a list is
 * what it is of.
 */
static const struct setting {
	const char *name;
	enum conf_type type;
	size_t offset;
	const char *preset;
	uint64_t least, most;
	const char *const *choices;
} settings[] = {
#define AT(member) offsetof(struct conf, member)
#define TEXT_OF(member) sizeof(((struct conf *)0)->member) - 1
	{ "Store", CONF_PATH, AT(store), "/var/lib/mtrk", 1, TEXT_OF(store),
	    NULL },
	{ "StoreLimit", CONF_SIZE, AT(store_limit), "16G", 1u << 20, 1ull << 44,
	    NULL },
	{ "ReportingMTA", CONF_DOMAIN, AT(reporting_mta), NULL, 1,
	    TEXT_OF(reporting_mta), NULL },
	/* S21: at least a day, 8 to 10 by default */
	{ "Retention", CONF_TIME, AT(retention_s), "9d", DAY_S, 3650u * DAY_S,
	    NULL },
	/* S20: a cap is at least a day */
	{ "RetentionLimit", CONF_TIME, AT(retention_limit_s), "30d", DAY_S,
	    36500ull * DAY_S, NULL },
	{ "MilterSocket", CONF_SOCKET, AT(milter_socket),
	    "local:/run/mtrk/milter.sock", 1, TEXT_OF(milter_socket), NULL },
	{ "MilterSocketMode", CONF_OCTAL, AT(milter_socket_mode), "0660", 0,
	    0777, NULL },
	{ "MilterSocketGroup", CONF_STRING, AT(milter_socket_group), "", 0,
	    TEXT_OF(milter_socket_group), NULL },
	{ "OnBadMTRK", CONF_CHOICE, AT(on_bad_mtrk), "ignore", 0, 0,
	    bad_mtrks },
	{ "MailLog", CONF_LOG, AT(mail_log), "/var/log/mail.log", 1,
	    TEXT_OF(mail_log), NULL },
	{ "QueueLifetime", CONF_TIME, AT(queue_lifetime_s), "5d", 60,
	    365u * DAY_S, NULL },
	{ "WaitingRoom", CONF_SIZE, AT(waiting_size), "4M", 1u << 16, 1u << 30,
	    NULL },
	{ "WaitingTime", CONF_TIME, AT(waiting_time_s), "5m", 1, DAY_S, NULL },
	{ "ContentFilter", CONF_STRING, AT(content_filter), "", 0,
	    TEXT_OF(content_filter), NULL },
	{ "HideForwarding", CONF_CHOICE, AT(hide_forwarding), "no", 0, 0,
	    yes_no },
	{ "Listen", CONF_LISTEN, 0, NULL, 0, 0, NULL },
	{ "Instance", CONF_INSTANCE, 0, NULL, 0, 0, NULL },
	{ "GateListen", CONF_GATE_LISTEN, 0, NULL, 0, 0, NULL },
	{ "GateTLS", CONF_GATE_TLS, 0, NULL, 0, 0, NULL },
	{ "GateBackendTLS", CONF_CHOICE, AT(gate_backend_tls), "no", 0, 0,
	    yes_no },
	{ "GateRoute", CONF_GATE_ROUTE, 0, NULL, 0, 0, NULL },
	{ "GateNextHopTLS", CONF_CHOICE, AT(hop_tls), "may", 0, 0, hop_tlss },
	{ "GateNextHopCA", CONF_PATH, AT(hop_ca), "", 0, TEXT_OF(hop_ca),
	    NULL },
	{ "TrackingPeer", CONF_PEER, 0, NULL, 0, 0, NULL },
	{ "TLSCertificate", CONF_PATH, AT(tls_certificate), "", 0,
	    TEXT_OF(tls_certificate), NULL },
	{ "TLSKey", CONF_PATH, AT(tls_key), "", 0, TEXT_OF(tls_key), NULL },
	{ "TLSAlso", CONF_LIST, AT(tls_also), NULL, CONF_OF_PAIR, 0, NULL },
	{ "ListenTLS", CONF_LIST, AT(listen_tls), NULL, CONF_OF_LISTEN, 0,
	    NULL },
	{ "RequireTLS", CONF_CHOICE, AT(require_tls), "no", 0, 0, yes_no },
	{ "RequireTLSFor", CONF_LIST, AT(require_tls_for), NULL, CONF_OF_DOMAIN,
	    0, NULL },
	{ "Chain", CONF_LIST, AT(chain), NULL, CONF_OF_RANGE, 0, NULL },
	{ "Disguise", CONF_CHOICE, AT(disguise), "no", 0, 0, yes_no },
	{ "MTQPConnections", CONF_NUMBER, AT(mtqp_connections), "1000", 1,
	    200000, NULL },
	/* Postfix's smtpd_client_connection_count_limit */
	{ "MTQPConnectionsPerClient", CONF_NUMBER,
	    AT(mtqp_connections_per_client), "50", 0, 200000, NULL },
	{ "MTQPCommandRate", CONF_NUMBER, AT(mtqp_command_rate), "6000", 0,
	    1000000000, NULL },
	{ "MTQPFailures", CONF_NUMBER, AT(mtqp_failures), "10", 0, 1000000000,
	    NULL },
	{ "MTQPMemory", CONF_SIZE, AT(mtqp_memory), "64M", 1u << 20, 1ull << 40,
	    NULL },
	{ "AuditLog", CONF_PATH, AT(audit_log), "", 0, TEXT_OF(audit_log),
	    NULL },
	{ "MetricsSocket", CONF_PATH, AT(metrics_socket), "", 0,
	    CONF_UNIX_PATH_MAX, NULL },
	{ "Unknown", CONF_CHOICE, AT(unknown), "noinfo", 0, 0, unknowns },
	{ "User", CONF_STRING, AT(user), "", 0, TEXT_OF(user), NULL },
	{ "MTQPUser", CONF_STRING, AT(mtqp_user), "", 0, TEXT_OF(mtqp_user),
	    NULL },
	{ "LogTo", CONF_CHOICE, AT(log_to), "syslog", 0, 0, log_tos },
	{ "LogLevel", CONF_CHOICE, AT(log_level), "info", 0, 0, log_levels },
#undef AT
#undef TEXT_OF
};

static void *
at(const struct conf *c, const struct setting *s)
{
	return (char *)(uintptr_t)c + s->offset;
}

static bool
parse_unit(
    struct span text, const char *units, const uint64_t *factors, uint64_t *out)
{
	const char *unit;
	uint64_t factor = 1;

	if (text.n > 0 && text.p[text.n - 1] > '9') {
		char c = (char)(text.p[text.n - 1] | 0x20);

		if ((unit = strchr(units, c)) == NULL)
			return false;
		factor = factors[unit - units];
		text.n--;
	}
	if (!span_number(text, UINT64_MAX / factor, out))
		return false;
	*out *= factor;
	return true;
}

bool
conf_parse_time(struct span text, uint64_t *out)
{
	static const uint64_t factors[] = { 1, 60, 3600, DAY_S, 7 * DAY_S };

	return parse_unit(text, "smhdw", factors, out);
}

/* "64M", "4G" in octets. */
static bool
parse_size(struct span text, uint64_t *out)
{
	static const uint64_t factors[] = { 1u << 10, 1u << 20, 1u << 30,
		1ull << 40 };

	return parse_unit(text, "kmgt", factors, out);
}

static bool
parse_number(struct span text, uint64_t *out)
{
	return span_number(text, UINT64_MAX, out);
}

static bool
parse_octal(struct span text, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '7' || text.n > 5)
			return false;
		*out = *out * 8 + (uint64_t)(text.p[i] - '0');
	}
	return text.n > 0;
}

static bool
parse_choice(const char *const *choices, struct span text, uint64_t *out)
{
	for (*out = 0; choices[*out] != NULL; ++*out)
		if (span_iis(text, choices[*out]))
			return true;
	return false;
}

/* ADDR:PORT or [V6]:PORT, numeric: no name service at start. */
static const char *
parse_listen(struct span text, struct conf_listen *l)
{
	if (text.n == 0 || memchr(text.p, ':', text.n) == NULL)
		return "ADDR:PORT expected";
	return conf_parse_listen(text, l)
	    ? NULL
	    : "a numeric address and a port expected";
}

static const char *
add_listen(struct conf *c, struct span text)
{
	const char *why;

	if (c->listens == CONF_LISTEN_MAX)
		return "too many Listen lines";
	why = parse_listen(text, &c->listen[c->listens]);
	c->listens += why == NULL;
	return why;
}

static const char *
add_instance(struct conf *c, struct span text)
{
	struct conf_instance i;
	struct span syslog_name, rest;

	if (c->instances == CONF_INSTANCE_MAX)
		return "too many Instance lines";
	span_split(text, ' ', &syslog_name, &rest);
	rest = span_trim(rest);
	if (!span_copy(i.syslog_name, sizeof i.syslog_name, syslog_name) ||
	    !span_copy(i.daemon_name, sizeof i.daemon_name, rest) ||
	    rest.n == 0)
		return "SYSLOG_NAME DAEMON_NAME expected";
	c->instance[c->instances++] = i;
	return NULL;
}

static const char *
set_string(struct conf *c, const struct setting *s, struct span text)
{
	static const char *(*const why_not[])(struct span) = {
		[CONF_PATH] = conf_not_path,
		[CONF_LOG] = conf_not_log,
		[CONF_SOCKET] = conf_not_socket,
		[CONF_DOMAIN] = conf_not_domain,
	};
	const char *why;

	if (text.n < s->least)
		return "a value is missing";
	if (text.n > s->most)
		return "too long";
	if (text.n > 0 && s->type != CONF_STRING &&
	    (why = why_not[s->type](text)) != NULL)
		return why;
	span_copy(at(c, s), s->most + 1, text);
	return NULL;
}

static const char *
set_number(struct conf *c, const struct setting *s, struct span text)
{
	static const struct {
		bool (*parse)(struct span, uint64_t *);
		const char *why;
	} parsers[] = {
		[CONF_NUMBER] = { parse_number, "a number expected" },
		[CONF_TIME] = { conf_parse_time,
		    "a time such as 90, 10m, 36h, 9d expected" },
		[CONF_SIZE] = { parse_size, "a size such as 64M, 4G expected" },
		[CONF_OCTAL] = { parse_octal,
		    "an octal mode such as 0660 expected" },
	};
	uint64_t v;

	if (s->type >= ARRAY_LEN(parsers) || parsers[s->type].parse == NULL)
		return "a setting without a parser";
	if (!parsers[s->type].parse(text, &v))
		return parsers[s->type].why;
	if (v < s->least || v > s->most)
		return "out of range";
	*(uint64_t *)at(c, s) = v;
	return NULL;
}

/* NULL, or why the value will not do. */
static const char *
set(struct conf *c, const struct setting *s, struct span text)
{
	if (s->type < CONF_NUMBER)
		return set_string(c, s, text);
	switch (s->type) {
	case CONF_CHOICE:
		return parse_choice(s->choices, text, at(c, s))
		    ? NULL
		    : "not one of the words that it takes";
	case CONF_LISTEN:
		return add_listen(c, text);
	case CONF_INSTANCE:
		return add_instance(c, text);
	case CONF_GATE_LISTEN:
		return conf_gate_listen_add(c, text);
	case CONF_GATE_TLS:
		return conf_gate_tls_add(c, text);
	case CONF_LIST:
		return conf_list_add(
		    at(c, s), (enum conf_list_of)s->least, text);
	case CONF_GATE_ROUTE:
		return conf_gate_route_add(c, text);
	case CONF_PEER:
		return conf_peer_add(c, text);
	default:
		return set_number(c, s, text);
	}
}

void
conf_defaults(struct conf *c)
{
	*c = (struct conf){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (settings[i].preset != NULL)
			set(c, &settings[i], span_of(settings[i].preset));
	if (gethostname(c->reporting_mta, sizeof c->reporting_mta - 1) == -1)
		c->reporting_mta[0] = '\0';
}

static const struct setting *
find(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (span_iis(name, settings[i].name))
			return &settings[i];
	return NULL;
}

/* A setting may be given once; those with a table as often as wanted. */
static const char *
take_line(struct conf *c, struct span line, bool seen[ARRAY_LEN(settings)])
{
	struct span name, value;
	const struct setting *s;

	line = span_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return NULL;
	name = line;
	while (name.n > 0 && name.p[0] != ' ' && name.p[0] != '\t')
		name = span_from(name, 1);
	value = span_trim(name);
	name = (struct span){ line.p, line.n - name.n };
	if ((s = find(name)) == NULL)
		return "unknown setting";
	if (seen[s - settings] && s->type < CONF_LISTEN)
		return "given twice";
	seen[s - settings] = true;
	return set(c, s, value);
}

static bool
check_whole(const struct conf *c, const char *path, FILE *errors)
{
	if ((c->tls_certificate[0] == '\0') != (c->tls_key[0] == '\0')) {
		fprintf(errors, "%s: TLSCertificate and TLSKey go together\n",
		    path);
		return false;
	}
	for (size_t i = 0; i < c->gate_listens; i++)
		if (c->gate_listen[i].tls && c->gate_tlses == 0) {
			fprintf(errors,
			    "%s: GateListen with tls needs GateTLS\n", path);
			return false;
		}
	if (c->tls_certificate[0] == '\0' &&
	    (c->require_tls ||
		c->require_tls_for.n + c->listen_tls.n + c->tls_also.n > 0)) {
		fprintf(errors,
		    "%s: RequireTLS yes needs TLSCertificate, and so do"
		    " RequireTLSFor, ListenTLS and TLSAlso\n",
		    path);
		return false;
	}
	return true;
}

/* A line that doesn't fit is full, and its rest is gone. */
static bool
read_line(FILE *f, char line[LINE_MAX_LEN], struct span *out)
{
	int c;

	*out = (struct span){ line, 0 };
	while ((c = getc(f)) != EOF && c != '\n')
		if (out->n < LINE_MAX_LEN)
			line[out->n++] = (char)c;
	return c != EOF || out->n > 0;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return true;
	return false;
}

static bool
take_lines(FILE *f, const char *path, struct conf *c, FILE *errors)
{
	char line[LINE_MAX_LEN], q[128];
	bool seen[ARRAY_LEN(settings)] = { false }, ok = true;
	unsigned number = 0;
	struct span text;

	while (read_line(f, line, &text)) {
		const char *why;

		number++;
		if (text.n == LINE_MAX_LEN)
			why = "line too long";
		else if (has_control(text))
			why = "a control character inside";
		else
			why = take_line(c, text, seen);
		if (why == NULL)
			continue;
		fprintf(errors, "%s:%u: %s: \"%s\"\n", path, number, why,
		    log_quote(span_trim(text), q, sizeof q));
		ok = false;
	}
	return ok;
}

enum mtrk_err
conf_load(const char *path, struct conf *c, FILE *errors)
{
	FILE *f = fopen(path, "re");
	bool ok;

	conf_defaults(c);
	ok = f != NULL && take_lines(f, path, c, errors);
	if (f == NULL || ferror(f)) {
		fprintf(errors, "%s: %m\n", path);
		if (f != NULL)
			fclose(f);
		return MTRK_IO;
	}
	fclose(f);
	ok = check_whole(c, path, errors) && ok;
	return ok ? MTRK_OK : MTRK_SYNTAX;
}

static void
print_one(const struct conf *c, const struct setting *s, FILE *out)
{
	const uint64_t *v = at(c, s);

	if (s->type < CONF_NUMBER) {
		fprintf(out, "%s %s\n", s->name, (const char *)at(c, s));
		return;
	}
	switch (s->type) {
	case CONF_OCTAL:
		fprintf(out, "%s %04llo\n", s->name, (unsigned long long)*v);
		break;
	case CONF_CHOICE:
		fprintf(out, "%s %s\n", s->name, s->choices[*v]);
		break;
	default:
		fprintf(out, "%s %llu\n", s->name, (unsigned long long)*v);
	}
}

static void
print_list(const struct conf *c, const struct setting *s, FILE *out)
{
	const struct conf_list *l = at(c, s);

	for (size_t i = 0; i < l->n; i++)
		fprintf(out, "%s %s\n", s->name, l->text[i]);
}

void
conf_print(const struct conf *c, FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (settings[i].type < CONF_LISTEN)
			print_one(c, &settings[i], out);
		else if (settings[i].type == CONF_LIST)
			print_list(c, &settings[i], out);
	for (size_t i = 0; i < c->listens; i++) {
		fprintf(out, "Listen");
		conf_print_listen(&c->listen[i], out);
		fprintf(out, "\n");
	}
	for (size_t i = 0; i < c->instances; i++)
		fprintf(out, "Instance %s %s\n", c->instance[i].syslog_name,
		    c->instance[i].daemon_name);
	conf_gate_print(c, out);
	for (size_t i = 0; i < c->peers; i++)
		fprintf(out, "TrackingPeer %s\n", c->peer[i].text);
}

static const char *
instance_by(const struct conf *c, struct span name, size_t offset)
{
	for (size_t i = 0; i < c->instances; i++)
		if (span_is(name, (const char *)&c->instance[i] + offset))
			return c->instance[i].syslog_name;
	return c->instances == 0 ? "default" : NULL;
}

const char *
conf_instance_by_syslog(const struct conf *c, struct span name)
{
	return instance_by(
	    c, name, offsetof(struct conf_instance, syslog_name));
}

const char *
conf_instance_by_daemon(const struct conf *c, struct span name)
{
	return instance_by(
	    c, name, offsetof(struct conf_instance, daemon_name));
}
