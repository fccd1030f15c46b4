#include "api/api_reports.h"

#include <string.h>

#include "api/api_checks.h"
#include "api/api_errors.h"
#include "api/api_history.h"
#include "api/api_view.h"
#include "base/clock.h"
#include "http/http_response.h"
#include "report/report.h"
#include "store/store_checks.h"
#include "wire/environment_json.h"

enum { CHECKS_MAX = 50 };

static bool add_history(struct api *api, const struct environment *environment, json_t *report,
			struct error *err)
{
	json_t *history;

	return api_history_read(api, environment, &history, err) &&
	       json_object_set_new(report, "history", history) == 0;
}

static bool is_built_layer(const json_t *row)
{
	const json_t *data = json_object_get(row, "data");

	return strcmp(json_get_string(row, "kind", ""), HISTORY_LAYER) == 0 &&
	       strcmp(json_get_string(data, "state", "removed"), "removed") != 0;
}

static json_t *layer_json(const json_t *data)
{
	return json_pack("{s:s, s:s, s:I, s:s}", "name", json_get_string(data, "name", ""), "state",
			 json_get_string(data, "state", ""), "elapsed_ms",
			 (json_int_t)json_get_int64(data, "elapsed_ms", 0), "message",
			 json_get_string(data, "message", ""));
}

/* The last that was heard of each layer while it was built, in the order in which they began. That
 * all of them are removed in the end is what the proofs say. */
static json_t *layers_of(const json_t *history)
{
	AUTO(json_decref) json_t *by_name = json_object();
	json_t *layers = json_array(), *row, *layer;
	const char *name;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)history, i, row)
		if (is_built_layer(row))
			json_object_set_new(
			    by_name, json_get_string(json_object_get(row, "data"), "name", ""),
			    layer_json(json_object_get(row, "data")));
	json_object_foreach(by_name, name, layer)
		json_array_append(layers, layer);
	return layers;
}

static bool add_checks(struct api *api, const struct environment *environment, json_t *report,
		       struct error *err)
{
	AUTO(check_run_list_release) struct check_run_list list = { NULL, 0 };
	json_t *checks;

	if (!store_check_list(api->control->store, environment->id, CHECKS_MAX, &list, err))
		return false;
	checks = json_array();
	for (size_t i = list.count; i > 0; i--) /* newest first in the store */
		json_array_append_new(checks, api_check_json(list.items[i - 1]));
	json_object_set_new(report, "checks", checks);
	return true;
}

static bool fill_report(struct api *api, const struct environment *environment, json_t *report,
			struct error *err)
{
	json_t *shown;

	if (!api_view_environment(api, environment, &shown, err))
		return false;
	json_object_set_new(report, "apiVersion", json_string("envd/v1"));
	json_object_set_new(report, "kind", json_string("Report"));
	json_object_set_new(report, "generated_at", time_json(clock_wall_ms()));
	json_object_set_new(report, "environment", shown);
	json_object_set_new(report, "lock",
			    environment->lock ? json_deep_copy(environment->lock) : json_null());
	if (!add_checks(api, environment, report, err) ||
	    !add_history(api, environment, report, err))
		return false;
	json_object_set_new(report, "layers", layers_of(json_object_get(report, "history")));
	json_object_set(report, "proofs", json_object_get(shown, "proofs"));
	return true;
}

bool api_report_make(void *api, const struct environment *environment, json_t **report,
		     struct error *err)
{
	AUTO(json_decref) json_t *made = json_object();

	if (!fill_report(api, environment, made, err))
		return false;
	*report = TAKE(made);
	return true;
}

void api_get_report(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(json_decref) json_t *report = NULL;
	const char *format = http_request_query(request, "format");
	const char *content_type;
	AUTO(free) char *text = NULL;
	struct api *api = arg;
	struct error err;

	if (!api_view_find(api, request, &environment, &err) ||
	    !api_report_make(api, environment, &report, &err) ||
	    !report_render(format ? format : "json", report, &text, &content_type, &err))
		api_answer_error(request, &err);
	else
		http_answer_text(request, 200, content_type, text);
}
