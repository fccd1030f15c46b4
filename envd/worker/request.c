#include "worker/request.h"

#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "wire/job_files.h"

#define LOCK_BYTES_MAX (4 * 1024 * 1024)

static bool read_head(struct request *request, const json_t *json, struct error *err)
{
	struct engine_request *engine_request = &request->engine_request;
	const char *engine;
	int64_t protocol;

	if (!json_read_int64(json, "protocol", &protocol, err) ||
	    !json_read_string(json, "task", &engine_request->task, err) ||
	    !json_read_string(json, "instance", &engine_request->instance, err) ||
	    !json_read_string(json, "engine", &engine, err))
		return false;
	if (protocol != WORKER_PROTOCOL)
		return error_set(err, ERR_INVALID, "request speaks protocol %lld, expected %d",
				 (long long)protocol, WORKER_PROTOCOL);
	request->engine = engine_find(engine);
	if (!request->engine)
		return error_set_as(err, ERR_INVALID, "engine_unknown", "there is no engine \"%s\"",
				    engine);
	return true;
}

static bool read_environment(struct request *request, const json_t *json, struct error *err)
{
	struct engine_request *engine_request = &request->engine_request;
	const json_t *environment;
	const char *id;

	if (!json_has(json, "environment"))
		return true;
	if (!json_read_object(json, "environment", &environment, err) ||
	    !json_read_string(environment, "id", &id, err) ||
	    !json_read_string(environment, "name", &engine_request->environment_name, err) ||
	    !json_read_int64(environment, "sequence", &engine_request->sequence, err) ||
	    !json_read_int64(environment, "hard_wall_s", &engine_request->hard_wall_s, err) ||
	    /* A sweep destroys what no store knows: there is no folder of it then. */
	    ((json_has(json, "folder") || strcmp(engine_request->task, "destroy") != 0) &&
	     !json_read_string(json, "folder", &engine_request->folder, err)))
		return false;
	if (!id_is_valid(id))
		return error_set(err, ERR_INVALID, "\"%s\" is not the id of an environment", id);
	engine_request->environment = env_id_from(id);
	return true;
}

static bool read_template(struct request *request, const json_t *json, struct error *err)
{
	const json_t *template;

	if (!json_has(json, "template"))
		return true;
	return json_read_object(json, "template", &template, err) &&
	       json_read_string(template, "folder", &request->source_folder, err) &&
	       json_read_string(template, "digest", &request->template_digest, err) &&
	       json_read_bool(template, "trusted", &request->engine_request.is_trusted, err);
}

static void read_target(struct request *request, const json_t *json)
{
	const json_t *target = json_object_get(json, "target");
	const json_t *claim = json_object_get(target, "claim");

	request->engine_request.target = (struct engine_target){
		.name = json_get_string(target, "name", "local"),
		.engine = request->engine->name,
		.socket = json_get_string(target, "socket", NULL),
		.certificates = json_get_string(target, "certificates", NULL),
		.advertised = json_get_string(target, "advertised", NULL),
		.publish_address = json_get_string(target, "publish_address", "127.0.0.1"),
		.program = json_get_string(target, "program", NULL),
		.kubeconfig = json_get_string(target, "kubeconfig", NULL),
		.labels = json_object_get(target, "labels"),
		.credentials = json_object_get(target, "credentials"),
		.claim_number = json_get_int64(claim, "number", 0),
		.claim_file = json_get_string(claim, "file", NULL),
	};
}

/* The snapshot if it was taken, else (to plan) the source; NULL when both are gone. */
static void find_template(struct request *request)
{
	if (request->snapshot_folder && file_exists(request->snapshot_folder))
		request->engine_request.template_folder = request->snapshot_folder;
	else if (request->source_folder && file_exists(request->source_folder))
		request->engine_request.template_folder = request->source_folder;
}

static bool read_lock(struct request *request, struct error *err)
{
	AUTO(free) char *path = path_join(request->engine_request.folder, REQUEST_LOCK);

	if (!file_exists(path))
		return true;
	if (!json_read_file(path, LOCK_BYTES_MAX, &request->lock, err))
		return false;
	request->engine_request.lock = request->lock;
	return true;
}

bool request_read(struct request *request, const json_t *json, struct error *err)
{
	struct engine_request *engine_request = &request->engine_request;
	int64_t deadline_ms;

	*request = (struct request){ .json = json };
	if (!read_head(request, json, err) || !read_environment(request, json, err) ||
	    !read_template(request, json, err))
		return error_wrap(err, "request");
	read_target(request, json);
	engine_request->may_use_credentials =
	    engine_request->is_trusted ||
	    json_get_bool(json, "untrusted_registry_credentials", false);
	engine_request->whole = json;
	engine_request->pins = json_object_get(json, "pins");
	engine_request->parameters = json_object_get(json, "parameters");
	deadline_ms = json_get_int64(json_object_get(json, "limits"), "deadline_ms", 0);
	if (deadline_ms)
		engine_request->deadline_at_ms = clock_wall_ms() + deadline_ms;
	if (!engine_request->folder)
		return true;
	request->snapshot_folder = path_join(engine_request->folder, REQUEST_SNAPSHOT);
	find_template(request);
	return read_lock(request, err);
}

void request_release(struct request *request)
{
	free(request->snapshot_folder);
	json_decref(request->lock);
}

bool request_has_environment(const struct request *request)
{
	return request->engine_request.environment.text[0] != '\0';
}
