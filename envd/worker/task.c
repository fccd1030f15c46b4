#include "worker/task.h"

#include <string.h>

#include "engine/target_claim.h"

static bool run_named(const struct task *task, const char *name, const json_t *json,
		      struct worker_lines *lines, json_t **data, struct error *err)
{
	AUTO(request_release) struct request request = { .json = json };

	while (task->name && strcmp(task->name, name) != 0)
		task++;
	if (task->needs != TASK_NEEDS_NOTHING && !request_read(&request, json, err))
		return false;
	if (!task->name)
		return error_set(err, ERR_INVALID, "there is no task \"%s\"", name);
	if (task->needs == TASK_NEEDS_ENVIRONMENT && !request_has_environment(&request))
		return error_set(err, ERR_INVALID, "request: task \"%s\" needs an environment",
				 name);
	/* Whoever waited for so long that its target was given away does nothing there. */
	return target_claim_check(&request.engine_request.target, err) &&
	       task->run(&request, lines, data, err);
}

int task_run_one_of(const struct task *tasks, const json_t *request)
{
	AUTO(worker_lines_free) struct worker_lines *lines = worker_lines_new(STDOUT_FILENO);
	AUTO(json_decref) json_t *data = NULL;
	const char *name = json_get_string(request, "task", "unknown");
	struct error failure;
	bool is_good;

	worker_say_hello(lines, name);
	is_good = run_named(tasks, name, request, lines, &data, &failure);
	worker_say_result(lines, is_good ? NULL : &failure, data);
	return is_good ? 0 : 1;
}
