/*
 * Workers with everything going wrong: engines that hang, lie, flood, ignore SIGTERM, leave
 * children behind; supervisors, guards and daemons that are killed. The claim is always the same:
 * what is reported is true, and in the end no process is left. Everything runs twice as root: with
 * a pid namespace, and as nobody without one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "loop/child.h"
#include "tests/support/eventually.h"
#include "tests/support/job_stage.h"

static int open_stage(void **state)
{
	*state = job_stage_new();
	return 0;
}

/* Whatever the test was about: nothing of it lives. */
static int close_stage(void **state)
{
	struct job_stage *stage = *state;
	int left = stage_count_commands(stage->folder) + stage_count_processes(stage);

	job_stage_free(stage);
	if (left)
		print_message("%d processes are left\n", left);
	return left != 0;
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

static void assert_outcome(const struct stage_run *run, enum job_outcome outcome,
			   const char *message)
{
	if (!run->has_ended)
		fail_msg("it did not end, but: %s", run->failure.message);
	if (run->end.outcome != outcome)
		fail_msg("outcome is %s (%s), expected %s", job_outcome_name(run->end.outcome),
			 run->end.outcome == JOB_COMPLETED ? "" : run->failure.message,
			 job_outcome_name(outcome));
	assert_int_equal(run->ends, 1);
	if (message)
		assert_contains(run->failure.message, message);
}

static const char *first_type(const struct stage_run *run)
{
	return json_get_string(json_array_get(run->lines, 0), "type", "");
}

static const char *last_type(const struct stage_run *run)
{
	return json_get_string(json_array_get(run->lines, json_array_size(run->lines) - 1), "type",
			       "");
}

static char *job_file(const struct stage_run *run, const char *name)
{
	return xasprintf("%s/%s/%s", run->stage->jobs_folder, run->id.text, name);
}

static enum job_lock lock_of(const struct stage_run *run)
{
	struct job_sight sight;

	job_look(run->stage->jobs_folder, run->id, &sight);
	job_sight_release(&sight);
	return sight.lock;
}

/* ---- all is well ---- */

static void a_create_runs_from_request_to_result(void **state)
{
	struct stage_run run = { 0 };

	stage_run_whole(&run, *state, job_stage_request(*state, "create", NULL));
	assert_outcome(&run, JOB_COMPLETED, NULL);
	assert_string_equal(first_type(&run), "hello");
	assert_string_equal(last_type(&run), "result");
	assert_int_equal(stage_count_items(*state), 2);
	assert_non_null(json_object_get(run.data, "outputs"));
	assert_true(run.end.ended_at_ms >= run.end.started_at_ms && run.end.started_at_ms > 0);
	assert_int_equal(run.end.leftover_processes, 0);
	assert_int_equal(lock_of(&run), JOB_LOCK_FREE);
	stage_run_release(&run);
}

static void a_second_attempt_builds_with_the_lock_of_the_first(void **state)
{
	struct job_stage *stage = *state;
	struct stage_run run = { 0 };
	json_t *request = job_stage_request(stage, "create", "create=half");

	json_object_set_new(request, "pins", json_pack("{s:s}", "web", "7.7"));
	stage_run_whole(&run, stage, request);
	assert_outcome(&run, JOB_FAILED, "only half");
	stage_run_release(&run);
	/* Were it resolved again, this would be what is built. */
	request = job_stage_request(stage, "create", NULL);
	json_object_set_new(request, "pins", json_pack("{s:s}", "web", "8.8"));
	stage_run_whole(&run, stage, request);
	assert_outcome(&run, JOB_COMPLETED, NULL);
	assert_string_equal(
	    json_get_string(json_object_get(json_object_get(run.data, "lock"), "services"), "web",
			    ""),
	    "7.7");
	assert_int_equal(stage_count_items(stage), 2);
	stage_run_release(&run);
}

static void a_template_that_was_changed_is_refused(void **state)
{
	struct job_stage *stage = *state;
	AUTO(free) char *path = path_join(stage->template_folder, "new-file");
	json_t *request = job_stage_request(stage, "create", NULL);
	struct stage_run run = { 0 };
	struct error err;

	assert_true(file_write_atomically(path, "x", 1, 0600, &err));
	stage_run_whole(&run, stage, request);
	assert_outcome(&run, JOB_FAILED, "template was changed");
	assert_string_equal(run.failure.slug, "template_changed");
	assert_int_equal(stage_count_items(stage), 0);
	stage_run_release(&run);
}

static void a_destroy_lists_twice_with_time_between(void **state)
{
	struct stage_run run = { 0 };
	const json_t *inventories;
	int64_t first, second;

	stage_run_whole(&run, *state, job_stage_request(*state, "create", NULL));
	stage_run_release(&run);
	stage_run_whole(&run, *state, job_stage_request(*state, "destroy", NULL));
	assert_outcome(&run, JOB_COMPLETED, NULL);
	assert_int_equal(stage_count_items(*state), 0);
	inventories = json_object_get(run.data, "inventories");
	assert_int_equal(json_array_size(inventories), 2);
	first = json_get_int64(json_array_get(inventories, 0), "at_ms", 0);
	second = json_get_int64(json_array_get(inventories, 1), "at_ms", 0);
	assert_true(second - first >= 500);
	stage_run_release(&run);
}

static void an_inventory_that_fails_is_not_complete(void **state)
{
	struct stage_run run = { 0 };
	const json_t *inventory;

	stage_run_whole(&run, *state, job_stage_request(*state, "create", NULL));
	stage_run_release(&run);
	stage_run_whole(&run, *state, job_stage_request(*state, "destroy", "inventory=fail"));
	assert_outcome(&run, JOB_COMPLETED, NULL);
	inventory = json_array_get(json_object_get(run.data, "inventories"), 0);
	assert_false(json_get_bool(inventory, "complete", true));
	stage_run_release(&run);
}

/* ---- two-phase start ---- */

static void nothing_runs_before_go(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", NULL);
	struct stage_run run = { 0 };

	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, stage_run_is_ready);
	assert_int_equal(lock_of(&run), JOB_LOCK_HELD);
	assert_false(stage_world_has(stage, "calls"));
	job_cancel(run.job);
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_NEVER_STARTED, "not told to go");
	assert_false(stage_world_has(stage, "calls"));
	stage_run_release(&run);
}

