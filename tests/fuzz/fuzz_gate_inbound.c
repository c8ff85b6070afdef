/*
 * The inbound gate between any client and an MTA that reads as liberally as
 * some did (bare LF, bare CR, CRs or NULs that it drops): they must never
 * disagree about what is a command, a chunk or content, and how the octets
 * were cut must not matter.
 *
 * Input: how liberal the MTA is, how the octets are cut, the octets.
 */
#include <stdlib.h>
#include <string.h>

#include "milter/gate_inbound.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum {
	CR_ENDS = 1,
	CRS_DROPPED = 2,
	NULS_DROPPED = 4,
	NO_DATA = 8,
	OUT = 1 << 20
};
enum phase { COMMAND, CONTENT, CHUNK, LOGIN };

struct mta {
	unsigned mode;
	enum phase phase;
	struct buf line, says;
	uint64_t chunk;
	bool skip_lf;
};

struct world {
	struct mta mta;
	struct inbound gate;
	struct buf from_client, to_client, to_server;
	enum inbound_wish wish;
};

static void
say(struct mta *m, const char *text)
{
	buf_str(&m->says, text);
}

static bool
blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct span
mta_word(struct span *rest)
{
	struct span word = *rest;
	size_t n = 0;

	while (word.n > 0 && blank(word.p[0]))
		word = span_from(word, 1);
	while (n < word.n && !blank(word.p[n]))
		n++;
	*rest = span_from(word, n);
	return (struct span){ word.p, n };
}

static void
mta_bdat(struct mta *m, struct span rest)
{
	struct span size = mta_word(&rest), last = mta_word(&rest);

	if (!span_number(size, INT64_MAX, &m->chunk) ||
	    (last.n > 0 && !span_iis(last, "LAST")) || mta_word(&rest).n > 0)
		say(m, "501 size\r\n");
	else if (m->chunk > 0)
		m->phase = CHUNK;
	else
		say(m, "250 chunk\r\n");
}

static void
mta_command(struct mta *m, struct span line)
{
	struct span verb, rest;
	size_t n = 0;

	while (line.n > 0 && blank(line.p[0]))
		line = span_from(line, 1);
	while (n < line.n &&
	    ((line.p[n] | 0x20) >= 'a' && (line.p[n] | 0x20) <= 'z'))
		n++;
	verb = (struct span){ line.p, n };
	rest = span_trim(span_from(line, n));
	while (rest.n > 0 && rest.p[rest.n - 1] == '\r')
		rest = span_trim((struct span){ rest.p, rest.n - 1 });
	if (m->phase == LOGIN) {
		m->phase = COMMAND;
		say(m, "235 in\r\n");
	} else if (span_iis(verb, "STARTTLS"))
		abort(); /* must never come here */
	else if (span_iis(verb, "EHLO"))
		say(m,
		    "250-mta\r\n250-DSN\r\n250-STARTTLS\r\n250 CHUNKING\r\n");
	else if (span_iis(verb, "DATA") && !(m->mode & NO_DATA)) {
		m->phase = CONTENT;
		say(m, "354 go\r\n");
	} else if (span_iis(verb, "BDAT"))
		mta_bdat(m, rest);
	else if (span_iis(verb, "AUTH")) {
		m->phase = LOGIN;
		say(m, "334 go on\r\n");
	} else if (span_iis(verb, "XCLIENT") && rest.n > 0)
		abort();
	else
		say(m, "250 ok\r\n");
}

static void
mta_line(struct mta *m)
{
	struct span line = buf_as_span(&m->line);
	char copy[1 << 16];
	size_t n = 0;

	if (m->phase != CONTENT) {
		mta_command(m, line);
		buf_cut(&m->line, 0);
		return;
	}
	for (size_t i = 0; i < line.n && n < sizeof copy; i++)
		if (line.p[i] != '\0' || !(m->mode & NULS_DROPPED))
			copy[n++] = line.p[i];
	while (n > 0 && copy[n - 1] == '\r' && (m->mode & CRS_DROPPED))
		n--;
	if (n > 0 && copy[n - 1] == '\r')
		n--;
	if (n == 1 && copy[0] == '.') {
		m->phase = COMMAND;
		say(m, "250 took\r\n");
	}
	buf_cut(&m->line, 0);
}

