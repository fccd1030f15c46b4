#include "model/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SECOND = 1000, HOUR = 3600000 };
static const int64_t dollar = MICROCENTS_PER_UNIT;
static const struct month november = { 2026, 11 }, december = { 2026, 12 }, january = { 2027, 1 };

/* A dollar an hour. */
static struct charge hours(int64_t from_ms, int64_t count)
{
	return (struct charge){ dollar, from_ms, from_ms + count * HOUR };
}

static struct budget_room room_of(int64_t this_month, int64_t next_month)
{
	struct budget_room room = { november, { this_month * dollar, next_month * dollar } };

	for (size_t i = 2; i < BUDGET_MONTHS_MAX; i++)
		room.left_microcents[i] = 1000000 * dollar;
	return room;
}

static void time_counts_in_the_month_in_which_it_passes(void **unused)
{
	struct charge charge = hours(month_begin_ms(december) - 3 * HOUR, 10);

	(void)unused;
	assert_int_equal(charge_in(&charge, november), 3 * dollar);
	assert_int_equal(charge_in(&charge, december), 7 * dollar);
	assert_int_equal(charge_in(&charge, january), 0);
}

static void a_month_begins_with_its_first_millisecond(void **unused)
{
	int64_t border = month_begin_ms(december);
	struct charge before = { 3600000, border - 1, border };
	struct charge after = { 3600000, border, border + 1 };
	struct charge none = { dollar, border + HOUR, border };

	(void)unused;
	assert_int_equal(charge_in(&before, november), 1);
	assert_int_equal(charge_in(&before, december), 0);
	assert_int_equal(charge_in(&after, november), 0);
	assert_int_equal(charge_in(&after, december), 1);
	assert_int_equal(charge_in(&none, november) + charge_in(&none, december), 0);
}

static void what_crosses_the_end_of_a_month_needs_room_in_both(void **unused)
{
	struct charge charge = hours(month_begin_ms(december) - 3 * HOUR, 10);
	struct budget_room both = room_of(3, 7), this_full = room_of(2, 100),
			   next_full = room_of(100, 6);
	struct month month;

	(void)unused;
	assert_true(budget_fits(&both, NULL, &charge, &month));
	assert_false(budget_fits(&this_full, NULL, &charge, &month));
	assert_int_equal(month.number, 11);
	assert_false(budget_fits(&next_full, NULL, &charge, &month));
	assert_int_equal(month.number, 12);
}

static void the_last_microcent_fits_and_one_more_does_not(void **unused)
{
	struct budget_room room = room_of(5, 0);
	struct charge charge = hours(month_begin_ms(november), 5);
	struct month month;

	(void)unused;
	assert_true(budget_fits(&room, NULL, &charge, &month));
	room.left_microcents[0]--;
	assert_false(budget_fits(&room, NULL, &charge, &month));
}

/* A month that debts have overdrawn refuses what would add to it, and nothing else. */
static void a_month_that_is_overdrawn_refuses_only_what_adds_to_it(void **unused)
{
	struct budget_room room = room_of(-4, 100);
	struct charge next = hours(month_begin_ms(december) + HOUR, 5);
	struct charge now = hours(month_begin_ms(november), 5), longer = now;
	struct month month;

	(void)unused;
	assert_true(budget_fits(&room, NULL, &next, &month));
	assert_true(budget_fits(&room, &now, &longer, &month));
	longer.until_ms += SECOND;
	assert_false(budget_fits(&room, &now, &longer, &month));
}

static void an_extension_needs_room_for_what_is_added(void **unused)
{
	struct budget_room room = room_of(2, 0);
	struct charge now = hours(month_begin_ms(november), 5);
	struct charge two_more = hours(month_begin_ms(november), 7);
	struct charge three_more = hours(month_begin_ms(november), 8);
	struct month month;

	(void)unused;
	assert_true(budget_fits(&room, &now, &two_more, &month));
	assert_false(budget_fits(&room, &now, &three_more, &month));
}

/* The promise of a hint: what it names is accepted, and a second more is not. */
static void the_longest_that_fits_is_found_to_the_second(void **unused)
{
	(void)unused;
	for (int64_t left = 0; left <= 30; left++) {
		struct budget_room room = room_of(left, 4);
		int64_t from = month_begin_ms(december) - 10 * HOUR;
		struct charge asked = hours(from, 100), found = asked;
		int64_t end = budget_latest_end_ms(&room, NULL, &asked, from + HOUR);
		struct month month;

		if (left < 1) {
			assert_int_equal(end, -1);
			continue;
		}
		found.until_ms = end;
		assert_true(budget_fits(&room, NULL, &found, &month));
		found.until_ms += SECOND;
		assert_false(budget_fits(&room, NULL, &found, &month));
		assert_int_equal(end - from, (left < 10 ? left : 14) * HOUR);
	}
}

static void huge_prices_and_long_times_do_not_wrap_around(void **unused)
{
	struct budget_room room = room_of(1000000000, 0);
	struct charge huge = { INT64_MAX, month_begin_ms(november), month_begin_ms(january) };
	struct month month;

	(void)unused;
	assert_int_equal(charge_in(&huge, november), INT64_MAX);
	assert_false(budget_fits(&room, NULL, &huge, &month));
	assert_int_equal(budget_latest_end_ms(&room, NULL, &huge, huge.from_ms + HOUR), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_counts_in_the_month_in_which_it_passes),
		cmocka_unit_test(a_month_begins_with_its_first_millisecond),
		cmocka_unit_test(what_crosses_the_end_of_a_month_needs_room_in_both),
		cmocka_unit_test(the_last_microcent_fits_and_one_more_does_not),
		cmocka_unit_test(a_month_that_is_overdrawn_refuses_only_what_adds_to_it),
		cmocka_unit_test(an_extension_needs_room_for_what_is_added),
		cmocka_unit_test(the_longest_that_fits_is_found_to_the_second),
		cmocka_unit_test(huge_prices_and_long_times_do_not_wrap_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
