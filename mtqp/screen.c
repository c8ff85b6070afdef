#include "mtqp/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "mtqp/draw.h"

/* ECMA-48: every terminal since the VT100 */
#define HOME "\033[H"
#define ERASE_LINE "\033[K"
#define ERASE_BELOW "\033[J"

enum { ROWS = 24, COLUMNS = 80 /* of a terminal that does not tell */ };

static volatile sig_atomic_t resized;

static void
on_resize(int signal)
{
	(void)signal;
	resized = 1;
}

static struct winsize
size(void)
{
	struct winsize w = { 0 };

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	if (w.ws_row == 0)
		w.ws_row = ROWS;
	if (w.ws_col == 0)
		w.ws_col = COLUMNS;
	return w;
}

static bool
is_dumb(void)
{
	const char *term = getenv("TERM");

	return term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
}

struct look
screen_look(void)
{
	const char *no_color = getenv("NO_COLOR");
	const bool terminal = isatty(STDOUT_FILENO);

	return (struct look){ terminal && !is_dumb() &&
		    (no_color == NULL || no_color[0] == '\0'),
		draw_is_utf8(), terminal ? size().ws_col : 0 };
}

bool
screen_is_there(void)
{
	return isatty(STDOUT_FILENO) && !is_dumb();
}

void
screen_start(void)
{
	const struct sigaction action = { .sa_handler = on_resize };
	sigset_t winch;

	/* threads that ask servers inherit that it does not disturb them */
	sigemptyset(&winch);
	sigaddset(&winch, SIGWINCH);
	pthread_sigmask(SIG_BLOCK, &winch, NULL);
	sigaction(SIGWINCH, &action, NULL);
	for (unsigned i = size().ws_row; i > 0; i--)
		putchar('\n');
	fputs(HOME, stdout);
	fflush(stdout);
}

static size_t
count_lines(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == '\n';
	return n;
}

/* Line by line in place: some terminals keep a copy of what is erased as a
 * whole. */
static void
put_lines(const char *picture, size_t room)
{
	struct span line, rest = span_of(picture);

	fputs(HOME, stdout);
	for (size_t i = 0; i < room && rest.n > 0; i++) {
		span_split(rest, '\n', &line, &rest);
		fwrite(line.p, 1, line.n, stdout);
		fputs(ERASE_LINE "\n", stdout);
	}
}

void
screen_draw(const char *picture)
{
	const size_t all = count_lines(picture);
	const size_t room = size().ws_row - 1U; /* the last one: progress */

	if (all > room && room > 1) {
		put_lines(picture, room - 1);
		printf("(%zu more lines)" ERASE_LINE "\n", all - room + 1);
	} else {
		put_lines(picture, room);
	}
	fputs(ERASE_BELOW, stdout);
	fflush(stdout);
}

static size_t
columns_of(FILE *out)
{
	struct winsize w = { 0 };

	(void)ioctl(fileno(out), TIOCGWINSZ, &w);
	return w.ws_col > 0 ? w.ws_col : COLUMNS;
}

static void
put_in_place(const char *text, FILE *out)
{
	char *line = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&line, &n);

	if (f == NULL)
		return;
	draw_utf8(text, columns_of(out) - 1, f);
	if (fclose(f) == 0) {
		fputc('\r', out);
		draw_safe(line, out);
		fputs(ERASE_LINE, out);
		fflush(out);
	}
	free(line);
}

void
screen_progress(const char *text)
{
	put_in_place(text, stdout);
}

bool
screen_is_interactive(void)
{
	return isatty(STDERR_FILENO) && !is_dumb();
}

void
screen_waiting(const char *text)
{
	put_in_place(text, stderr);
}

void
screen_asking(const struct hop *h)
{
	char text[HOST_MAX + 20];

	snprintf(text, sizeof text, "Asking %s ...", h->host);
	screen_progress(text);
}

bool
screen_wait(void)
{
	const struct timespec second = { 1, 0 };
	sigset_t none;

	sigemptyset(&none);
	resized = 0;
	(void)ppoll(NULL, 0, &second, &none);
	return resized != 0;
}

void
screen_end(const char *picture)
{
	put_lines(picture, SIZE_MAX);
	fputs(ERASE_BELOW, stdout);
	fflush(stdout);
}
