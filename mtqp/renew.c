#include "mtqp/renew.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "mtqp/draw.h"
#include "mtqp/screen.h"

enum {
	FIRST_S = 2, /* between questions; doubled while nothing is new */
	MOST_S = 120,
};

/* It goes on; a server that has answered once may come back, too. */
static bool
is_worth_waiting(int status, bool answered)
{
	return status == TRACK_UNDER_WAY || status == EX_TEMPFAIL ||
	    (status == EX_UNAVAILABLE && answered);
}

/* The answer as text, and the notes if there is a screen for them; the caller
 * frees it.  NULL: no memory. */
static char *
as_text(const struct inquiry *q, struct look look, bool notes)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (f == NULL)
		return NULL;
	inquiry_print(q, look, f);
	if (notes && q->notes != NULL && q->notes[0] != '\0') {
		fputc('\n', f);
		inquiry_say(q, look.columns, f);
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static void
draw(const struct inquiry *q, void (*how)(const char *))
{
	char *text = as_text(q, screen_look(), true);

	if (text != NULL)
		how(text);
	free(text);
}

/* The picture, and how long until the next question. */
static void
wait_on_screen(const struct inquiry *q, unsigned wait_s)
{
	char now[DRAW_TIME], text[DRAW_TIME + 80];
	const time_t asked = time(NULL);
	const int64_t end_s = clock_s() + wait_s;

	draw(q, screen_draw);
	draw_time(asked, asked, now);
	for (int64_t s = end_s - wait_s; s < end_s; s = clock_s()) {
		snprintf(text, sizeof text,
		    "Asked at %s, again in %lld s.  Ctrl-C ends.", now,
		    (long long)(end_s - s));
		screen_progress(text);
		if (screen_wait())
			draw(q, screen_draw);
	}
}

/* Said once, until something else is to be said. */
static void
print_notes(const struct inquiry *q, char **before)
{
	if (*before == NULL || strcmp(*before, q->notes) != 0)
		inquiry_say(q, 0, stderr);
	free(*before);
	*before = strdup(q->notes);
}

/* True: it is another answer than last time. */
static bool
print_change(const struct inquiry *q, char **before)
{
	char *text = as_text(q, (struct look){ 0 }, false);
	bool changed = text != NULL && text[0] != '\0' &&
	    (*before == NULL || strcmp(*before, text) != 0);

	if (!changed) {
		free(text);
		return false;
	}
	free(*before);
	*before = text;
	return true;
}

int
renew(struct inquiry *q)
{
	const bool screen = screen_is_there() && !q->json && !q->raw;
	char *before = NULL, *notes = NULL;
	unsigned wait_s = FIRST_S;
	int status;

	if (screen) {
		screen_start();
		q->trace.asking = screen_asking;
	}
	while (true) {
		status = inquiry_ask(q);
		if (q->notes != NULL && !screen)
			print_notes(q, &notes);
		if (print_change(q, &before)) {
			wait_s = FIRST_S;
			if (!screen)
				inquiry_print(q, screen_look(), stdout);
			fflush(stdout);
		}
		/* who reads it may have gone */
		if (!is_worth_waiting(status, q->hops != NULL) ||
		    ferror(stdout))
			break;
		if (screen)
			wait_on_screen(q, wait_s);
		else
			sleep(wait_s);
		wait_s = 2 * wait_s < MOST_S ? 2 * wait_s : MOST_S;
	}
	if (screen)
		draw(q, screen_end);
	free(before);
	free(notes);
	return status;
}
