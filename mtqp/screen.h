/*
 * mtqp/screen.h -- standard output as a terminal: its size, a picture that
 * stays in its place, a line of progress below it.
 */
#ifndef MTRK_MTQP_SCREEN_H
#define MTRK_MTQP_SCREEN_H

#include "mtqp/timeline.h"

/* How to draw on it: with colours unless NO_COLOR is set and not empty, with
 * as many columns as it has.  Not a terminal: no bounds. */
struct look screen_look(void);
/* It can be drawn on anew: a terminal, and TERM is not "dumb". */
bool screen_is_there(void);

/* What stands there goes up and out of sight.  From now on a changed size is
 * noticed, in screen_wait() only. */
void screen_start(void);
/* The picture from the top left corner on, its first lines if it is too long;
 * the line of progress is below. */
void screen_draw(const char *picture);
/* In place of the line that was there; "" wipes it. */
void screen_progress(const char *text);
/* The same on standard error, where it is a terminal: standard output may be
 * anywhere. */
bool screen_is_interactive(void);
void screen_waiting(const char *text);
void screen_asking(const struct hop *); /* whom, for trace() */
/* For a second, or until the size has changed: then true. */
bool screen_wait(void);
/* All of the picture, for good. */
void screen_end(const char *picture);

#endif
