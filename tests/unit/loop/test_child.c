/* Real processes under a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/spawn.h"
#include "base/text.h"
#include "loop/child.h"
#include "loop/timer.h"
#include "tests/support/eventually.h"

#define LIMIT_MS 10000

struct heard {
	struct loop *loop;
	struct child *child;
	struct text lines; /* "1:line|" */
	int line_count;
	int ends;
	struct child_end end;
	bool pauses;
};

static void on_line(void *arg, int stream, const char *line, size_t length)
{
	struct heard *heard = arg;

	assert_int_equal(heard->ends, 0);
	assert_int_equal(strlen(line), length);
	heard->line_count++;
	if (heard->lines.length < 4096)
		text_format(&heard->lines, "%d:%s|", stream, line);
	if (heard->pauses)
		child_pause(heard->child);
}

static void on_end(void *arg, const struct child_end *end)
{
	struct heard *heard = arg;

	heard->ends++;
	heard->end = *end;
}

static int open_loop(void **state)
{
	struct heard *heard = xcalloc(1, sizeof(*heard));

	heard->loop = loop_new();
	*state = heard;
	return 0;
}

static int close_loop(void **state)
{
	struct heard *heard = *state;

	loop_free(heard->loop);
	text_release(&heard->lines);
	free(heard);
	return 0;
}

static void start(struct heard *heard, const char *command, struct child_spec spec)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	const char *const variables[] = { "PATH=/usr/bin:/bin", NULL };
	struct error err;

	spec.argv = argv;
	spec.variables = variables;
	spec.on_line = on_line;
	spec.on_end = on_end;
	spec.arg = heard;
	if (!child_start(heard->loop, &spec, &heard->child, &err))
		fail_msg("%s", err.message);
	assert_int_equal(heard->ends, 0);
}

static void on_limit(void *arg)
{
	(void)arg;
	fail_msg("what was waited for did not happen");
}

static void turn_until(struct heard *heard, const int *count, int wanted)
{
	struct timer *limit = timer_new(heard->loop, on_limit, NULL);

	timer_set_ms(limit, LIMIT_MS);
	while (*count < wanted)
		loop_turn(heard->loop);
	timer_free(limit);
}

static void every_line_of_both_streams_is_heard_before_the_end(void **state)
{
	struct heard *heard = *state;

	start(heard, "read word; echo \"$word\"; echo oops >&2; printf unfinished; exit 3",
	      (struct child_spec){ .input = "hello\n" });
	turn_until(heard, &heard->ends, 1);
	assert_non_null(strstr(text_get(&heard->lines), "1:hello|"));
	assert_non_null(strstr(text_get(&heard->lines), "1:unfinished|"));
	assert_non_null(strstr(text_get(&heard->lines), "2:oops|"));
	assert_int_equal(heard->end.ending, CHILD_EXITED);
	assert_int_equal(heard->end.status, 3);
}

static void a_signal_that_we_did_not_send_is_told(void **state)
{
	struct heard *heard = *state;

	start(heard, "kill -SEGV $$", (struct child_spec){ 0 });
	turn_until(heard, &heard->ends, 1);
	assert_int_equal(heard->end.ending, CHILD_SIGNALLED);
	assert_int_equal(heard->end.status, SIGSEGV);
}

static bool is_gone(void *arg)
{
	return !process_is_alive(arg);
}

static void a_child_is_stopped_with_what_it_started(void **state)
{
	struct heard *heard = *state;
	struct process_identity identity;
	pid_t grandchild;

	start(heard, "sleep 1000 & echo $!; wait", (struct child_spec){ .grace_ms = 5000 });
	turn_until(heard, &heard->line_count, 1);
	grandchild = atoi(text_get(&heard->lines) + 2);
	assert_true(process_identity_of(grandchild, &identity));
	child_stop(heard->child);
	child_stop(heard->child);
	assert_int_equal(heard->ends, 0);
	turn_until(heard, &heard->ends, 1);
	assert_int_equal(heard->end.ending, CHILD_STOPPED);
	/* It was told, and is on its way. */
	assert_true(eventually(is_gone, &identity, 5000));
}

