#include "api/api_look.h"

#include "api/api_errors.h"
#include "api/api_history.h"
#include "api/api_question.h"
#include "api/api_view.h"
#include "control/job_request.h"
#include "wire/layers_json.h"

enum { LOOK_LIMIT_MS = 20000 };

void api_list_layers(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(json_decref) json_t *history = NULL;
	struct api *api = arg;
	struct error err;

	if (!api_view_find(api, request, &environment, &err) ||
	    !api_history_read(api, environment, &history, &err))
		api_answer_error(request, &err);
	else
		api_answer_page(request, layers_json(history), 0);
}

static void on_line(void *arg, enum worker_line_type type, const json_t *object)
{
	(void)arg;
	(void)type;
	(void)object;
}

static void on_end(void *arg, const json_t *data, const struct error *failure)
{
	struct http_request *request = arg;
	json_t *items = json_object_get(data, "items");

	if (failure)
		api_answer_error(request, failure);
	else
		api_answer_page(request, items ? json_incref(items) : json_array(),
				json_get_int64(data, "next", 0));
}

static bool make_request(struct api *api, const struct http_request *request, const char *task,
			 json_t **made, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;
	int64_t limit, after;

	if (!api_page(request, &limit, &after, err) ||
	    !api_view_find(api, request, &environment, err) ||
	    !job_request_question(api->control, environment, task, false, made, err))
		return false;
	json_object_set_new(*made, "page",
			    json_pack("{s:I, s:I, s:s?}", "after", (json_int_t)after, "limit",
				      (json_int_t)limit, "layer",
				      http_request_query(request, "layer")));
	return true;
}

static void ask(struct api *api, struct http_request *request, const char *task)
{
	AUTO(json_decref) json_t *worker_request = NULL;
	struct api_question_spec spec = {
		.time_limit_ms = LOOK_LIMIT_MS, .on_line = on_line, .on_end = on_end, .arg = request
	};
	struct api_question *question;
	struct error err;

	if (make_request(api, request, task, &worker_request, &err)) {
		spec.request = worker_request;
		if (api_question_ask(api, &spec, &question, &err))
			return;
	}
	api_answer_error(request, &err);
}

void api_list_resources(void *api, struct http_request *request)
{
	ask(api, request, "resources");
}

void api_list_updates(void *api, struct http_request *request)
{
	ask(api, request, "updates");
}
