#include "api/api_services.h"

#include "api/api_errors.h"
#include "api/api_question.h"
#include "api/api_view.h"
#include "control/job_request.h"
#include "http/http_response.h"

enum { INSPECT_LIMIT_MS = 20000 };

static void on_line(void *arg, enum worker_line_type type, const json_t *object)
{
	(void)arg;
	(void)type;
	(void)object;
}

static void on_end(void *arg, const json_t *data, const struct error *failure)
{
	struct http_request *request = arg;
	AUTO(json_decref) json_t *nothing = json_object();

	if (failure)
		api_answer_error(request, failure);
	else
		http_answer_json(request, 200, data ? data : nothing);
}

static bool require_existence(const struct environment *environment, struct error *err)
{
	if (environment->state == ENV_DESTROYED)
		return error_set_as(err, ERR_GONE, "environment_ended",
				    "environment \"%s\" is gone", environment->name);
	return true;
}

void api_get_services(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(json_decref) json_t *worker_request = NULL;
	struct api_question *question;
	struct api *api = arg;
	struct error err;

	if (!api_view_find(api, request, &environment, &err) ||
	    !require_existence(environment, &err) ||
	    !job_request_question(api->control, environment, "inspect", false, &worker_request,
				  &err) ||
	    !api_question_ask(api,
			      &(struct api_question_spec){ .request = worker_request,
							   .time_limit_ms = INSPECT_LIMIT_MS,
							   .on_line = on_line,
							   .on_end = on_end,
							   .arg = request },
			      &question, &err))
		api_answer_error(request, &err);
}
