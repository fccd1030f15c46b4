#include "api/api_logs.h"

#include <string.h>

#include "api/api_errors.h"
#include "api/api_question.h"
#include "api/api_view.h"
#include "api/api_visit.h"
#include "base/text.h"
#include "control/job_request.h"
#include "http/http_stream.h"

enum {
	TAIL_DEFAULT = 100,
	TAIL_MAX = 100000,
	LOGS_LIMIT_MS = 60000, /* without follow: the engine has only to write down what there is */
	/* With less room than the longest line needs, the worker waits. */
	ROOM_WANTED = 262144,
};

/*
 * The answer begins with the first line, so that an engine that fails before it can still be told
 * with a status of its own. It lives until the worker and the reader are both gone.
 */
struct log_stream {
	struct http_request *request;  /* until the answer has begun */
	struct http_stream *stream;    /* from then on, until its end */
	struct api_question *question; /* NULL once it has ended */
	struct api_visit *visit;
	bool is_paused;
};

static void forget(struct log_stream *logs)
{
	if (logs->question || logs->stream || logs->request)
		return;
	api_visit_leave(logs->visit);
	free(logs);
}

static void on_room(void *arg)
{
	struct log_stream *logs = arg;

	if (!logs->is_paused || !logs->question)
		return;
	logs->is_paused = false;
	api_question_resume(logs->question);
}

static void on_reader_end(void *arg)
{
	struct log_stream *logs = arg;

	logs->stream = NULL;
	if (logs->question)
		api_question_stop(logs->question);
	forget(logs);
}

/* The client left before the answer began, or its token has ended. */
static void stop(void *arg)
{
	struct log_stream *logs = arg;

	if (logs->question)
		api_question_stop(logs->question);
}

/* False: it has been answered otherwise. */
static bool begin(struct log_stream *logs)
{
	struct http_stream_spec spec = {
		.content_type = "application/x-ndjson",
		.on_room = on_room,
		.on_end = on_reader_end,
		.arg = logs,
	};
	struct http_request *request = TAKE(logs->request);
	struct error err;

	if (http_stream_start(request, &spec, &logs->stream, &err))
		return true;
	api_answer_error(request, &err);
	return false;
}

static void send_object(struct log_stream *logs, const json_t *object)
{
	AUTO(free) char *text = json_to_text(object);
	AUTO(text_release) struct text line = TEXT_EMPTY;

	text_add(&line, text);
	text_add_char(&line, '\n');
	http_stream_send(logs->stream, line.bytes, line.length);
	if (logs->question && !logs->is_paused && http_stream_room(logs->stream) < ROOM_WANTED) {
		logs->is_paused = true;
		api_question_pause(logs->question);
	}
}

static void on_line(void *arg, enum worker_line_type type, const json_t *object)
{
	struct log_stream *logs = arg;
	AUTO(json_decref) json_t *line = NULL;

	if (type != WORKER_OTHER || strcmp(json_get_string(object, "type", ""), "line") != 0)
		return;
	if (logs->request && !begin(logs))
		api_question_stop(logs->question);
	if (!logs->stream)
		return;
	line = json_copy((json_t *)(uintptr_t)object);
	json_object_del(line, "type");
	send_object(logs, line);
}

static void send_error(struct log_stream *logs, const struct error *failure)
{
	AUTO(json_decref) json_t *line = json_object();

	json_object_set_new(line, "error", error_to_json(failure));
	send_object(logs, line);
}

static void on_worker_end(void *arg, const json_t *data, const struct error *failure)
{
	struct log_stream *logs = arg;

	(void)data;
	logs->question = NULL;
	if (logs->request && failure)
		api_answer_error(TAKE(logs->request), failure);
	else if (logs->request)
		begin(logs); /* nothing was said: an empty answer */
	else if (logs->stream && failure)
		send_error(logs, failure);
	if (logs->stream)
		http_stream_end(logs->stream);
	forget(logs);
}

/* The request of the worker with what is asked of the logs. */
static bool make_request(struct api *api, const struct http_request *request, json_t **made,
			 bool *follow, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;
	const char *service = http_request_query(request, "service");
	int64_t tail;

	if (!http_request_query_bool(request, "follow", follow, err) ||
	    !http_request_query_int64(request, "tail", TAIL_DEFAULT, 0, TAIL_MAX, &tail, err) ||
	    !api_view_find(api, request, &environment, err))
		return false;
	if (environment->state == ENV_DESTROYED)
		return error_set_as(err, ERR_GONE, "environment_ended",
				    "environment \"%s\" is gone, and its logs with it",
				    environment->name);
	if (!job_request_question(api->control, environment, "logs", *follow, made, err))
		return false;
	json_object_set_new(*made, "logs",
			    json_pack("{s:s?, s:b, s:I}", "service", service, "follow", *follow,
				      "tail", (json_int_t)tail));
	return true;
}

/* Logs may hold what their services know: only for those who may change the environment. */
static bool may_read(struct api *api, const struct http_request *request, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;

	return api_view_find(api, request, &environment, err) &&
	       permission_check(&api->caller, MAY_READ_LOGS, environment->project, err);
}

void api_stream_logs(void *arg, struct http_request *request)
{
	AUTO(json_decref) json_t *worker_request = NULL;
	struct log_stream *logs = xcalloc(1, sizeof(*logs));
	struct api_question_spec spec = { .on_line = on_line,
					  .on_end = on_worker_end,
					  .arg = logs };
	struct api *api = arg;
	struct error err;
	bool follow;

	if (may_read(api, request, &err) &&
	    make_request(api, request, &worker_request, &follow, &err)) {
		spec.request = worker_request;
		spec.time_limit_ms = follow ? 0 : LOGS_LIMIT_MS;
		if (api_question_ask(api, &spec, &logs->question, &err)) {
			logs->request = request;
			http_request_on_left(request, stop, logs);
			logs->visit = api_visit_begin(api, stop, logs);
			return;
		}
	}
	free(logs);
	api_answer_error(request, &err);
}
