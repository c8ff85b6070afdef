/* Pieces of every size, whole and apart, until all of it goes. */
#include "tests/lib/cm.h"

#include "common/arena.h"

enum { PIECES = 3000, LARGE = 200000 };

static void
texts_last(void **state)
{
	static const char *kept[PIECES];
	struct arena a = { NULL }, b = { NULL };
	char text[32];

	(void)state;
	for (unsigned i = 0; i < PIECES; i++) {
		snprintf(text, sizeof text, "text %u", i);
		kept[i] = arena_text(i % 3 == 0 ? &b : &a, span_of(text));
		assert_non_null(kept[i]);
		if (i == PIECES / 2) {
			arena_join(&a, &b);
			assert_null(b.last);
		}
	}
	arena_join(&a, &b);
	for (unsigned i = 0; i < PIECES; i++) {
		snprintf(text, sizeof text, "text %u", i);
		assert_string_equal(kept[i], text);
	}
	arena_free(&a);
	assert_null(a.last);
	arena_free(&a); /* nothing is left to free */
}

static void
pieces_are_aligned(void **state)
{
	struct arena a = { NULL }, none = { NULL };

	(void)state;
	arena_join(&a, &none);
	for (size_t n = 1; n <= LARGE; n = 2 * n + 1) {
		max_align_t *p;

		assert_non_null(arena_text(&a, SPAN("x")));
		assert_non_null(p = arena_take(&a, n));
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		memset(p, 1, n);
	}
	assert_null(arena_take(&a, SIZE_MAX));
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_last),
		cmocka_unit_test(pieces_are_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
