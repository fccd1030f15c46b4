#include "api/api_checks.h"

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_view.h"
#include "base/text.h"
#include "http/http_response.h"
#include "store/store_checks.h"
#include "wire/environment_json.h"

static void set_missing(json_t *json, const char *key, json_t *value)
{
	if (json_object_get(json, key))
		json_decref(value);
	else
		json_object_set_new(json, key, value);
}

json_t *api_check_json(const struct check_run *run)
{
	json_t *json = run->report ? json_deep_copy(run->report) : json_object();

	set_missing(json, "apiVersion", json_string("envd/v1"));
	set_missing(json, "kind", json_string("CheckRun"));
	json_object_set_new(json, "id", json_string(run->id));
	set_missing(json, "environment", json_pack("{s:s}", "id", run->environment.text));
	json_object_set_new(json, "state", json_string(run->state));
	json_object_set_new(json, "verdict",
			    run->verdict ? json_string(run->verdict) : json_null());
	set_missing(json, "message", json_string(run->message ? run->message : ""));
	set_missing(json, "suites", run->suites ? json_deep_copy(run->suites) : json_array());
	set_missing(json, "asked_by", json_string(run->owner ? run->owner : ""));
	set_missing(json, "asked_at", time_json(run->asked_at_ms));
	set_missing(json, "ended_at", time_json(run->ended_at_ms));
	return json;
}

static void answer_run(struct api *api, struct http_request *request, int status, const char *id)
{
	AUTO(check_run_free) struct check_run *run = NULL;
	AUTO(json_decref) json_t *json = NULL;
	struct error err;

	if (!store_check_find(api->control->store, id, &run, &err)) {
		api_answer_error(request, &err);
		return;
	}
	json = api_check_json(run);
	http_answer_json(request, status, json);
}

void api_get_check(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(check_run_free) struct check_run *run = NULL;
	const char *id = http_request_param(request, "run");
	struct api *api = arg;
	struct error err;

	if (!store_check_find(api->control->store, id, &run, &err) ||
	    !store_environment_read(api->control->store, run->environment, &environment, &err) ||
	    !permission_check(&api->caller, MAY_READ, environment->project, &err))
		api_answer_error(request, &err);
	else
		answer_run(api, request, 200, run->id);
}

void api_list_checks(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(check_run_list_release) struct check_run_list list = { NULL, 0 };
	json_t *items = json_array();
	struct api *api = arg;
	struct error err;
	int64_t limit;

	if (!http_request_query_int64(request, "limit", PAGE_DEFAULT, 1, PAGE_MAX, &limit, &err) ||
	    !api_view_find(api, request, &environment, &err) ||
	    !store_check_list(api->control->store, environment->id, limit, &list, &err)) {
		json_decref(items);
		api_answer_error(request, &err);
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		json_array_append_new(items, api_check_json(list.items[i]));
	api_answer_page(request, items, 0);
}

/* ---- start ---- */

static bool is_suite(const json_t *suite)
{
	return text_equal(json_string_value(suite), "smoke") ||
	       text_equal(json_string_value(suite), "load");
}

static bool read_suites(struct api_change *change, struct error *err)
{
	const json_t *suites = NULL;
	size_t i;

	if (!change->body || !json_has(change->body, "suites")) {
		change->suites = json_pack("[s]", "smoke");
		return true;
	}
	if (!json_read_array(change->body, "suites", &suites, err))
		return false;
	for (i = 0; i < json_array_size(suites) && is_suite(json_array_get(suites, i)); i++)
		;
	if (!i || i > 2 || i < json_array_size(suites))
		return error_set(err, ERR_INVALID,
				 "field \"suites\" must name \"smoke\", \"load\" or both");
	change->suites = json_deep_copy(suites);
	return true;
}

static bool read_check(struct api_change *change, struct error *err)
{
	static const char *const known[] = { "suites", "plan", NULL };
	const json_t *plan;
	size_t length;

	http_request_body(change->request, &length);
	if (length && (!http_request_json(change->request, &change->body, err) ||
		       !json_only_keys(change->body, known, err)))
		return false;
	if (json_has(change->body, "plan") && !json_read_object(change->body, "plan", &plan, err))
		return false;
	return read_suites(change, err);
}

static bool apply_check(struct api_change *change, struct store_tx *tx, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;
	const json_t *plan =
	    json_has(change->body, "plan") ? json_object_get(change->body, "plan") : NULL;

	return api_change_environment(change, tx, &environment, err) &&
	       lifecycle_check(change->api->control, tx, change->env, change->suites, plan,
			       &change->caller, change->run, err);
}

static void answer_check(struct api_change *change)
{
	char location[128];

	snprintf(location, sizeof(location), "/v1/checks/%s", change->run);
	http_response_header(change->request, "Location", location);
	answer_run(change->api, change->request, 202, change->run);
}

void api_start_check(void *api, struct http_request *request)
{
	AUTO(api_change_free) struct api_change *change = api_change_new(api, request, "check");
	struct error err;

	change->apply = apply_check;
	change->answer = answer_check;
	if (!read_check(change, &err))
		api_answer_error(request, &err);
	else
		api_change_submit(TAKE(change));
}
