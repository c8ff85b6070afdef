/*
 * tests/lib/cm.h -- cmocka, and what most tests need beside it.
 */
#ifndef MTRK_TESTS_CM_H
#define MTRK_TESTS_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/span.h"

/* The bytes of a span against a string. */
#define assert_span(span_, string_) \
	do { \
		struct span got_ = (span_); \
		if (!span_is(got_, (string_))) \
			fail_msg("got \"%.*s\", want \"%s\"", (int)got_.n, \
			    got_.p, (string_)); \
	} while (0)

/* A fresh folder below $TMPDIR or /tmp; removed by scratch_remove(). */
void scratch_make(char path[256]);
void scratch_remove(const char *path);
void scratch_unlink(const char *path, const char *name); /* a file in it */

/* A port of 127.0.0.1 that nobody else takes for a while (lab/ports.py). */
uint16_t scratch_port(void);

#endif
