#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model/lease.h"

enum { HOUR = 3600000 };

/* A lease of one hour that was set at wall 1,000,000 and boot 500,000. */
static const struct lease lease = { 1000000 + HOUR, 500000 + HOUR, HOUR, "boot-a" };

static bool ended(int64_t wall_ms, int64_t boot_ms, const char *boot)
{
	struct lease_now now = { wall_ms, boot_ms, boot };

	return lease_has_ended(&lease, &now);
}

static void a_lease_ends_on_time_with_a_healthy_clock(void **unused)
{
	(void)unused;
	assert_false(ended(1000000 + HOUR - 1, 500000 + HOUR - 1, "boot-a"));
	assert_true(ended(1000000 + HOUR, 500000 + HOUR, "boot-a"));
}

static void a_clock_that_jumps_ahead_ends_nothing_in_use(void **unused)
{
	(void)unused;
	assert_false(ended(1000000 + 10 * HOUR, 500000 + 60000, "boot-a"));
}

static void a_clock_that_is_set_back_keeps_nothing_for_ever(void **unused)
{
	(void)unused;
	assert_false(ended(1000000 - HOUR, 500000 + HOUR, "boot-a"));
	assert_true(ended(1000000 - HOUR, 500000 + HOUR + 60000, "boot-a"));
}

static void the_next_look_comes_when_it_can_have_ended(void **unused)
{
	struct lease_now healthy = { 1000000, 500000, "boot-a" };
	struct lease_now ahead = { 1000000 + 10 * HOUR, 500000, "boot-a" };
	struct lease_now back = { 1000000 - HOUR, 500000, "boot-a" };
	struct lease_now rebooted = { 1000000, 0, "boot-b" };

	(void)unused;
	assert_int_equal(lease_look_again_ms(&lease, &healthy), HOUR);
	assert_int_equal(lease_look_again_ms(&lease, &ahead), HOUR - 60000);
	assert_int_equal(lease_look_again_ms(&lease, &back), HOUR + 60000);
	assert_int_equal(lease_look_again_ms(&lease, &rebooted), HOUR);
}

static void a_clock_that_jumped_lends_nothing_more(void **unused)
{
	struct lease_now healthy = { 1000000 + 60000, 500000 + 59000, "boot-a" };
	struct lease_now back = { 1000000 - HOUR, 500000, "boot-a" };
	struct lease_now rebooted = { 1000000 - HOUR, 0, "boot-b" };

	(void)unused;
	assert_int_equal(lease_end_now_ms(&lease, &healthy), 1000000 + HOUR);
	assert_int_equal(lease_end_now_ms(&lease, &back), 1000000);
	assert_int_equal(lease_end_now_ms(&lease, &rebooted), 1000000 + HOUR);
}

static void after_a_reboot_the_wall_clock_decides(void **unused)
{
	(void)unused;
	assert_false(ended(1000000 + HOUR - 1, 0, "boot-b"));
	assert_true(ended(1000000 + HOUR, 0, "boot-b"));
}

static void a_lease_out_of_range_is_refused_with_both_bounds(void **unused)
{
	struct lease_limits limits = { 2 * HOUR, 60000, 24 * HOUR };
	static const int64_t wrong[] = { 0, 9999, 59999, 24 * HOUR + 1 };
	struct error err;
	int64_t chosen = 7;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_false(lease_choose(&limits, wrong[i], &chosen, &err));
		assert_string_equal(err.slug, wrong[i] > 24 * (int64_t)HOUR ? "lease_too_long"
									    : "lease_out_of_range");
		assert_non_null(strstr(err.message, "expected 1m to 1d"));
		assert_int_equal(chosen, 7);
	}
	assert_true(lease_choose(&limits, -1, &chosen, &err));
	assert_int_equal(chosen, 2 * HOUR);
	assert_true(lease_choose(&limits, 24 * HOUR, &chosen, &err));
}

static void no_lease_is_shorter_than_ten_seconds_whatever_a_template_says(void **unused)
{
	struct lease_limits limits = { HOUR, 1, HOUR };
	struct error err;
	int64_t chosen;

	(void)unused;
	assert_false(lease_choose(&limits, 9000, &chosen, &err));
	assert_true(lease_choose(&limits, 10000, &chosen, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_ends_on_time_with_a_healthy_clock),
		cmocka_unit_test(a_clock_that_jumps_ahead_ends_nothing_in_use),
		cmocka_unit_test(a_clock_that_is_set_back_keeps_nothing_for_ever),
		cmocka_unit_test(the_next_look_comes_when_it_can_have_ended),
		cmocka_unit_test(a_clock_that_jumped_lends_nothing_more),
		cmocka_unit_test(after_a_reboot_the_wall_clock_decides),
		cmocka_unit_test(a_lease_out_of_range_is_refused_with_both_bounds),
		cmocka_unit_test(no_lease_is_shorter_than_ten_seconds_whatever_a_template_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
