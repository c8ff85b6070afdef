/* A server's MIME answer: read, followed, shown to people and to scripts. */
#include <stdlib.h>

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

/* The same answer from every server that is named. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct span in = { (const char *)data, n };
	struct ways w = { 0 };

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
