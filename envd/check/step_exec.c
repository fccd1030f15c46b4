/* exec: a command inside a service, through the engine. */

#include <string.h>

#include "base/clock.h"
#include "check/step.h"

#define ARGUMENTS_MAX 100

struct seen_exec {
	int status;
	char *output;
	int64_t duration_us;
};

static void release(void *seen)
{
	struct seen_exec *exec = seen;

	free(exec->output);
	free(exec);
}

static void auto_release_argv(char ***argv)
{
	for (size_t i = 0; *argv && (*argv)[i]; i++)
		free((*argv)[i]);
	free(*argv);
}

static bool fill_argv(struct scope *scope, char *const *argv, char **filled, struct error *err)
{
	for (size_t i = 0; argv[i]; i++)
		if (!scope_fill(scope, argv[i], &filled[i], err))
			return false;
	return true;
}

static bool perform(struct scenario *scenario, const struct check_step *step, int64_t time_limit_ms,
		    void **seen, struct error *err)
{
	const struct check_request *request = scenario->request;
	AUTO(release_argv) char **argv = xcalloc(ARGUMENTS_MAX + 1, sizeof(char *));
	AUTO(free) char *service = NULL;
	AUTO(free) char *output = NULL;
	int64_t start_us = clock_mono_us();
	struct seen_exec *exec;
	int status = 0;

	if (!request->exec)
		return error_set_as(err, ERR_INVALID, "exec_not_possible",
				    "this engine cannot run commands inside a service");
	if (!scope_fill(scenario->scope, step->exec.service, &service, err) ||
	    !fill_argv(scenario->scope, step->exec.argv, argv, err) ||
	    !request->exec(request->exec_arg, service, (const char *const *)argv, time_limit_ms,
			   &status, &output, err))
		return false;
	exec = xcalloc(1, sizeof(*exec));
	exec->status = status;
	exec->output = output ? TAKE(output) : xstrdup("");
	exec->duration_us = clock_mono_us() - start_us;
	*seen = exec;
	return true;
}

static struct observed look(const void *seen, const char *subject)
{
	const struct seen_exec *exec = seen;
	struct observed status;

	if (strcmp(subject, "duration") == 0)
		return observed_duration(exec->duration_us);
	if (strcmp(subject, "output") == 0)
		return observed_text(exec->output);
	status = observed_number(exec->status);
	/* The last words of a command that failed say why. */
	if (exec->status && *exec->output)
		status.note = xasprintf("%.120s", exec->output);
	return status;
}

const struct step_kind step_exec = { perform, look, release };