static void a_stop_before_go_means_never_started(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", NULL);
	struct stage_run run = { 0 };
	struct error err;

	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, stage_run_is_ready);
	assert_true(job_ask_stop(stage->jobs_folder, run.id, "not wanted any more", &err));
	job_go(run.job);
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_NEVER_STARTED, "not wanted any more");
	assert_false(stage_world_has(stage, "calls"));
	stage_run_release(&run);
}

static void a_job_has_one_life(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", "create=wait:free");
	struct stage_run first = { .goes_at_once = true }, second = { 0 };
	struct job_id id = job_stage_make(stage, request);

	stage_run_launch(&first, stage, id);
	stage_run_until(&first, stage_run_is_ready);
	stage_run_launch(&second, stage, id);
	stage_run_until(&second, stage_run_is_over);
	assert_true(second.has_start_failed);
	assert_contains(second.failure.message, "another worker has the lock");
	stage_run_release(&second);
	stage_world_touch(stage, "free");
	stage_run_until(&first, stage_run_is_over);
	assert_outcome(&first, JOB_COMPLETED, NULL);
	stage_run_launch(&second, stage, id);
	stage_run_until(&second, stage_run_is_over);
	assert_true(second.has_start_failed);
	assert_contains(second.failure.message, "has ended already");
	stage_run_release(&first);
	stage_run_release(&second);
}

static void a_worker_that_cannot_be_run_is_told(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", NULL);
	AUTO(jobs_free)
	struct jobs *jobs = jobs_new(stage->loop, stage->jobs_folder, "/nowhere/envd");
	struct jobs *good = stage->jobs;
	struct stage_run run = { 0 };

	stage->jobs = jobs;
	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, stage_run_is_over);
	stage->jobs = good;
	assert_true(run.has_start_failed);
	assert_contains(run.failure.message, "/nowhere/envd");
	stage_run_release(&run);
}

/* ---- the daemon dies ---- */

static bool is_waiting(struct stage_run *run)
{
	return stage_world_has(run->stage, "calls") && run->offset > 0;
}

