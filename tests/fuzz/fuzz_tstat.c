/* A server's MIME answer: read, followed, shown to people and to scripts; and
 * told on, by a server that asks others. */
#include <stdlib.h>
#include <string.h>

#include "mtqp/svg.h"
#include "mtqp/timeline.h"
#include "mtqp/timeline_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct hops hops;

static void
show(const struct ways *w)
{
	static const struct mtqp_uri uri = { .host = "a", .envid = "q@h" };
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	json_t *j = timeline_json(&hops, w, &uri);
	int status = timeline_status(w);

	if (out == NULL || j == NULL || status < TRACK_WELL ||
	    status > TRACK_NO_INFORMATION)
		abort();
	timeline_text(&hops, w, (struct look){ .utf8 = true }, out);
	fclose(out);
	if ((out = fopen("/dev/null", "w")) == NULL)
		abort();
	svg_write(&hops, w, out);
	fclose(out);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\n')
			abort(); /* it could command a terminal */
	free(text);
	json_decref(j);
}

/* The boundary is another each time. */
static void
mask_boundary(struct buf *text)
{
	static const char head[] = "boundary=\"";
	enum { LENGTH = 29 };
	char boundary[LENGTH + 1];
	char *at = strstr(text->p, head) + sizeof head - 1;

	memcpy(boundary, at, LENGTH);
	boundary[LENGTH] = '\0';
	while ((at = strstr(text->p, boundary)) != NULL)
		memset(at, '=', LENGTH);
}

/* What the strict generator takes of it; "": nothing. */
static void
tell_on(struct span in, struct buf *out)
{
	struct tstat t;
	bool ok = tstat_read(in, &t) == MTRK_OK;

	for (size_t i = 0; ok && i < t.n; i++) {
		tstat_drop_unsound(&t.parts[i]);
		ok = t.parts[i].n > 0;
	}
	if (ok && tstat_write(&t, out) != MTRK_OK)
		abort();
	tstat_free(&t);
	if (ok)
		mask_boundary(out);
}

/* Told on once more it is the same, and 7 bits. */
static void
check_told_on(struct span in)
{
	struct buf once = BUF(1 << 26), twice = BUF(1 << 26);

	tell_on(in, &once);
	if (once.n > 0)
		tell_on(buf_as_span(&once), &twice);
	if (!span_eq(buf_as_span(&once), buf_as_span(&twice)))
		abort();
	for (size_t i = 0; i < once.n; i++)
		if ((once.p[i] < ' ' || once.p[i] > '~') &&
		    strchr("\r\n\t", once.p[i]) == NULL)
			abort();
	buf_free(&once);
	buf_free(&twice);
}

/* The same answer from every server that is named. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct span in = { (const char *)data, n };
	struct ways w = { 0 };

	check_told_on(in);
	hops_start(&hops, "a", 0, 3);
	for (size_t i = 0; i < hops.n && i < 4; i++) {
		struct tstat t;

		if (hops.list[i].state == HOP_WAITING &&
		    tstat_read(in, &t) == MTRK_OK &&
		    hops_answered(&hops, i, &t) != MTRK_OK)
			abort();
		tstat_free(&t);
	}
	if (hops_ways(&hops, &w) != MTRK_OK)
		abort();
	show(&w);
	ways_free(&w);
	hops_free(&hops);
	return 0;
}
