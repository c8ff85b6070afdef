/* mtqp/follow_hops.c: whom to ask next, and how answers join (A45, A48). */
#include "mtqp/follow_hops.h"
#include "tests/lib/cm.h"

/* A server and what it answers: lines "reporting original final action
 * remote", "-" for an absent one; a new reporting name or a line "." begins a
 * new part.  NULL: it does not answer. */
struct server {
	const char *host, *says;
};

static const char *
keep(struct tstat *t, struct span s)
{
	return span_is(s, "-") ? NULL : tstat_text(t, s);
}

static struct span
word(struct span *line)
{
	struct span head;

	span_split(*line, ' ', &head, line);
	return head;
}

static void
read_answer(const char *says, struct tstat *t)
{
	struct span rest = span_of(says), line;
	struct tstat_part *part = NULL;

	*t = (struct tstat){ 0 };
	while (rest.n > 0) {
		struct tstat_recipient *r;
		struct span reporting;

		span_split(rest, '\n', &line, &rest);
		if (span_is(line, ".")) {
			part = NULL;
			continue;
		}
		reporting = word(&line);
		if (part == NULL || !span_is(reporting, part->reporting_mta)) {
			part = tstat_add_part(t);
			part->reporting_mta = keep(t, reporting);
		}
		r = tstat_add_recipient(t, part);
		r->original = keep(t, word(&line));
		r->final = keep(t, word(&line));
		r->action = action_of(word(&line));
		r->remote_mta = keep(t, line);
		r->remote_type = "dns";
	}
}

static struct hops hops;

/* Ask until nobody is left; `asked` is whom, in order. */
static void
ask_all(const struct server *servers, const char *first, unsigned depth,
    char *asked, size_t size)
{
	hops_start(&hops, first, 0, depth);
	asked[0] = '\0';
	for (size_t i = 0; i < hops.n; i++) {
		const struct server *s = servers;
		struct tstat t;

		if (hops.list[i].state != HOP_WAITING)
			continue;
		snprintf(asked + strlen(asked), size - strlen(asked), "%s ",
		    hops.list[i].host);
		while (
		    s->host != NULL && strcmp(s->host, hops.list[i].host) != 0)
			s++;
		if (s->host == NULL || s->says == NULL) {
			hops.list[i].state = HOP_FAILED;
			continue;
		}
		read_answer(s->says, &t);
		assert_int_equal(hops_answered(&hops, i, &t), MTRK_OK);
	}
}

/* "0:a/bob@x 1:b/bob@y; " */
static void
tell(const struct ways *w, char *out, size_t size)
{
	static const char ends[] = { [STEP_GOES_ON] = '>',
		[STEP_ENDS] = '.',
		[STEP_NO_SERVER] = '?',
		[STEP_NOT_THERE] = '0',
		[STEP_NOWHERE] = '~',
		[STEP_LOOP] = '@' };

	out[0] = '\0';
	for (size_t i = 0; i < w->n; i++) {
		const struct step *s = &w->steps[i];

		snprintf(out + strlen(out), size - strlen(out), "%s%u:%s/%s%c",
		    i == 0             ? ""
			: s->depth > 0 ? " "
				       : "; ",
		    s->depth, s->part->reporting_mta, s->recipient->final,
		    ends[s->end]);
	}
}

