/*
 * filter.c - ENVD_TEST_FILTER=NAME runs one test of any test program: what the planted bugs need.
 * Linked into every one of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static void __attribute__((constructor)) choose_tests(void)
{
	const char *filter = getenv("ENVD_TEST_FILTER");

	if (filter && *filter)
		cmocka_set_test_filter(filter);
}
