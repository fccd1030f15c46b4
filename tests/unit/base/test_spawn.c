/* Real processes: what a child inherits, and who is who. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/spawn.h"
#include "base/text.h"
#include "tests/support/eventually.h"

static const char *const no_variables[] = { NULL };

/* What a shell command prints, run by spawn() with `spec`'s other fields. */
static char *output_of(const char *command, struct spawn_spec spec)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	struct text output = TEXT_EMPTY;
	struct error err;
	char block[4096];
	ssize_t got;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	spec.argv = argv;
	if (!spec.variables)
		spec.variables = no_variables;
	spec.fds = (const int[]){ -1, ends[1], -1 };
	spec.fd_count = 3;
	assert_true(spawn(&spec, &pid, &err));
	close(ends[1]);
	while ((got = read(ends[0], block, sizeof(block))) > 0)
		text_add_bytes(&output, block, (size_t)got);
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return text_take(&output);
}

static void a_child_has_the_named_descriptors_and_no_other(void **state)
{
	int leaky = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
	AUTO(free)
	char *output = output_of("ls /proc/self/fd | tr '\\n' ' '", (struct spawn_spec){ 0 });

	(void)state;
	assert_true(leaky > 2);
	close(leaky);
	/* 3 is ls, reading the folder. */
	assert_string_equal(output, "0 1 2 3 ");
}

static void descriptors_may_be_given_in_any_order(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "echo one >&1; echo two >&2; echo three >&3",
				     NULL };
	struct error err;
	char text[3][16] = { "", "", "" };
	int ends[3][2];
	pid_t pid;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pipe2(ends[i], O_CLOEXEC), 0);
	assert_true(spawn(
	    &(struct spawn_spec){ .argv = argv,
				  .variables = no_variables,
				  .fds = (const int[]){ -1, ends[2][1], ends[1][1], ends[0][1] },
				  .fd_count = 4 },
	    &pid, &err));
	for (int i = 0; i < 3; i++) {
		close(ends[i][1]);
		assert_true(read(ends[i][0], text[i], sizeof(text[i]) - 1) > 0);
		close(ends[i][0]);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(text[2], "one\n");
	assert_string_equal(text[1], "two\n");
	assert_string_equal(text[0], "three\n");
}

