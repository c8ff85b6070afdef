/* A client's octets, cut into lines and answered: every reply is whole lines
 * of printable ASCII, ends as RFC 3887 2.3 says, and nothing is taken for a
 * secret that TRACK would not have. */
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "mtqp/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Every second envid is known, under any secret; lines begin with dots. */
static enum mtrk_err
track(void *arg, struct span envid,
    const unsigned char certifier[CERTIFIER_LEN], struct tstat *out)
{
	struct tstat_part *p;
	struct tstat_recipient *r;

	(void)arg;
	if (certifier[0] & 1)
		return MTRK_NOTFOUND;
	if ((p = tstat_add_part(out)) == NULL ||
	    (r = tstat_add_recipient(out, p)) == NULL)
		abort();
	p->envid = tstat_text(out, envid);
	p->reporting_type = "dns";
	p->reporting_mta = "mx.example.org";
	p->arrival = 1000;
	r->original_type = "rfc822";
	r->original = p->envid;
	r->final_type = "rfc822";
	r->final = ". . .@h.example";
	r->action = ACTION_DELAYED;
	r->status = STATUS(4, 0, 0);
	return MTRK_OK;
}

static bool
covers(void *arg, const char *fqdn)
{
	(void)arg;
	return strchr(fqdn, 'x') != NULL;
}

static void
check(struct span reply)
{
	bool multi = span_starts(reply, "+OK+");
	struct span line;
	unsigned lines = 0;

	if (!span_starts(reply, "+OK") && !span_starts(reply, "-BAD") &&
	    !span_starts(reply, "-ERR") && !span_starts(reply, "-TEMP"))
		abort();
	if (!span_ends(reply, multi ? "\r\n.\r\n" : "\r\n"))
		abort();
	while (span_split(reply, '\n', &line, &reply)) {
		if (line.n == 0 || line.n > 999 || line.p[line.n - 1] != '\r' ||
		    (span_is(line, ".\r") && reply.n > 0))
			abort();
		for (size_t i = 0; i + 1 < line.n; i++)
			if ((line.p[i] < ' ' || line.p[i] > '~') &&
			    line.p[i] != '\t')
				abort();
		lines++;
	}
	if (lines == 0 || (!multi && lines != 1))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct conf conf = { .reporting_mta = "mx.example.org",
		.require_tls_for = { { "secret.example" }, 1 } };
	const struct session_doors doors = { track, covers, NULL, NULL };
	struct span in = { (const char *)data, n }, line;
	struct lines lines = { .max = MTQP_LINE_MAX };
	struct session s;
	size_t used;
	enum line what;

	conf.unknown = n % 2 ? UNKNOWN_OPAQUE : UNKNOWN_NOINFO;
	session_start(&s, &conf, &doors);
	while ((what = lines_next(&lines, in, &used, &line)) != LINE_MORE) {
		struct buf text = BUF(1u << 24);
		struct reply r;

		in = span_from(in, used);
		if (what == LINE_OK)
			command_run(&s, line, &text, &r);
		else
			command_fault(&s, what, &text, &r);
		check(buf_as_span(&text));
		buf_free(&text);
		if (r.after == AFTER_CLOSE)
			break;
		if (r.after == AFTER_STARTTLS)
			session_secured(&s);
	}
	return 0;
}
