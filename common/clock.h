/*
 * common/clock.h -- time that only goes on (CLOCK_MONOTONIC), since some moment
 * before the program; for how long something takes, and until when it may.
 */
#ifndef MTRK_COMMON_CLOCK_H
#define MTRK_COMMON_CLOCK_H

#include <stdint.h>

int64_t clock_us(void);
int64_t clock_ms(void);
int64_t clock_s(void);
/* Good to a few milliseconds, and cheaper: for what is asked with each event.
 */
int64_t clock_coarse_ms(void);

#endif
