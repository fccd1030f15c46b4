/*
 * task_engine.c - the tasks that are one call of the engine.
 */
#include "worker/task.h"

bool task_plan(const struct request *request, struct worker_lines *lines, json_t **data,
	       struct error *err)
{
	return request->engine->plan(&request->engine_request, lines, data, err);
}

bool task_inspect(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err)
{
	return request->engine->inspect(&request->engine_request, lines, data, err);
}

bool task_recover(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err)
{
	return request->engine->recover(&request->engine_request, lines, data, err);
}

bool task_inventory(const struct request *request, struct worker_lines *lines, json_t **data,
		    struct error *err)
{
	const struct env_id *environment =
	    request_has_environment(request) ? &request->engine_request.environment : NULL;

	return request->engine->inventory(&request->engine_request, environment, lines, data, err);
}

bool task_logs(const struct request *request, struct worker_lines *lines, json_t **data,
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

bool task_images(const struct request *request, struct worker_lines *lines, json_t **data,
		 struct error *err)
{
	if (!request->engine->images)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "engine \"%s\" has no images", request->engine->name);
	return request->engine->images(&request->engine_request, lines, data, err);
}

bool task_probe(const struct request *request, struct worker_lines *lines, json_t **data,
		struct error *err)
{
	(void)lines;
	return request->engine->probe(&request->engine_request, data, err);
}