/* What a daemon would have done, in a process that can be killed. Tells the job's id when ready. */
static pid_t start_daemon(struct job_stage *stage, const char *fake, bool goes, struct job_id *id)
{
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", fake);
	struct stage_run run = { .goes_at_once = goes };
	int ready[2];
	char byte;
	pid_t pid;

	*id = job_stage_make(stage, request);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* Its own loop: one that was made before a fork belongs to the other process. */
		struct job_stage own = *stage;
		AUTO(free) char *program = NULL;
		const char *programs = getenv("ENVD_BIN");

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		program = xasprintf("%s/envd-worker", programs ? programs : "build/bin");
		program = realpath(program, NULL);
		own.loop = loop_new();
		own.jobs = jobs_new(own.loop, own.jobs_folder, program);
		stage_run_launch(&run, &own, *id);
		while (!run.is_ready || (goes && run.offset == 0))
			loop_turn(own.loop);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void kill_daemon(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_daemon_that_dies_before_go_has_started_nothing(void **state)
{
	struct job_stage *stage = *state;
	struct stage_run run = { 0 };
	struct job_sight sight;
	struct job_id id;
	pid_t daemon = start_daemon(stage, NULL, false, &id);

	job_look(stage->jobs_folder, id, &sight);
	assert_int_equal(sight.lock, JOB_LOCK_HELD);
	assert_true(sight.has_identity);
	kill_daemon(daemon);
	stage_run_adopt(&run, stage, id, &sight.identity, 0);
	job_sight_release(&sight);
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_NEVER_STARTED, NULL);
	assert_false(stage_world_has(stage, "calls"));
	stage_run_release(&run);
}

static void a_job_outlives_the_daemon_and_is_adopted_at_its_offset(void **state)
{
	struct job_stage *stage = *state;
	struct stage_run run = { 0 };
	struct job_sight sight;
	struct job_id id;
	AUTO(free) char *lines_path = NULL;
	AUTO(free) char *lines = NULL;
	struct error err;
	int64_t offset;
	pid_t daemon = start_daemon(stage, "create=wait:free", true, &id);

	kill_daemon(daemon);
	job_look(stage->jobs_folder, id, &sight);
	assert_int_equal(sight.lock, JOB_LOCK_HELD);
	lines_path = xasprintf("%s/%s/lines.jsonl", stage->jobs_folder, id.text);
	assert_true(file_read(lines_path, 1 << 20, &lines, NULL, &err));
	offset = strchr(lines, '\n') + 1 - lines;
	stage_run_adopt(&run, stage, id, &sight.identity, offset);
	job_sight_release(&sight);
	stage_world_touch(stage, "free");
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_COMPLETED, NULL);
	assert_string_not_equal(first_type(&run), "hello");
	assert_string_equal(last_type(&run), "result");
	assert_int_equal(stage_count_items(stage), 2);
	stage_run_release(&run);
}

static void what_ended_unwatched_is_applied_from_its_folder(void **state)
{
	struct job_stage *stage = *state;
	struct stage_run run = { 0 };
	struct job_sight sight;
	struct job_end end;

	stage_run_whole(&run, stage, job_stage_request(stage, "create", NULL));
	job_look(stage->jobs_folder, run.id, &sight);
	assert_int_equal(sight.lock, JOB_LOCK_FREE);
	job_end_from_sight(&sight, &end);
	assert_int_equal(end.outcome, JOB_COMPLETED);
	assert_true(json_equal(end.data, run.data));
	/* Adopted too late, the same is told as if it had been watched. */
	struct stage_run late = { 0 };
	stage_run_adopt(&late, stage, run.id, &sight.identity, 0);
	stage_run_until(&late, stage_run_is_over);
	assert_outcome(&late, JOB_COMPLETED, NULL);
	assert_true(json_equal(late.lines, run.lines));
	job_sight_release(&sight);
	stage_run_release(&late);
	stage_run_release(&run);
}

/* ---- limits ---- */

static void a_hung_engine_is_ended_at_its_deadline(void **state)
{
	json_t *request = job_stage_request(*state, "create", "create=hang");
	struct stage_run run = { 0 };

	job_stage_limit(request, "deadline_ms", 400);
	stage_run_whole(&run, *state, request);
	assert_outcome(&run, JOB_TIMED_OUT, "was not done after 400ms");
	stage_run_release(&run);
}

static void a_silent_engine_is_ended(void **state)
{
	json_t *request = job_stage_request(*state, "create", "create=silent");
	struct stage_run run = { 0 };

	job_stage_limit(request, "silence_ms", 400);
	stage_run_whole(&run, *state, request);
	assert_outcome(&run, JOB_SILENT, "said nothing for 400ms");
	stage_run_release(&run);
}

