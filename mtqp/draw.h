/*
 * mtqp/draw.h -- text on a terminal: strangers' words made harmless, columns
 * counted, times in the reader's own way.
 */
#ifndef MTRK_MTQP_DRAW_H
#define MTRK_MTQP_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Columns that draw_safe() takes for it, wide characters counting two. */
size_t draw_width(const char *);
/* No control character gets through, C1 neither; NULL prints nothing. */
void draw_safe(const char *, FILE *);
/* The same, filled up with blanks to `width` columns. */
void draw_column(const char *, size_t width, FILE *);

enum { DRAW_TIME = 128, DRAW_DURATION = 48 };
/* In the locale's form and the zone of TZ; with the date if it is not that of
 * `day` (WHEN_NONE: with date and zone). */
void draw_time(int64_t, int64_t day, char out[DRAW_TIME]);
/* "3 s", "2 min 5 s", "4 h 10 min", "2 d 3 h"; "" if it is negative. */
void draw_duration(int64_t seconds, char out[DRAW_DURATION]);

/* UTF-8 can be shown, as the locale says. */
bool draw_is_utf8(void);

#endif
