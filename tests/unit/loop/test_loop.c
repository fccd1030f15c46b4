#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "loop/loop.h"

struct seen {
	struct loop *loop;
	struct loop_watch *watch;
	int fd;
	int calls;
	char order[16];
	int64_t now_mono_ms;
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

static void on_byte(void *arg)
{
	struct seen *seen = arg;
	char byte;

	seen->calls++;
	assert_int_equal(read(seen->fd, &byte, 1), 1);
}

/* It never stops being readable. */
static void on_flood(void *arg)
{
	struct seen *seen = arg;
	char bytes[8];

	if (++seen->calls == 1000) /* or a loop that does not end would hang the test */
		assert_int_equal(read(seen->fd, bytes, sizeof(bytes)), 1);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void a_turn_ends_although_something_is_always_ready(void **state)
{
	struct seen seen = { .loop = *state };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	seen.fd = ends[0];
	seen.watch = loop_watch_fd(*state, ends[0], on_flood, &seen);
	assert_int_equal(write(ends[1], "a", 1), 1);
	loop_turn_more(*state);
	assert_int_equal(seen.calls, 1);
	loop_defer(*state, nothing, NULL); /* then a turn does not wait */
	loop_turn(*state);
	assert_int_equal(seen.calls, 2);
	loop_unwatch(seen.watch);
	close(ends[0]);
	close(ends[1]);
}

static void a_descriptor_is_seen_while_it_is_watched(void **state)
{
	struct seen seen = { .loop = *state };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	seen.fd = ends[0];
	seen.watch = loop_watch_fd(*state, ends[0], on_byte, &seen);
	assert_int_equal(write(ends[1], "ab", 2), 2);
	loop_turn(*state);
	loop_turn(*state);
	assert_int_equal(seen.calls, 2);
	loop_unwatch(seen.watch);
	assert_int_equal(write(ends[1], "c", 1), 1);
	loop_turn(*state);
	assert_int_equal(seen.calls, 2);
	close(ends[0]);
	close(ends[1]);
}

static void unwatch_both(void *arg)
{
	struct seen *pair = arg;

	for (int i = 0; i < 2; i++) {
		pair[i].calls++;
		loop_unwatch(pair[i].watch);
		pair[i].watch = NULL;
	}
}

static void what_is_unwatched_in_a_turn_is_not_called_in_it(void **state)
{
	struct seen pair[2] = { 0 };
	int ends[2][2];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe2(ends[i], O_CLOEXEC), 0);
		assert_int_equal(write(ends[i][1], "x", 1), 1);
		pair[i].watch = loop_watch_fd(*state, ends[i][0], unwatch_both, pair);
	}
	/* Both are readable: whichever comes first takes the other away, itself too. */
	loop_turn(*state);
	assert_int_equal(pair[0].calls, 1);
	assert_int_equal(pair[1].calls, 1);
	for (int i = 0; i < 2; i++) {
		close(ends[i][0]);
		close(ends[i][1]);
	}
}

static void note(struct seen *seen, char c)
{
	seen->order[strlen(seen->order)] = c;
}

static void third(void *arg)
{
	note(arg, '3');
}

static void first(void *arg)
{
	struct seen *seen = arg;

	note(seen, '1');
	loop_defer(seen->loop, third, seen);
}

static void second(void *arg)
{
	note(arg, '2');
}

static void deferred_calls_keep_their_order_and_theirs_wait_a_turn(void **state)
{
	struct seen seen = { .loop = *state };

	loop_defer(*state, first, &seen);
	loop_defer(*state, second, &seen);
	loop_turn(*state);
	assert_string_equal(seen.order, "12");
	loop_turn(*state);
	assert_string_equal(seen.order, "123");
}

static void see_clock(void *arg)
{
	struct seen *seen = arg;

	seen->now_mono_ms = loop_now_mono_ms(seen->loop);
	/* Time passes, but not within a turn. */
	poll(NULL, 0, 5);
	assert_true(loop_now_mono_ms(seen->loop) == seen->now_mono_ms);
}

static void the_clock_stands_still_within_a_turn(void **state)
{
	struct seen before = { .loop = *state }, after = { .loop = *state };

	loop_defer(*state, see_clock, &before);
	loop_turn(*state);
	loop_defer(*state, see_clock, &after);
	loop_turn(*state);
	assert_true(after.now_mono_ms > before.now_mono_ms);
}

static void on_user_signal(void *arg)
{
	++*(int *)arg;
}

static void a_signal_arrives_in_a_turn(void **state)
{
	int calls = 0;

	loop_on_signal(*state, SIGUSR1, on_user_signal, &calls);
	raise(SIGUSR1);
	loop_turn(*state);
	assert_int_equal(calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_descriptor_is_seen_while_it_is_watched, open_loop,
						close_loop),
		cmocka_unit_test_setup_teardown(a_turn_ends_although_something_is_always_ready,
						open_loop, close_loop),
		cmocka_unit_test_setup_teardown(what_is_unwatched_in_a_turn_is_not_called_in_it,
						open_loop, close_loop),
		cmocka_unit_test_setup_teardown(
		    deferred_calls_keep_their_order_and_theirs_wait_a_turn, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(the_clock_stands_still_within_a_turn, open_loop,
						close_loop),
		cmocka_unit_test_setup_teardown(a_signal_arrives_in_a_turn, open_loop, close_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