static void an_engine_that_ignores_sigterm_is_killed_after_its_grace(void **state)
{
	json_t *request = job_stage_request(*state, "create", "create=ignore_term");
	struct stage_run run = { 0 };

	job_stage_limit(request, "deadline_ms", 500);
	job_stage_limit(request, "stop_grace_ms", 300);
	stage_run_whole(&run, *state, request);
	assert_true(stage_world_has(*state, "ignoring"));
	assert_outcome(&run, JOB_TIMED_OUT, NULL);
	assert_true(run.end.ended_at_ms - run.end.started_at_ms >= 800);
	stage_run_release(&run);
}

static void an_engine_that_floods_is_ended_and_fills_no_disk(void **state)
{
	json_t *request = job_stage_request(*state, "create", "create=flood");
	AUTO(free) char *path = NULL;
	AUTO(free) char *lines = NULL;
	struct stage_run run = { 0 };
	struct error err;

	job_stage_limit(request, "output_bytes_max", 100000);
	stage_run_whole(&run, *state, request);
	assert_outcome(&run, JOB_FLOODED, "said more than 100000 bytes");
	path = job_file(&run, "lines.jsonl");
	assert_true(file_read(path, 100000, &lines, NULL, &err));
	stage_run_release(&run);
}

static void a_line_without_an_end_is_cut_off(void **state)
{
	struct stage_run run = { 0 };

	stage_run_whole(&run, *state, job_stage_request(*state, "create", "create=flood_line"));
	assert_outcome(&run, JOB_FAILED, "a line of more than");
	stage_run_release(&run);
}

static void complaints_without_end_are_cut_and_do_no_harm(void **state)
{
	struct stage_run run = { 0 };
	AUTO(free) char *path = NULL;
	AUTO(free) char *log = NULL;
	struct error err;

	stage_run_whole(&run, *state, job_stage_request(*state, "create", "create=flood_stderr"));
	assert_outcome(&run, JOB_COMPLETED, NULL);
	path = job_file(&run, "worker.log");
	assert_true(file_read(path, (1 << 20) + 4096, &log, NULL, &err));
	assert_contains(log, "[cut:");
	stage_run_release(&run);
}

static void an_engine_that_eats_memory_is_ended(void **state)
{
	json_t *request = job_stage_request(*state, "create", "create=memory:200");
	struct stage_run run = { 0 };

	job_stage_limit(request, "memory_bytes_max", 120 << 20);
	stage_run_whole(&run, *state, request);
	assert_outcome(&run, JOB_OUT_OF_MEMORY, "120 MiB are allowed");
	stage_run_release(&run);
}

/* ---- stopping ---- */

static bool is_listening(struct stage_run *run)
{
	return stage_world_has(run->stage, "listening");
}

static void a_stop_is_polite_and_keeps_what_was_said(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref)
	json_t *request = job_stage_request(stage, "create", "create=term_result");
	struct stage_run run = { .goes_at_once = true };
	AUTO(json_decref) json_t *result = NULL;
	AUTO(free) char *path = NULL;
	struct error err;

	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, is_listening);
	assert_true(job_ask_stop(stage->jobs_folder, run.id, "its owner asked", &err));
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_STOPPED, "was stopped: its owner asked");
	path = job_file(&run, "result.json");
	assert_true(json_read_file(path, 1 << 20, &result, &err));
	assert_string_equal(
	    json_get_string(json_object_get(json_object_get(result, "result"), "error"), "message",
			    ""),
	    "cancelled");
	stage_run_release(&run);
}

static void sigterm_to_the_supervisor_is_a_polite_stop(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref)
	json_t *request = job_stage_request(stage, "create", "create=term_result");
	struct stage_run run = { .goes_at_once = true };

	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, is_listening);
	assert_true(process_signal(&run.identity, SIGTERM));
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_STOPPED, "got signal 15 (Terminated)");
	stage_run_release(&run);
}

static bool is_ignoring(struct stage_run *run)
{
	return stage_world_has(run->stage, "ignoring");
}

static void a_stop_that_is_ignored_is_forced(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref)
	json_t *request = job_stage_request(stage, "create", "create=ignore_term");
	struct stage_run run = { .goes_at_once = true };
	struct error err;

	job_stage_limit(request, "stop_grace_ms", 200);
	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, is_ignoring);
	assert_true(job_ask_stop(stage->jobs_folder, run.id, "enough", &err));
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_STOPPED, "enough");
	stage_run_release(&run);
}

/* ---- nothing is left ---- */

