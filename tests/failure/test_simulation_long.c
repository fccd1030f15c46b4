/*
 * 20,000 schedules of the simulation (tests/simulation), other seeds than those of the unit tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/simulation/sim_suite.h"

enum { FIRST = 1000, SCHEDULES = 20000 };

static void twenty_thousand_schedules_end_with_nothing_left_and_the_truth_told(void **unused)
{
	struct sim_totals totals;

	(void)unused;
	sim_suite_run(FIRST, SCHEDULES, 2, &totals);
	sim_suite_print(&totals);
	assert_int_equal(totals.failures, 0);
	assert_int_equal(totals.schedules, SCHEDULES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    twenty_thousand_schedules_end_with_nothing_left_and_the_truth_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
