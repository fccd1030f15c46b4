/*
 * envd-worker: one job from "ready" to result.json (envd/worker/supervisor.h), in a program of few
 * libraries: loading all that envd needs takes several times the processor time of a supervisor,
 * its guard and their forks, and many leases may end at once. What an engine program is asked about
 * something that exists is done here; everything else goes on as `envd worker --task`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/external/external_engine.h"
#include "wire/job_files.h"
#include "worker/supervisor.h"
#include "worker/task.h"

static const struct task light_tasks[] = {
	{ "destroy", task_destroy, TASK_NEEDS_ENVIRONMENT },
	{ "vacate", task_destroy, TASK_NEEDS_ENVIRONMENT },
	{ "inspect", task_inspect, TASK_NEEDS_ENVIRONMENT },
	{ "recover", task_recover, TASK_NEEDS_ENVIRONMENT },
	{ "inventory", task_inventory, TASK_NEEDS_TARGET },
	{ NULL, NULL, TASK_NEEDS_TARGET },
};

/* In this program, instead of envd/engine/engine.c with all of them. */
const struct engine *engine_find(const char *name)
{
	return text_equal(engine_external.name, name) ? &engine_external : NULL;
}

static char *envd_path, *request_path;

static bool is_light(const json_t *request)
{
	const char *name = json_get_string(request, "task", "");

	if (!engine_find(json_get_string(request, "engine", "")))
		return false;
	for (const struct task *task = light_tasks; task->name; task++)
		if (strcmp(task->name, name) == 0)
			return true;
	return false;
}

/* In the task's own process, which goes on as another program. */
static int run_task(const json_t *request)
{
	if (is_light(request))
		return task_run_one_of(light_tasks, request);
	execl(envd_path, envd_path, "worker", "--task", request_path, NULL);
	dprintf(STDERR_FILENO, "cannot run \"%s\": %s\n", envd_path, strerror(errno));
	return 126;
}

int main(int argc, char **argv)
{
	AUTO(free) char *folder = path_of_program_folder();
	int status;

	if (argc != 2 || argv[1][0] != '/') {
		dprintf(STDERR_FILENO, "usage: envd-worker JOBFOLDER\n"
				       "  Started by envd and envd-reaper for one job.\n");
		return 2;
	}
	envd_path = path_join(folder, "envd");
	request_path = path_join(argv[1], JOB_REQUEST_FILE);
	status = supervisor_run(argv[1], run_task);
	free(envd_path);
	free(request_path);
	return status;
}