static void a_grandchild_in_a_session_of_its_own_is_ended(void **state)
{
	struct stage_run run = { 0 };

	stage_run_whole(&run, *state, job_stage_request(*state, "create", "create=grandchild"));
	assert_outcome(&run, JOB_COMPLETED, NULL);
	assert_true(stage_world_has(*state, "grandchild"));
	assert_int_equal(run.end.leftover_processes, 1);
	assert_int_equal(stage_count_processes(*state), 0);
	stage_run_release(&run);
}

static bool has_grandchild(struct stage_run *run)
{
	return stage_world_has(run->stage, "grandchild");
}

static bool nothing_lives(void *arg)
{
	const struct job_stage *stage = arg;

	return stage_count_processes(stage) == 0 && stage_count_commands(stage->folder) == 0;
}

/* The pid of the child of `parent`; 0 if there is none. */
static pid_t child_of(pid_t parent)
{
	AUTO(free) char *path = xasprintf("/proc/%d/task/%d/children", (int)parent, (int)parent);
	AUTO(free) char *children = NULL;
	struct error ignored; /* no such process: no child */

	return file_read(path, 4096, &children, NULL, &ignored) ? atoi(children) : 0;
}

enum victim { SUPERVISOR = 1, GUARD = 2 };

static void kill_in_the_middle(struct job_stage *stage, int victims, struct stage_run *run)
{
	AUTO(json_decref)
	json_t *request = job_stage_request(stage, "create", "create=grandchild+ignore_term");
	pid_t guard;

	run->goes_at_once = true;
	stage_run_launch(run, stage, job_stage_make(stage, request));
	stage_run_until(run, has_grandchild);
	stage_run_until(run, is_ignoring);
	assert_true(stage_count_processes(stage) >= 2);
	guard = child_of(run->identity.pid);
	assert_true(guard > 0);
	if (victims == (SUPERVISOR | GUARD))
		/* Stopped first, so that neither can do anything about the other's end. */
		assert_int_equal(kill(run->identity.pid, SIGSTOP) || kill(guard, SIGSTOP), 0);
	if (victims & SUPERVISOR)
		assert_int_equal(kill(run->identity.pid, SIGKILL), 0);
	if (victims & GUARD)
		assert_int_equal(kill(guard, SIGKILL), 0);
	stage_run_until(run, stage_run_is_over);
}

static void a_killed_supervisor_leaves_no_process(void **state)
{
	struct stage_run run = { 0 };

	kill_in_the_middle(*state, SUPERVISOR, &run);
	/* At once, without waiting: the lock was free, so nothing may live. */
	assert_int_equal(stage_count_processes(*state), 0);
	assert_outcome(&run, JOB_UNKNOWN, "without leaving a result");
	stage_run_release(&run);
}

static void a_killed_guard_leaves_no_process_and_a_true_result(void **state)
{
	struct stage_run run = { 0 };

	kill_in_the_middle(*state, GUARD, &run);
	assert_int_equal(stage_count_processes(*state), 0);
	assert_outcome(&run, JOB_CRASHED, "killed from outside");
	stage_run_release(&run);
}

static void a_supervisor_killed_with_its_guard_leaves_no_process(void **state)
{
	struct stage_run run = { 0 };

	kill_in_the_middle(*state, SUPERVISOR | GUARD, &run);
	assert_true(eventually(nothing_lives, *state, 5000));
	assert_outcome(&run, JOB_UNKNOWN, NULL);
	stage_run_release(&run);
}

static void an_end_is_not_told_while_the_lock_is_held(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", NULL);
	struct process_identity gone = { .pid = getpid(),
					 .start_ticks = 1,
					 .boot_id = "another boot" };
	struct stage_run run = { 0 };
	struct job_id id = job_stage_make(stage, request);
	AUTO(free) char *path = xasprintf("%s/%s/lock", stage->jobs_folder, id.text);
	AUTO(close) int guard = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int64_t until_mono_ms = clock_mono_ms() + 200;

	/* We are the guard of a supervisor that is gone, and still at work. */
	assert_int_equal(flock(guard, LOCK_EX | LOCK_NB), 0);
	stage_run_adopt(&run, stage, id, &gone, 0);
	/* The job looks every 20 ms. */
	while (clock_mono_ms() < until_mono_ms)
		loop_turn(stage->loop);
	assert_int_equal(run.ends, 0);
	assert_int_equal(flock(guard, LOCK_UN), 0);
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_UNKNOWN, "without leaving a result");
	stage_run_release(&run);
}