static void
mta_take(struct mta *m, char c)
{
	bool skip = m->skip_lf && c == '\n';

	m->skip_lf = false;
	if (m->phase == CHUNK) {
		if (--m->chunk == 0) {
			m->phase = COMMAND;
			say(m, "250 chunk\r\n");
		}
	} else if (skip) {
		return;
	} else if (c == '\n') {
		mta_line(m);
	} else if (c == '\r' && m->phase == CONTENT && (m->mode & CR_ENDS)) {
		mta_line(m);
		m->skip_lf = true;
	} else
		buf_chr(&m->line, c);
}

static size_t
show(struct world *w, bool client)
{
	struct inbound_turn t = { .to_client = &w->to_client,
		.to_server = &w->to_server };
	struct buf *in = client ? &w->from_client : &w->mta.says;
	size_t before = w->to_server.n;
	size_t n = client ? inbound_from_client(&w->gate, buf_as_span(in), &t)
			  : inbound_from_server(&w->gate, buf_as_span(in), &t);

	buf_drop(in, n);
	w->wish = t.wish;
	for (size_t i = before; i < w->to_server.n; i++)
		mta_take(&w->mta, w->to_server.p[i]);
	return n;
}

static void
agree(const struct world *w)
{
	static const enum phase want[] = {
		[INBOUND_LINES] = COMMAND,
		[INBOUND_DATA] = CONTENT,
		[INBOUND_CHUNK] = CHUNK,
	};
	const struct inbound *g = &w->gate;

	if (w->wish != INBOUND_GO || w->mta.says.n > 0)
		return;
	if (g->pending != (g->phase == INBOUND_CHUNK) ||
	    g->awaits != AWAITS_NOTHING)
		abort(); /* the MTA has answered all that it can */
	if (g->phase == INBOUND_RAW_LINE)
		return;
	if (w->mta.phase != want[g->phase] ||
	    (g->phase == INBOUND_CHUNK && g->chunk != w->mta.chunk) ||
	    (g->phase == INBOUND_LINES && w->mta.line.n > 0))
		abort();
}

static void
run(struct world *w, unsigned mode, struct span in, size_t cut)
{
	static const struct inbound_rules rules = { .tls = false };

	*w = (struct world){
		.mta = { .mode = mode, .line = BUF(OUT), .says = BUF(OUT) },
		.from_client = BUF(OUT),
		.to_client = BUF(OUT),
		.to_server = BUF(OUT)
	};
	inbound_start(&w->gate, &rules);
	say(&w->mta, "220 mta\r\n");
	while (in.n > 0 && w->wish == INBOUND_GO) {
		size_t n = in.n < cut ? in.n : cut;

		buf_add(&w->from_client, in.p, n);
		in = span_from(in, n);
		while (w->wish == INBOUND_GO &&
		    (show(w, true) > 0 ||
			(w->wish == INBOUND_GO && show(w, false) > 0)))
			;
		agree(w);
	}
}

static void
done(struct world *w)
{
	inbound_end(&w->gate);
	buf_free(&w->mta.line);
	buf_free(&w->mta.says);
	buf_free(&w->from_client);
	buf_free(&w->to_client);
	buf_free(&w->to_server);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct world a, b;
	struct span in;

	if (n < 3 || n > 8192)
		return 0;
	in = (struct span){ (const char *)data + 2, n - 2 };
	run(&a, data[0], in, n);
	run(&b, data[0], in, 1 + data[1] % 64);
	if (a.wish != b.wish)
		abort();
	if (a.wish == INBOUND_GO &&
	    (!span_eq(buf_as_span(&a.to_server), buf_as_span(&b.to_server)) ||
		!span_eq(buf_as_span(&a.to_client), buf_as_span(&b.to_client))))
		abort();
	done(&a);
	done(&b);
	return 0;
}
