/*
 * The decision core on virtual time (tests/simulation): some schedules from seeds, and those that
 * once failed, shrunk and written down. `make simulate SEED=n` replays a seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/simulation/sim.h"
#include "tests/simulation/sim_suite.h"

enum { SCHEDULES = 300, CREATE_PLAIN = 0, CREATE_CHECKED = 1, EXTEND_BY_IT = 0 };

static void every_schedule_ends_with_nothing_left_and_the_truth_told(void **unused)
{
	struct sim_totals totals;

	(void)unused;
	sim_suite_run(1, SCHEDULES, 2, &totals);
	sim_suite_print(&totals);
	assert_int_equal(totals.failures, 0);
	/* And something has happened. */
	assert_int_equal(totals.schedules, SCHEDULES);
	assert_true(totals.ready > SCHEDULES && totals.destroyed > SCHEDULES);
	assert_true(totals.crashes > 0 && totals.adopted > 0 && totals.recovered > 0);
}

static void a_clock_that_jumps_ahead_makes_nobody_spin(void **unused)
{
	static const struct sim_op ops[] = {
		{ .at_ms = 2700, .kind = OP_CREATE, .how = CREATE_CHECKED, .ms = 40000 },
		{ .at_ms = 22400, .kind = OP_JUMP, .ms = 90000 },
	};

	(void)unused;
	assert_true(sim_suite_story(ops, ARRAY_SIZE(ops)));
}

static void a_lease_ends_also_when_the_clock_was_set_back(void **unused)
{
	static const struct sim_op ops[] = {
		{ .at_ms = 2700, .kind = OP_CREATE, .how = CREATE_PLAIN, .ms = 20000 },
		{ .at_ms = 12000, .kind = OP_JUMP, .ms = -3600000 },
	};

	(void)unused;
	assert_true(sim_suite_story(ops, ARRAY_SIZE(ops)));
}

static void an_extension_lends_no_hour_that_was_set_back(void **unused)
{
	static const struct sim_op ops[] = {
		{ .at_ms = 2700, .kind = OP_CREATE, .how = CREATE_PLAIN, .ms = 40000 },
		{ .at_ms = 12000, .kind = OP_JUMP, .ms = -3600000 },
		{ .at_ms = 20000, .kind = OP_EXTEND, .how = EXTEND_BY_IT, .ms = 10000 },
	};

	(void)unused;
	assert_true(sim_suite_story(ops, ARRAY_SIZE(ops)));
}

static void a_grace_is_not_stretched_by_a_clock_that_was_set_back(void **unused)
{
	static const struct sim_op ops[] = {
		{ .at_ms = 2700, .kind = OP_CREATE, .how = CREATE_PLAIN, .ms = 20000 },
		{ .at_ms = 12000, .kind = OP_JUMP, .ms = -90000 },
		{ .at_ms = 20000, .kind = OP_CRASH, .which = SIM_BUILDER, .ms = 60000 },
	};

	(void)unused;
	assert_true(sim_suite_story(ops, ARRAY_SIZE(ops)));
}

static void a_clock_that_is_set_back_during_the_grace_lends_no_hour(void **unused)
{
	static const struct sim_op ops[] = {
		{ .at_ms = 2700, .kind = OP_CREATE, .how = CREATE_PLAIN, .ms = 20000 },
		{ .at_ms = 20000, .kind = OP_CRASH, .which = SIM_BUILDER, .ms = 10000 },
		{ .at_ms = 33000, .kind = OP_JUMP, .ms = -3600000 },
	};

	(void)unused;
	assert_true(sim_suite_story(ops, ARRAY_SIZE(ops)));
}

static void extending_within_the_grace_never_shortens(void **unused)
{
	static const struct sim_op ops[] = {
		{ .at_ms = 2700, .kind = OP_CREATE, .how = CREATE_PLAIN, .ms = 20000 },
		{ .at_ms = 15000, .kind = OP_CRASH, .which = SIM_BUILDER, .ms = 20000 },
		{ .at_ms = 38000, .kind = OP_EXTEND, .how = EXTEND_BY_IT, .ms = 10000 },
	};

	(void)unused;
	assert_true(sim_suite_story(ops, ARRAY_SIZE(ops)));
}

/* With two slots, two of them were enough to destroy nothing ever again. */
static void a_job_whose_commit_failed_takes_up_no_slot(void **unused)
{
	static const struct sim_op ops[] = {
		{ .at_ms = 16000, .kind = OP_CREATE, .how = CREATE_PLAIN, .ms = 15000 },
		{ .at_ms = 31500, .kind = OP_COMMIT_FAILS, .which = SIM_DESTROYER },
		{ .at_ms = 32500, .kind = OP_COMMIT_FAILS, .which = SIM_DESTROYER },
		{ .at_ms = 33500, .kind = OP_COMMIT_FAILS, .which = SIM_DESTROYER },
	};

	(void)unused;
	assert_true(sim_suite_story(ops, ARRAY_SIZE(ops)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_schedule_ends_with_nothing_left_and_the_truth_told),
		cmocka_unit_test(a_clock_that_jumps_ahead_makes_nobody_spin),
		cmocka_unit_test(a_lease_ends_also_when_the_clock_was_set_back),
		cmocka_unit_test(an_extension_lends_no_hour_that_was_set_back),
		cmocka_unit_test(a_grace_is_not_stretched_by_a_clock_that_was_set_back),
		cmocka_unit_test(a_clock_that_is_set_back_during_the_grace_lends_no_hour),
		cmocka_unit_test(extending_within_the_grace_never_shortens),
		cmocka_unit_test(a_job_whose_commit_failed_takes_up_no_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