/* How many descriptors of a process lead to a file with this name. */
static int count_descriptors(pid_t pid, const char *name)
{
	AUTO(free) char *path = xasprintf("/proc/%d/fd", (int)pid);
	AUTO(closedir) DIR *folder = opendir(path);
	struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		char target[512] = "";

		if (readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) > 0)
			count += text_ends_with(target, name);
	}
	return count;
}

static void supervisor_and_guard_hold_the_lock_and_the_task_does_not(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", "create=wait:free");
	struct stage_run run = { .goes_at_once = true };
	pid_t guard, task;

	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, is_waiting);
	guard = child_of(run.identity.pid);
	task = child_of(guard);
	assert_true(guard > 0 && task > 0);
	assert_int_equal(count_descriptors(run.identity.pid, "/lock"), 1);
	assert_int_equal(count_descriptors(guard, "/lock"), 1);
	assert_int_equal(count_descriptors(task, "/lock"), 0);
	stage_world_touch(stage, "free");
	stage_run_until(&run, stage_run_is_over);
	stage_run_release(&run);
}

static void a_stopped_guard_is_killed_in_the_end(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", "create=wait:free");
	struct stage_run run = { .goes_at_once = true };
	struct error err;

	job_stage_limit(request, "stop_grace_ms", 100);
	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, is_waiting);
	assert_int_equal(kill(child_of(run.identity.pid), SIGSTOP), 0);
	assert_true(job_ask_stop(stage->jobs_folder, run.id, "stuck", &err));
	stage_run_until(&run, stage_run_is_over);
	assert_outcome(&run, JOB_STOPPED, "stuck");
	stage_run_release(&run);
}

/* ---- what engines say ---- */

