#include "api/api_kubeconfig.h"

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_exec.h"
#include "api/api_question.h"
#include "control/job_request.h"
#include "http/http_response.h"

enum { LOOK_LIMIT_MS = 20000 };

static void on_line(void *arg, enum worker_line_type type, const json_t *object)
{
	(void)arg;
	(void)type;
	(void)object;
}

/* It goes to whoever asked, and nowhere else: no log, no history and no store sees it. */
static void on_end(void *arg, const json_t *data, const struct error *failure)
{
	struct http_request *request = arg;

	if (failure)
		api_answer_error(request, failure);
	else
		http_answer_json(request, 200, json_object_get(data, "kubeconfig"));
}

/* After the commit: that it was asked for is in the audit history. */
static void answer(struct api_change *change)
{
	struct api_question *question;
	struct error err;

	if (!api_question_ask(change->api,
			      &(struct api_question_spec){ .request = change->question,
							   .time_limit_ms = LOOK_LIMIT_MS,
							   .on_line = on_line,
							   .on_end = on_end,
							   .arg = change->request },
			      &question, &err))
		api_answer_error(change->request, &err);
}

static bool apply(struct api_change *change, struct store_tx *tx, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;

	return api_change_environment(change, tx, &environment, err) &&
	       permission_check(&change->caller, MAY_REACH_INTO, environment->project, err) &&
	       api_can_be_reached(environment, err) &&
	       job_request_question(change->api->control, environment, change->verb, false,
				    &change->question, err);
}

void api_give_kubeconfig(void *api, struct http_request *request)
{
	struct api_change *change = api_change_new(api, request, "kubeconfig");

	change->apply = apply;
	change->answer = answer;
	api_change_submit(change);
}