static void a_child_that_ignores_sigterm_is_killed_after_its_grace(void **state)
{
	struct heard *heard = *state;

	start(heard, "trap '' TERM; echo deaf; while :; do sleep 1000; done",
	      (struct child_spec){ .grace_ms = 100 });
	turn_until(heard, &heard->line_count, 1);
	child_stop(heard->child);
	turn_until(heard, &heard->ends, 1);
	assert_int_equal(heard->end.ending, CHILD_STOPPED);
	assert_int_equal(heard->end.status, SIGKILL);
}

static void the_time_limit_stops_it(void **state)
{
	struct heard *heard = *state;

	start(heard, "exec sleep 1000",
	      (struct child_spec){ .time_limit_ms = 50, .grace_ms = 5000 });
	turn_until(heard, &heard->ends, 1);
	assert_int_equal(heard->end.ending, CHILD_STOPPED);
	assert_true(heard->end.ran_ms >= 49);
}

static void a_long_line_is_cut(void **state)
{
	struct heard *heard = *state;

	start(heard, "echo 12345678; echo ok", (struct child_spec){ .line_bytes_max = 4 });
	turn_until(heard, &heard->ends, 1);
	assert_string_equal(text_get(&heard->lines), "1:1234|1:ok|");
}

static void pause_again(void *arg)
{
	child_pause(arg);
}

static void a_paused_child_waits_and_loses_nothing(void **state)
{
	struct heard *heard = *state;

	heard->pauses = true;
	start(heard, "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done",
	      (struct child_spec){ 0 });
	turn_until(heard, &heard->line_count, 1);
	/* It fills the pipe and blocks: it can neither end nor be heard. */
	for (int i = 0; i < 3; i++) {
		loop_defer(heard->loop, pause_again, heard->child);
		loop_turn(heard->loop);
	}
	assert_int_equal(heard->ends, 0);
	heard->pauses = false;
	child_resume(heard->child);
	turn_until(heard, &heard->ends, 1);
	assert_int_equal(heard->line_count, 20000);
}

static void a_dropped_child_is_killed_and_calls_back_no_more(void **state)
{
	struct heard *heard = *state;
	struct process_identity identity;

	start(heard, "echo $$; exec sleep 1000", (struct child_spec){ .grace_ms = 5000 });
	turn_until(heard, &heard->line_count, 1);
	assert_true(process_identity_of(atoi(text_get(&heard->lines) + 2), &identity));
	child_drop(heard->child);
	assert_true(eventually(is_gone, &identity, LIMIT_MS));
	loop_turn(heard->loop);
	loop_turn(heard->loop);
	assert_int_equal(heard->ends, 0);
}

static void a_loop_that_is_freed_takes_its_children_along(void **state)
{
	struct heard *heard = *state;
	struct process_identity identity;

	start(heard, "echo $$; exec sleep 1000", (struct child_spec){ .grace_ms = 5000 });
	turn_until(heard, &heard->line_count, 1);
	assert_true(process_identity_of(atoi(text_get(&heard->lines) + 2), &identity));
	loop_free(heard->loop);
	heard->loop = NULL;
	assert_true(eventually(is_gone, &identity, LIMIT_MS));
	assert_int_equal(heard->ends, 0);
}

static void a_program_that_is_not_there_starts_nothing(void **state)
{
	struct heard *heard = *state;
	const char *const argv[] = { "/nowhere/program", NULL };
	struct error err;

	assert_false(child_start(heard->loop,
				 &(struct child_spec){ .argv = argv,
						       .variables = argv + 1,
						       .on_line = on_line,
						       .on_end = on_end,
						       .arg = heard },
				 &heard->child, &err));
	assert_string_equal(err.slug, "program_not_found");
}

#define LOOPED(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOPED(every_line_of_both_streams_is_heard_before_the_end),
		LOOPED(a_signal_that_we_did_not_send_is_told),
		LOOPED(a_child_is_stopped_with_what_it_started),
		LOOPED(a_child_that_ignores_sigterm_is_killed_after_its_grace),
		LOOPED(the_time_limit_stops_it),
		LOOPED(a_long_line_is_cut),
		LOOPED(a_paused_child_waits_and_loses_nothing),
		LOOPED(a_dropped_child_is_killed_and_calls_back_no_more),
		LOOPED(a_loop_that_is_freed_takes_its_children_along),
		LOOPED(a_program_that_is_not_there_starts_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
