#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "loop/timer.h"

struct due {
	struct timer *timer;
	struct timer *other;
	int calls;
	int64_t at_mono_ms;
};

static int open_loop(void **state)
{
	*state = loop_new();
	return 0;
}

static int close_loop(void **state)
{
	loop_free(*state);
	return 0;
}

static void on_due(void *arg)
{
	struct due *due = arg;

	due->calls++;
	due->at_mono_ms = clock_mono_ms();
}

static void turn_until(struct loop *loop, const int *calls, int wanted)
{
	while (*calls < wanted)
		loop_turn(loop);
}

static void a_timer_is_never_early_and_hardly_late(void **state)
{
	struct due due = { 0 };
	int64_t from_mono_ms = clock_mono_ms();

	due.timer = timer_new(*state, on_due, &due);
	timer_set_ms(due.timer, 30);
	assert_true(timer_is_set(due.timer));
	turn_until(*state, &due.calls, 1);
	assert_true(due.at_mono_ms - from_mono_ms >= 29);
	/* Generous, because the machine may be busy; a coarse clock would show in the mean. */
	assert_true(due.at_mono_ms - from_mono_ms < 1000);
	assert_false(timer_is_set(due.timer));
	timer_free(due.timer);
}

static void setting_again_replaces_and_stopping_stops(void **state)
{
	struct due stopped = { 0 }, moved = { 0 }, last = { 0 };
	int64_t from_mono_ms = clock_mono_ms();

	stopped.timer = timer_new(*state, on_due, &stopped);
	moved.timer = timer_new(*state, on_due, &moved);
	last.timer = timer_new(*state, on_due, &last);
	timer_set_ms(stopped.timer, 1);
	timer_stop(stopped.timer);
	timer_set_ms(moved.timer, 60000);
	timer_set_ms(moved.timer, 5);
	timer_set_ms(last.timer, 20);
	turn_until(*state, &last.calls, 1);
	assert_int_equal(stopped.calls, 0);
	assert_int_equal(moved.calls, 1);
	assert_true(moved.at_mono_ms - from_mono_ms < 60000);
	timer_free(stopped.timer);
	timer_free(moved.timer);
	timer_free(last.timer);
}

static void free_both(void *arg)
{
	struct due *pair = arg;

	pair->calls++;
	timer_free(pair[0].timer);
	timer_free(pair[1].timer);
}

static void timers_may_be_freed_by_each_other_and_by_themselves(void **state)
{
	struct due pair[2] = { 0 }, last = { 0 };

	/* Both are due in the same turn; one of them takes both away. */
	pair[0].timer = timer_new(*state, free_both, pair);
	pair[1].timer = timer_new(*state, free_both, pair);
	last.timer = timer_new(*state, on_due, &last);
	timer_set_ms(pair[0].timer, 0);
	timer_set_ms(pair[1].timer, 0);
	timer_set_ms(last.timer, 10);
	turn_until(*state, &last.calls, 1);
	assert_int_equal(pair[0].calls, 1);
	timer_free(last.timer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_timer_is_never_early_and_hardly_late, open_loop,
						close_loop),
		cmocka_unit_test_setup_teardown(setting_again_replaces_and_stopping_stops,
						open_loop, close_loop),
		cmocka_unit_test_setup_teardown(timers_may_be_freed_by_each_other_and_by_themselves,
						open_loop, close_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
