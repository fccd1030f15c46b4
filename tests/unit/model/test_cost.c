#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/cost.h"

enum { HOUR = 3600000 };
static const int64_t dollar = MICROCENTS_PER_UNIT;

static void an_hour_costs_the_price_of_an_hour(void **unused)
{
	(void)unused;
	assert_int_equal(cost_for(12345, HOUR), 12345);
	assert_int_equal(cost_for(3600000, 1), 1);
	assert_int_equal(cost_for(dollar, HOUR / 2), dollar / 2);
	assert_int_equal(cost_for(INT64_MAX, 10 * HOUR), INT64_MAX);
}

static void queueing_costs_nothing_and_building_does(void **unused)
{
	AUTO(environment_free) struct environment *env = environment_new();

	(void)unused;
	env->price_microcents_per_hour = dollar;
	env->created_at_ms = 1000;
	env->lease_ms = HOUR;
	assert_int_equal(cost_of(env, 1000 + HOUR).so_far_microcents, 0);
	assert_int_equal(cost_of(env, 1000 + HOUR).at_expiry_microcents, dollar);
	env->provisioning_at_ms = 1000 + HOUR;
	assert_int_equal(cost_of(env, 1000 + 2 * HOUR).so_far_microcents, dollar);
}

static void the_bill_stops_when_it_is_proved_gone(void **unused)
{
	AUTO(environment_free) struct environment *env = environment_new();

	(void)unused;
	env->price_microcents_per_hour = dollar;
	env->provisioning_at_ms = HOUR;
	env->expires_at_ms = 2 * HOUR;
	assert_int_equal(cost_of(env, HOUR + HOUR / 2).at_expiry_microcents, dollar);
	env->desired = DESIRED_ABSENT;
	assert_int_equal(cost_of(env, 5 * HOUR).so_far_microcents, 4 * dollar);
	env->ended_at_ms = 3 * HOUR;
	assert_int_equal(cost_of(env, 50 * HOUR).so_far_microcents, 2 * dollar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour_costs_the_price_of_an_hour),
		cmocka_unit_test(queueing_costs_nothing_and_building_does),
		cmocka_unit_test(the_bill_stops_when_it_is_proved_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