static void an_ignored_signal_is_not_ignored_in_the_child(void **state)
{
	unsigned long long blocked, ignored;
	sigset_t pipe_signal;
	char *output;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGUSR1);
	sigprocmask(SIG_BLOCK, &pipe_signal, NULL);
	output = output_of("grep -E '^Sig(Blk|Ign)' /proc/self/status", (struct spawn_spec){ 0 });
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &pipe_signal, NULL);
	assert_int_equal(sscanf(output, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	/* Signals 32 and 33 are the C library's own and nobody's to change. */
	assert_int_equal(blocked & 0x7fffffff, 0);
	assert_int_equal(ignored & 0x7fffffff, 0);
	free(output);
}

static void a_child_has_its_own_variables_only(void **state)
{
	const char *const variables[] = { "COLOUR=blue", NULL };
	AUTO(free)
	char *output = output_of("/usr/bin/env | grep -vE '^(PWD|SHLVL|_)='",
				 (struct spawn_spec){ .variables = variables });

	(void)state;
	assert_string_equal(output, "COLOUR=blue\n");
}

static void a_child_leads_its_group_or_its_session(void **state)
{
	AUTO(free)
	char *group =
	    output_of("ps -o pid=,pgid=,sid= -p $$ | awk '{ print ($1 == $2), ($1 == $3) }'",
		      (struct spawn_spec){ .variables = (const char *const *)environ });
	AUTO(free)
	char *session = output_of(
	    "ps -o pid=,pgid=,sid= -p $$ | awk '{ print ($1 == $2), ($1 == $3) }'",
	    (struct spawn_spec){ .new_session = true, .variables = (const char *const *)environ });

	(void)state;
	assert_string_equal(group, "1 0\n");
	assert_string_equal(session, "1 1\n");
}

static void a_program_that_is_not_there_is_an_error_of_the_caller(void **state)
{
	const char *const argv[] = { "/nowhere/program", NULL };
	struct error err;
	pid_t pid = -7;

	(void)state;
	assert_false(spawn(&(struct spawn_spec){ .argv = argv,
						 .variables = no_variables,
						 .fds = (const int[]){ -1, -1, -1 },
						 .fd_count = 3 },
			   &pid, &err));
	assert_string_equal(err.slug, "program_not_found");
	assert_non_null(strstr(err.message, "/nowhere/program"));
	assert_int_equal(pid, -7);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static pid_t start_sleeper(bool dies_with_parent)
{
	const char *const argv[] = { "/bin/sleep", "1000", NULL };
	struct error err;
	pid_t pid;

	assert_true(spawn(&(struct spawn_spec){ .argv = argv,
						.variables = no_variables,
						.fds = (const int[]){ -1, -1, -1 },
						.fd_count = 3,
						.dies_with_parent = dies_with_parent },
			  &pid, &err));
	return pid;
}

static bool is_gone(void *arg)
{
	return !process_is_alive(arg);
}

static void a_child_dies_with_its_parent_when_asked(void **state)
{
	struct process_identity sleeper;
	int ends[2];
	pid_t parent, pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		pid = start_sleeper(true);
		_exit(write(ends[1], &pid, sizeof(pid)) != sizeof(pid) || pause());
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	close(ends[0]);
	close(ends[1]);
	assert_true(process_identity_of(pid, &sleeper));
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	assert_true(eventually(is_gone, &sleeper, 5000));
}

static void a_process_with_a_recorded_number_but_another_start_is_never_signalled(void **state)
{
	pid_t pid = start_sleeper(false);
	struct process_identity real, decoy;

	(void)state;
	assert_true(process_identity_of(pid, &real));
	decoy = real;
	decoy.start_ticks--;
	assert_false(process_is_alive(&decoy));
	assert_int_equal(process_open(&decoy), -1);
	assert_false(process_signal(&decoy, SIGKILL));
	decoy = real;
	decoy.boot_id[0] = decoy.boot_id[0] == 'x' ? 'y' : 'x';
	assert_false(process_signal(&decoy, SIGKILL));
	/* It is unharmed: this is what ends it. */
	assert_true(process_signal(&real, SIGTERM));
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void a_zombie_counts_as_gone(void **state)
{
	pid_t pid = start_sleeper(false);
	struct process_identity identity;

	(void)state;
	assert_true(process_identity_of(pid, &identity));
	kill(pid, SIGKILL);
	assert_true(eventually(is_gone, &identity, 5000));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(process_identity_of(pid, &identity));
}

static void variables_are_picked_by_name_and_by_prefix(void **state)
{
	const char *const names[] = { "TEST_ONE", "TEST_P_*", NULL };

	(void)state;
	setenv("TEST_ONE", "1", 1);
	setenv("TEST_ONES", "no", 1);
	setenv("TEST_P_A", "2", 1);
	AUTO(free) char **picked = variables_pick(names);
	int count = 0;

	for (; picked[count]; count++)
		assert_true(text_equal(picked[count], "TEST_ONE=1") ||
			    text_equal(picked[count], "TEST_P_A=2"));
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_has_the_named_descriptors_and_no_other),
		cmocka_unit_test(descriptors_may_be_given_in_any_order),
		cmocka_unit_test(an_ignored_signal_is_not_ignored_in_the_child),
		cmocka_unit_test(a_child_has_its_own_variables_only),
		cmocka_unit_test(a_child_leads_its_group_or_its_session),
		cmocka_unit_test(a_program_that_is_not_there_is_an_error_of_the_caller),
		cmocka_unit_test(a_child_dies_with_its_parent_when_asked),
		cmocka_unit_test(
		    a_process_with_a_recorded_number_but_another_start_is_never_signalled),
		cmocka_unit_test(a_zombie_counts_as_gone),
		cmocka_unit_test(variables_are_picked_by_name_and_by_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
