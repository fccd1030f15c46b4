#include "api/api_lease.h"

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_view.h"
#include "http/http_response.h"
#include "wire/environment_json.h"

void api_get_lease(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(json_decref) json_t *json = NULL;
	struct lease_now now = api_view_now();
	struct api *api = arg;
	struct error err;

	if (!api_view_find(api, request, &environment, &err)) {
		api_answer_error(request, &err);
		return;
	}
	json = environment_lease_json(environment, &now);
	http_answer_json(request, 200, json);
}

static bool read_extension(struct api_change *change, struct error *err)
{
	static const char *const known[] = { "extend", "at_least", NULL };
	bool is_by;

	if (!http_request_json(change->request, &change->body, err) ||
	    !json_only_keys(change->body, known, err))
		return false;
	is_by = json_has(change->body, "extend");
	if (is_by == json_has(change->body, "at_least"))
		return error_set(err, ERR_INVALID,
				 "the request body must have either \"extend\" or \"at_least\"");
	change->extend.kind = is_by ? EXTEND_BY : EXTEND_AT_LEAST;
	return json_read_duration_ms(change->body, is_by ? "extend" : "at_least",
				     &change->extend.ms, err);
}

static bool apply_extension(struct api_change *change, struct store_tx *tx, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;

	return api_change_environment(change, tx, &environment, err) &&
	       lifecycle_extend(change->api->control, tx, change->env, change->extend.kind,
				change->extend.ms, &change->caller, err);
}

static void answer_extension(struct api_change *change)
{
	api_answer_stored(change->api, change->request, 200, change->env);
}

void api_extend_lease(void *api, struct http_request *request)
{
	AUTO(api_change_free) struct api_change *change = api_change_new(api, request, "extend");
	struct error err;

	change->apply = apply_extension;
	change->answer = answer_extension;
	if (!read_extension(change, &err))
		api_answer_error(request, &err);
	else {
		change->detail = json_incref(change->body);
		api_change_submit(TAKE(change));
	}
}