static void broken_rules_are_failures_with_a_sentence(void **state)
{
	static const struct {
		const char *fake;
		const char *message;
	} cases[] = {
		{ "create=no_hello", "did not say hello first" },
		{ "create=wrong_protocol", "speaks protocol 2, expected 1" },
		{ "create=not_json", "not a line of an engine" },
		{ "create=two_results", "gave two results" },
		{ "create=after_result", "went on after its result" },
		{ "create=no_result", "ended without a result: exit status 0" },
		{ "create=exit:3", "ended without a result: exit status 3" },
		{ "create=die", "ended without a result: signal 9" },
		{ "create=crash", "signal 11" },
		{ "create=fail", "it was told to fail" },
		{ "inventory=bad_data", "no usable \"complete\"" },
		{ "destroy=bad_data", "no usable \"state_empty\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *task = xstrndup(cases[i].fake, strcspn(cases[i].fake, "="));
		struct stage_run run = { 0 };

		stage_run_whole(&run, *state, job_stage_request(*state, task, cases[i].fake));
		assert_outcome(&run, JOB_FAILED, cases[i].message);
		assert_string_equal(last_type(&run), "result");
		stage_run_release(&run);
	}
}

static void a_program_that_is_not_there_is_named(void **state)
{
	struct job_stage *stage = *state;
	AUTO(free) char *path = path_join(stage->template_folder, "fake_engine");
	struct stage_run run = { 0 };

	assert_int_equal(chmod(path, 0644), 0);
	stage_run_whole(&run, stage, job_stage_request(stage, "create", NULL));
	assert_outcome(&run, JOB_FAILED, "cannot run");
	assert_string_equal(run.failure.slug, "program_not_found");
	stage_run_release(&run);
}

static void a_template_that_is_not_trusted_runs_no_program(void **state)
{
	struct job_stage *stage = *state;
	json_t *request = job_stage_request(stage, "create", NULL);
	struct stage_run run = { 0 };

	json_object_set_new(json_object_get(request, "template"), "trusted", json_false());
	stage_run_whole(&run, stage, request);
	assert_outcome(&run, JOB_FAILED, "not trusted");
	assert_string_equal(run.failure.slug, "untrusted_program");
	assert_false(stage_world_has(stage, "calls"));
	stage_run_release(&run);
}

static void a_request_that_makes_no_sense_fails_by_name(void **state)
{
	json_t *request = job_stage_request(*state, "dance", NULL);
	struct stage_run run = { 0 };

	stage_run_whole(&run, *state, request);
	assert_outcome(&run, JOB_FAILED, "there is no task \"dance\"");
	stage_run_release(&run);
	request = job_stage_request(*state, "create", NULL);
	json_object_set_new(request, "engine", json_string("magic"));
	stage_run_whole(&run, *state, request);
	assert_outcome(&run, JOB_FAILED, "there is no engine \"magic\"");
	stage_run_release(&run);
}

/* ---- without a folder: the short questions ---- */

struct direct {
	struct job_stage *stage;
	struct text said;
	struct child *child;
	int ends;
	struct child_end end;
};

static void on_direct_line(void *arg, int stream, const char *line, size_t length)
{
	struct direct *direct = arg;

	(void)length;
	if (stream == 1)
		text_format(&direct->said, "%s\n", line);
}

static void on_direct_end(void *arg, const struct child_end *end)
{
	struct direct *direct = arg;

	direct->ends++;
	direct->end = *end;
}

static void ask_directly(struct direct *direct, struct job_stage *stage, const char *task,
			 const char *fake)
{
	AUTO(json_decref) json_t *request = job_stage_request(stage, task, fake);
	AUTO(free) char *text = json_to_text(request);
	const char *programs = getenv("ENVD_BIN");
	AUTO(free) char *relative = path_join(programs ? programs : "build/bin", "envd");
	AUTO(free) char *program = realpath(relative, NULL);
	const char *const argv[] = { program, "worker", "--direct", "/dev/stdin", NULL };
	struct error err;

	*direct = (struct direct){ .stage = stage };
	if (!child_start(stage->loop,
			 &(struct child_spec){ .argv = argv,
					       .variables = (const char *const *)environ,
					       .input = text,
					       .grace_ms = 10000,
					       .on_line = on_direct_line,
					       .on_end = on_direct_end,
					       .arg = direct },
			 &direct->child, &err))
		fail_msg("%s", err.message);
}

static void turn_until_direct_ends(struct direct *direct)
{
	while (!direct->ends)
		loop_turn(direct->stage->loop);
}

/* It still asks as it always did: "envd worker FOLDER". */
static void a_job_of_an_envd_whose_program_was_replaced_runs(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "create", NULL);
	struct job_id id = job_stage_make(stage, request);
	AUTO(free) char *folder = path_join(stage->jobs_folder, id.text);
	const char *programs = getenv("ENVD_BIN");
	AUTO(free)
	char *command = xasprintf("echo go | %s/envd worker %s 3>/dev/null 4<&0",
				  programs ? programs : "build/bin", folder);
	struct job_sight sight;

	assert_int_equal(system(command), 0);
	job_look(stage->jobs_folder, id, &sight);
	assert_string_equal(json_get_string(sight.result, "outcome", ""), "completed");
	job_sight_release(&sight);
}

static void a_short_question_is_answered_without_a_folder(void **state)
{
	struct direct direct;

	ask_directly(&direct, *state, "probe", NULL);
	turn_until_direct_ends(&direct);
	assert_int_equal(direct.end.ending, CHILD_EXITED);
	assert_int_equal(direct.end.status, 0);
	assert_contains(text_get(&direct.said), "\"runtime\":\"fake\"");
	text_release(&direct.said);
	ask_directly(&direct, *state, "logs", NULL);
	turn_until_direct_ends(&direct);
	assert_int_equal(direct.end.status, 1);
	assert_contains(text_get(&direct.said), "cannot show logs");
	text_release(&direct.said);
}

static void a_question_that_is_stopped_ends_with_all_that_it_started(void **state)
{
	struct job_stage *stage = *state;
	struct direct direct;

	ask_directly(&direct, stage, "probe", "probe=grandchild+term_result");
	while (!stage_world_has(stage, "listening"))
		loop_turn(stage->loop);
	child_stop(direct.child);
	turn_until_direct_ends(&direct);
	assert_contains(text_get(&direct.said), "cancelled");
	assert_int_equal(stage_count_processes(stage), 0);
	text_release(&direct.said);
}

static void a_question_that_is_killed_leaves_no_process(void **state)
{
	struct job_stage *stage = *state;
	struct direct direct;

	ask_directly(&direct, stage, "probe", "probe=grandchild+ignore_term");
	while (!stage_world_has(stage, "ignoring"))
		loop_turn(stage->loop);
	assert_true(stage_count_processes(stage) >= 2);
	child_drop(direct.child);
	assert_true(eventually(nothing_lives, stage, 10000));
	text_release(&direct.said);
}

