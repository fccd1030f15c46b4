#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "engine/pulumi/pulumi_survivors.h"
#include "tests/support/eventually.h"

/* A program of an environment that nobody is the parent of any more but us. */
static pid_t start(struct env_id environment)
{
	AUTO(free) char *mark = xasprintf("ENVD_ENVIRONMENT=%s", environment.text);
	char *const variables[] = { mark, NULL };
	char name[] = "sleep", seconds[] = "1000";
	char *const words[] = { name, seconds, NULL };
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	setsid();
	execve("/bin/sleep", words, variables);
	_exit(127);
}

static bool has_its_variables(void *arg)
{
	AUTO(free) char *path = xasprintf("/proc/%d/comm", *(pid_t *)arg);
	AUTO(fclose) FILE *file = fopen(path, "re");
	char name[32] = "";

	return file && fgets(name, sizeof(name), file) && strcmp(name, "sleep\n") == 0;
}

static void what_an_earlier_job_left_is_ended_and_nothing_else(void **unused)
{
	struct engine_request request = { .environment = env_id_new() };
	pid_t ours = start(request.environment), another = start(env_id_new());
	struct error err;
	int status;

	(void)unused;
	assert_true(eventually(has_its_variables, &ours, 10000));
	assert_true(eventually(has_its_variables, &another, 10000));
	if (!survivors_end(&request, &err))
		fail_msg("%s", err.message);
	assert_int_equal(waitpid(ours, &status, 0), ours);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(waitpid(another, &status, WNOHANG), 0);
	kill(another, SIGKILL);
	assert_int_equal(waitpid(another, &status, 0), another);
}

static void where_nothing_lives_there_is_nothing_to_wait_for(void **unused)
{
	struct engine_request request = { .environment = env_id_new() };
	struct error err;

	(void)unused;
	assert_true(survivors_end(&request, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_earlier_job_left_is_ended_and_nothing_else),
		cmocka_unit_test(where_nothing_lives_there_is_nothing_to_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