static void
ways(void **state)
{
	static const struct {
		const char *name;
		struct server servers[6];
		unsigned depth;
		const char *asked, *way;
	} cases[] = {
		{ "one server", { { "a", "a bob@x bob@x delivered -" } }, 10,
		    "a ", "0:a/bob@x." },
		{ "three, the final name changes (A48)",
		    { { "a", "a bob@x bob@x transferred b.t" },
			{ "b.t", "b.t bob@x bob@y transferred c.t" },
			{ "c.t", "c.t bob@x bob@z delivered -" } },
		    10, "a b.t c.t ", "0:a/bob@x> 1:b.t/bob@y> 2:c.t/bob@z." },
		{ "only transferred is followed",
		    { { "a",
			"a b@x b@x relayed b.t\na c@x c@x delayed b.t\n"
			"a d@x d@x failed b.t\na e@x e@x opaque -\n"
			"a f@x f@x expanded b.t" } },
		    10, "a ",
		    "0:a/b@x.; 0:a/c@x.; 0:a/d@x.; 0:a/e@x.; 0:a/f@x." },
		{ "two recipients, one next server, asked once",
		    { { "a",
			  "a b@x b@x transferred n.t\na c@x c@x transferred N.T" },
			{ "n.t",
			    "n.t c@x c@x delivered -\nn.t b@x b@x failed -" } },
		    10, "a n.t ", "0:a/b@x> 1:n.t/b@x.; 0:a/c@x> 1:n.t/c@x." },
		{ "a loop by name",
		    { { "a", "a b@x b@x transferred n.t" },
			{ "n.t", "n.t b@x b@x transferred a" } },
		    10, "a n.t ", "0:a/b@x> 1:n.t/b@x@" },
		{ "a loop by the name that a server tells",
		    { { "127.0.0.1", "mx b@x b@x transferred mx" } }, 10,
		    "127.0.0.1 ", "0:mx/b@x@" },
		{ "the depth",
		    { { "a", "a b@x b@x transferred b.t" },
			{ "b.t", "b.t b@x b@x transferred c.t" },
			{ "c.t", "c.t b@x b@x delivered -" } },
		    1, "a b.t ", "0:a/b@x> 1:b.t/b@x?" },
		{ "no answer there",
		    { { "a", "a b@x b@x transferred n.t" }, { "n.t", NULL } },
		    10, "a n.t ", "0:a/b@x?" },
		{ "another recipient there",
		    { { "a", "a b@x b@x transferred n.t" },
			{ "n.t", "n.t c@x c@x delivered -" } },
		    10, "a n.t ", "0:a/b@x0" },
		{ "nobody says where", { { "a", "a b@x b@x transferred -" } },
		    10, "a ", "0:a/b@x~" },
		{ "without ORCPT the next begins anew (A18)",
		    { { "a", "a b@x b@y transferred n.t" },
			{ "n.t", "n.t b@y b@z delivered -" } },
		    10, "a n.t ", "0:a/b@y> 1:n.t/b@z." },
		{ "chained: the answer holds what they would say",
		    { { "a",
			"a b@x b@x transferred in.t\n"
			"in.t b@x b@y delivered -" } },
		    10, "a ", "0:a/b@x> 1:in.t/b@y." },
		{ "RFC 3887 example 10: two parts, no link",
		    { { "a",
			"a u1@x u1@x relayed s.t\ns.t u2@x u4@y delivered -" } },
		    10, "a ", "0:a/u1@x.; 0:s.t/u4@y." },
		{ "one message twice at a server (A40)",
		    { { "a",
			"a b@x b@x delivered -\n.\na b@x b@y delivered -" } },
		    10, "a ", "0:a/b@x.; 0:a/b@y." },
		{ "handed to itself: a content filter",
		    { { "1.2.3.4",
			"mx b@x b@x transferred mx\n.\nmx b@x b@x delivered -" } },
		    10, "1.2.3.4 ", "0:mx/b@x> 1:mx/b@x." },
		{ "a circle in one answer does not vanish",
		    { { "a",
			"p b@x b@x transferred q\nq b@x b@x transferred p" } },
		    10, "a ", "0:p/b@x> 1:q/b@x@" },
		{ "an address literal and a root dot",
		    { { "a",
			"a b@x b@x transferred [192.0.2.7]\n"
			"a c@x c@x transferred n.t.\n"
			"a d@x d@x transferred [IPv6:2001:db8::7]" } },
		    10, "a 192.0.2.7 n.t 2001:db8::7 ",
		    "0:a/b@x?; 0:a/c@x?; 0:a/d@x?" },
		{ "a fork: two entries at the next server",
		    { { "a", "a b@x b@x transferred n.t" },
			{ "n.t",
			    "n.t b@x b@y delivered -\nn.t b@x b@z failed -" } },
		    10, "a n.t ", "0:a/b@x> 1:n.t/b@y. 1:n.t/b@z." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char asked[400], way[1000];
		struct ways w;

		ask_all(cases[i].servers, cases[i].servers[0].host,
		    cases[i].depth, asked, sizeof asked);
		assert_int_equal(hops_ways(&hops, &w), MTRK_OK);
		tell(&w, way, sizeof way);
		if (strcmp(asked, cases[i].asked) != 0 ||
		    strcmp(way, cases[i].way) != 0)
			fail_msg("%s: asked %s: %s", cases[i].name, asked, way);
		ways_free(&w);
		hops_free(&hops);
	}
}

static struct tstat_recipient *
only(struct tstat *t)
{
	if (t->n != 1 || t->parts[0].n != 1)
		abort();
	return &t->parts[0].recipients[0];
}

/* A name of another type, or no name, is never asked. */
static void
not_a_host(void **state)
{
	static const char *const names[] = { "two words", "", " ", "a\tb" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct tstat t;

		hops_start(&hops, "a", 0, 10);
		read_answer("a b@x b@x transferred x.t", &t);
		only(&t)->remote_mta = names[i];
		assert_int_equal(hops_answered(&hops, 0, &t), MTRK_OK);
		assert_int_equal(hops.n, 1);
		hops_free(&hops);
	}
	hops_start(&hops, "a", 0, 10);
	{
		struct tstat t;

		read_answer("a b@x b@x transferred x.t", &t);
		only(&t)->remote_type = "x-local";
		assert_int_equal(hops_answered(&hops, 0, &t), MTRK_OK);
		assert_int_equal(hops.n, 1);
	}
	hops_free(&hops);
}

/* A hostile server: as many names and equal recipients as it likes. */
static void
bounds(void **state)
{
	struct buf many = BUF(64 << 20);
	struct tstat t;
	struct ways w;

	(void)state;
	/* n entries that name each other have n! orders, and no more ways */
	for (unsigned i = 0; i < 12; i++)
		buf_fmt(&many, "%c same@x u%u@x transferred %c\n",
		    i & 1 ? 'p' : 'q', i, i & 1 ? 'q' : 'p');
	read_answer(many.p, &t);
	hops_start(&hops, "a", 0, 10);
	assert_int_equal(hops_answered(&hops, 0, &t), MTRK_OK);
	assert_int_equal(hops_ways(&hops, &w), MTRK_OK);
	assert_in_range(w.n, 12, 12 * 12);
	ways_free(&w);
	hops_free(&hops);
	buf_cut(&many, 0);
	for (unsigned i = 0; i < 3000; i++)
		buf_fmt(&many, "%c same@x same@x transferred %c\n",
		    i & 1 ? 'p' : 'q', i & 1 ? 'q' : 'p');
	for (unsigned i = 0; i < 300; i++)
		buf_fmt(&many, "p u%u@x u%u@x transferred n%u.t\n", i, i, i);
	read_answer(many.p, &t);
	hops_start(&hops, "a", 0, 10);
	assert_int_equal(hops_answered(&hops, 0, &t), MTRK_OK);
	assert_int_equal(hops.n, HOPS_MAX);
	assert_int_equal(hops.list[HOPS_MAX - 1].state, HOP_NOT_ASKED);
	assert_int_equal(hops_ways(&hops, &w), MTRK_OK);
	assert_true(w.cut);
	assert_int_equal(w.n, STEPS_MAX);
	ways_free(&w);
	hops_free(&hops);
	buf_free(&many);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ways),
		cmocka_unit_test(not_a_host),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