static char *namespace_of(const char *pid)
{
	AUTO(free) char *path = xasprintf("/proc/%s/ns/pid", pid);
	char name[64] = "";

	assert_true(readlink(path, name, sizeof(name) - 1) > 0);
	return xstrdup(name);
}

static void root_and_only_root_has_a_pid_namespace(void **state)
{
	struct job_stage *stage = *state;
	AUTO(json_decref) json_t *request = job_stage_request(stage, "plan", "plan=wait:free");
	struct stage_run run = { .goes_at_once = true };
	AUTO(free) char *pids = NULL;
	AUTO(free) char *ours = namespace_of("self");
	AUTO(free) char *theirs = NULL;

	stage_run_launch(&run, stage, job_stage_make(stage, request));
	stage_run_until(&run, is_waiting);
	pids = stage_world_read(stage, "pids");
	pids[strcspn(pids, "\n")] = '\0';
	theirs = namespace_of(pids);
	assert_int_equal(strcmp(ours, theirs) != 0, geteuid() == 0);
	stage_world_touch(stage, "free");
	stage_run_until(&run, stage_run_is_over);
	stage_run_release(&run);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

static const struct CMUnitTest tests[] = {
	STAGED(a_create_runs_from_request_to_result),
	STAGED(a_second_attempt_builds_with_the_lock_of_the_first),
	STAGED(a_template_that_was_changed_is_refused),
	STAGED(a_destroy_lists_twice_with_time_between),
	STAGED(an_inventory_that_fails_is_not_complete),
	STAGED(nothing_runs_before_go),
	STAGED(a_stop_before_go_means_never_started),
	STAGED(a_job_has_one_life),
	STAGED(a_worker_that_cannot_be_run_is_told),
	STAGED(a_daemon_that_dies_before_go_has_started_nothing),
	STAGED(a_job_outlives_the_daemon_and_is_adopted_at_its_offset),
	STAGED(what_ended_unwatched_is_applied_from_its_folder),
	STAGED(a_hung_engine_is_ended_at_its_deadline),
	STAGED(a_silent_engine_is_ended),
	STAGED(an_engine_that_ignores_sigterm_is_killed_after_its_grace),
	STAGED(an_engine_that_floods_is_ended_and_fills_no_disk),
	STAGED(a_line_without_an_end_is_cut_off),
	STAGED(complaints_without_end_are_cut_and_do_no_harm),
	STAGED(an_engine_that_eats_memory_is_ended),
	STAGED(a_stop_is_polite_and_keeps_what_was_said),
	STAGED(sigterm_to_the_supervisor_is_a_polite_stop),
	STAGED(a_stop_that_is_ignored_is_forced),
	STAGED(a_grandchild_in_a_session_of_its_own_is_ended),
	STAGED(a_killed_supervisor_leaves_no_process),
	STAGED(a_killed_guard_leaves_no_process_and_a_true_result),
	STAGED(an_end_is_not_told_while_the_lock_is_held),
	STAGED(supervisor_and_guard_hold_the_lock_and_the_task_does_not),
	STAGED(a_stopped_guard_is_killed_in_the_end),
	STAGED(broken_rules_are_failures_with_a_sentence),
	STAGED(a_program_that_is_not_there_is_named),
	STAGED(a_template_that_is_not_trusted_runs_no_program),
	STAGED(a_request_that_makes_no_sense_fails_by_name),
	STAGED(a_job_of_an_envd_whose_program_was_replaced_runs),
	STAGED(a_short_question_is_answered_without_a_folder),
	STAGED(a_question_that_is_stopped_ends_with_all_that_it_started),
	STAGED(a_question_that_is_killed_leaves_no_process),
	STAGED(root_and_only_root_has_a_pid_namespace),
	/* Last: without a namespace nobody is left who could know the grandchild. */
	STAGED(a_supervisor_killed_with_its_guard_leaves_no_process),
};

static int run(const char *name, size_t count)
{
	return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

static int run_as_nobody(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
			_exit(2);
		exit(run("without a pid namespace", ARRAY_SIZE(tests) - 1));
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(void)
{
	int failed;

	/* A namespace ends what it holds by itself; that the rest does so too must be seen as well.
	 */
	if (geteuid() != 0)
		return run("without a pid namespace", ARRAY_SIZE(tests) - 1);
	failed = run("in a pid namespace", ARRAY_SIZE(tests));
	return failed + run_as_nobody();
}
