#include "model/login_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND };

DEFINE_AUTO(struct login_limit *, login_limit_free)

/* Its own clock: starts somewhere, and moves when a test says so. */
static int64_t now = 1000000;

static int64_t fail_times(struct login_limit *limit, const char *address, int times)
{
	int64_t wait = 0;

	while (times--)
		wait = login_limit_fail(limit, address, now);
	return wait;
}

static void ten_failures_a_minute_are_answered_and_the_next_is_blocked(void **unused)
{
	AUTO(login_limit_free) struct login_limit *limit = login_limit_new();

	(void)unused;
	for (int i = 0; i < LOGIN_FAILURES_A_MINUTE; i++)
		assert_int_equal(login_limit_fail(limit, "192.0.2.1", now), 0);
	assert_int_equal(login_limit_fail(limit, "192.0.2.1", now), 10 * SECOND);
	now += 4 * SECOND;
	assert_int_equal(login_limit_fail(limit, "192.0.2.1", now), 6 * SECOND);
}

static void another_address_is_not_affected(void **unused)
{
	AUTO(login_limit_free) struct login_limit *limit = login_limit_new();

	(void)unused;
	assert_true(fail_times(limit, "192.0.2.1", 11) > 0);
	assert_int_equal(login_limit_fail(limit, "192.0.2.2", now), 0);
	assert_int_equal(login_limit_fail(limit, "unix", now), 0);
}

static void the_delay_doubles_up_to_fifteen_minutes(void **unused)
{
	AUTO(login_limit_free) struct login_limit *limit = login_limit_new();
	int64_t wanted = 10 * SECOND;

	(void)unused;
	fail_times(limit, "192.0.2.1", 10);
	for (int i = 0; i < 12; i++) {
		int64_t wait = login_limit_fail(limit, "192.0.2.1", now);

		/* A minute after the last window there are ten answers again. */
		if (!wait)
			wait = fail_times(limit, "192.0.2.1", 10);
		assert_int_equal(wait, wanted);
		now += wait;
		wanted = 2 * wanted < 15 * MINUTE ? 2 * wanted : 15 * MINUTE;
	}
}

static void slow_failures_are_never_blocked(void **unused)
{
	AUTO(login_limit_free) struct login_limit *limit = login_limit_new();

	(void)unused;
	for (int i = 0; i < 500; i++) {
		assert_int_equal(login_limit_fail(limit, "192.0.2.1", now), 0);
		now += 6001;
	}
}

static void after_quiet_minutes_the_delay_starts_again(void **unused)
{
	AUTO(login_limit_free) struct login_limit *limit = login_limit_new();

	(void)unused;
	assert_int_equal(fail_times(limit, "192.0.2.1", 11), 10 * SECOND);
	now += 10 * SECOND;
	assert_int_equal(login_limit_fail(limit, "192.0.2.1", now), 20 * SECOND);
	now += 16 * MINUTE;
	assert_int_equal(fail_times(limit, "192.0.2.1", 11), 10 * SECOND);
}

static void an_ipv6_network_counts_as_one(void **unused)
{
	AUTO(login_limit_free) struct login_limit *limit = login_limit_new();

	(void)unused;
	for (int i = 0; i < LOGIN_FAILURES_A_MINUTE; i++) {
		AUTO(free) char *address = xasprintf("2001:db8::%x", i + 1);

		assert_int_equal(login_limit_fail(limit, address, now), 0);
	}
	assert_true(login_limit_fail(limit, "2001:db8::ffff:1", now) > 0);
	assert_int_equal(login_limit_fail(limit, "2001:db8:0:1::1", now), 0);
}

static void the_quietest_address_makes_room(void **unused)
{
	AUTO(login_limit_free) struct login_limit *limit = login_limit_new();

	(void)unused;
	fail_times(limit, "192.0.2.1", 11);
	now += SECOND;
	for (int i = 0; i < 3 * LOGIN_ADDRESSES_MAX; i++) {
		AUTO(free) char *address = xasprintf("10.%d.%d.1", i / 256, i % 256);

		assert_int_equal(login_limit_fail(limit, address, now), 0);
		/* This one is not quiet. */
		assert_int_equal(login_limit_fail(limit, "198.51.100.1", now) > 0, i >= 10);
		now += 1;
	}
	/* Forgotten, so it begins anew. */
	assert_int_equal(login_limit_fail(limit, "192.0.2.1", now), 0);
}

static void every_failure_is_told_in_one_summary(void **unused)
{
	AUTO(login_limit_free) struct login_limit *limit = login_limit_new();
	struct login_failures failures;
	int64_t told = 0;

	(void)unused;
	assert_false(login_limit_take(limit, now, &failures));
	fail_times(limit, "192.0.2.1", 25);
	fail_times(limit, "192.0.2.2", 3);
	while (login_limit_take(limit, now, &failures)) {
		bool is_first = strcmp(failures.address, "192.0.2.1") == 0;

		assert_int_equal(failures.count, is_first ? 25 : 3);
		assert_int_equal(failures.is_blocked, is_first);
		told += failures.count;
	}
	assert_int_equal(told, 28);
	assert_false(login_limit_take(limit, now, &failures));
	fail_times(limit, "192.0.2.2", 1);
	assert_true(login_limit_take(limit, now, &failures));
	assert_int_equal(failures.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_failures_a_minute_are_answered_and_the_next_is_blocked),
		cmocka_unit_test(another_address_is_not_affected),
		cmocka_unit_test(the_delay_doubles_up_to_fifteen_minutes),
		cmocka_unit_test(slow_failures_are_never_blocked),
		cmocka_unit_test(after_quiet_minutes_the_delay_starts_again),
		cmocka_unit_test(an_ipv6_network_counts_as_one),
		cmocka_unit_test(the_quietest_address_makes_room),
		cmocka_unit_test(every_failure_is_told_in_one_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
