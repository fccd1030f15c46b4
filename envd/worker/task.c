#include "worker/task.h"

#include <string.h>

static bool task_plan(const struct request *request, struct worker_lines *lines, json_t **data,
		      struct error *err)
{
	return request->engine->plan(&request->engine_request, lines, data, err);
}

static bool task_inspect(const struct request *request, struct worker_lines *lines, json_t **data,
			 struct error *err)
{
	return request->engine->inspect(&request->engine_request, lines, data, err);
}

static bool task_recover(const struct request *request, struct worker_lines *lines, json_t **data,
			 struct error *err)
{
	return request->engine->recover(&request->engine_request, lines, data, err);
}

static bool task_inventory(const struct request *request, struct worker_lines *lines, json_t **data,
			   struct error *err)
{
	const struct env_id *environment =
	    request_has_environment(request) ? &request->engine_request.environment : NULL;

	return request->engine->inventory(&request->engine_request, environment, lines, data, err);
}

static bool task_logs(const struct request *request, struct worker_lines *lines, json_t **data,
		      struct error *err)
{
	const json_t *logs = json_object_get(request->json, "logs");

	(void)data;
	if (!request->engine->logs)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "engine \"%s\" cannot show logs", request->engine->name);
	return request->engine->logs(
	    &request->engine_request, json_get_string(logs, "service", NULL),
	    json_get_bool(logs, "follow", false), json_get_int64(logs, "tail", 100), lines, err);
}

static bool task_images(const struct request *request, struct worker_lines *lines, json_t **data,
			struct error *err)
{
	if (!request->engine->images)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "engine \"%s\" has no images", request->engine->name);
	return request->engine->images(&request->engine_request, lines, data, err);
}

static bool task_probe(const struct request *request, struct worker_lines *lines, json_t **data,
		       struct error *err)
{
	(void)lines;
	return request->engine->probe(&request->engine_request, data, err);
}

static const struct {
	const char *name;
	bool (*run)(const struct request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);
	bool needs_environment;
} tasks[] = {
	// clang-format off
	{ "plan",      task_plan,      true },
	{ "create",    task_create,    true },
	{ "inspect",   task_inspect,   true },
	{ "recover",   task_recover,   true },
	{ "destroy",   task_destroy,   true },
	{ "inventory", task_inventory, false },
	{ "check",     task_check,     true },
	{ "logs",      task_logs,      true },
	{ "evidence",  task_evidence,  true },
	{ "probe",     task_probe,     false },
	{ "images",    task_images,    false },
	{ "exec",      task_exec,      true },
	{ "forward",   task_forward,   true },
	// clang-format on
};

static bool run_named(const char *name, const json_t *json, struct worker_lines *lines,
		      json_t **data, struct error *err)
{
	AUTO(request_release) struct request request;
	size_t i = 0;

	if (strcmp(name, "source") == 0) {
		request = (struct request){ .json = json };
		return task_source(json, lines, data, err);
	}
	if (!request_read(&request, json, err))
		return false;
	while (i < ARRAY_SIZE(tasks) && strcmp(tasks[i].name, name) != 0)
		i++;
	if (i == ARRAY_SIZE(tasks))
		return error_set(err, ERR_INVALID, "there is no task \"%s\"", name);
	if (tasks[i].needs_environment && !request_has_environment(&request))
		return error_set(err, ERR_INVALID, "request: task \"%s\" needs an environment",
				 name);
	return tasks[i].run(&request, lines, data, err);
}

int task_run(const json_t *request)
{
	AUTO(worker_lines_free) struct worker_lines *lines = worker_lines_new(STDOUT_FILENO);
	AUTO(json_decref) json_t *data = NULL;
	const char *name = json_get_string(request, "task", "unknown");
	struct error failure;
	bool is_good;

	worker_say_hello(lines, name);
	is_good = run_named(name, request, lines, &data, &failure);
	worker_say_result(lines, is_good ? NULL : &failure, data);
	return is_good ? 0 : 1;
}

bool task_has_client(const json_t *request)
{
	const char *name = json_get_string(request, "task", "");

	return strcmp(name, "exec") == 0 || strcmp(name, "forward") == 0;
}
