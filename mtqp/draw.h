/*
 * mtqp/draw.h -- text on a terminal: strangers' words made harmless, columns
 * counted, lines wrapped, times in the reader's own way.
 *
 * Text is UTF-8 here, whatever the locale; what goes out is the locale's.
 * "?" stands for what is no UTF-8, what the locale cannot show, control
 * characters (C1 too), and what turns the order of letters around or is
 * invisible (Unicode TR 36).  NULL prints nothing.
 */
#ifndef MTRK_MTQP_DRAW_H
#define MTRK_MTQP_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Columns that draw_safe() takes for it, wide characters counting two. */
size_t draw_width(const char *);
void draw_safe(const char *, FILE *);
/* The same as UTF-8 in every locale, for a file, in at most `columns`: what is
 * more is cut, and "..." stands there. */
void draw_utf8(const char *, size_t columns, FILE *);

/*
 * A line on its way.  It is wrapped at blanks, or inside a word that is longer
 * than a line, so that no line has more than `columns`.
 */
struct pen {
	FILE *out;
	size_t columns; /* 0: lines are as long as they are */
	size_t indent; /* blanks in front of what had to be wrapped */
	size_t at; /* private: columns used in this line */
	bool blank; /* private: one is due before the next word */
};
void pen_text(struct pen *, const char *);
void pen_to(struct pen *, size_t column); /* blanks up to there */
void pen_end(struct pen *); /* of the line */

enum { DRAW_TIME = 128, DRAW_DURATION = 48 };
/* In the locale's form and the zone of TZ; with the date if it is not that of
 * `day` (WHEN_NONE: with date and zone). */
void draw_time(int64_t, int64_t day, char out[DRAW_TIME]);
/* "3 s", "2 min 5 s", "4 h 10 min", "2 d 3 h"; "" if it is negative. */
void draw_duration(int64_t seconds, char out[DRAW_DURATION]);

/* UTF-8 can be shown, as the locale says. */
bool draw_is_utf8(void);

#endif
