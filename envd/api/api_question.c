#include "api/api_question.h"

#include "base/files.h"
#include "base/spawn.h"
#include "loop/child.h"

enum { QUESTIONS_MAX = 16, STOP_GRACE_MS = 2000, CLIENT_GRACE_MS = 15000 };

struct api_question {
	LIST_ENTRY(api_question) link;
	struct api *api;
	struct child *child;
	struct api_question_spec spec;
	bool is_stopped;
	json_t *result;
	struct error failure; /* without a result: what was wrong with the lines */
	bool has_failed;
};

static void take_line(struct api_question *question, const char *line, size_t length)
{
	AUTO(json_decref) json_t *object = NULL;
	enum worker_line_type type;

	if (!worker_line_parse(line, length, &type, &object, &question->failure)) {
		question->has_failed = true;
		return;
	}
	if (type == WORKER_RESULT && !question->result)
		question->result = json_incref(object);
	else
		question->spec.on_line(question->spec.arg, type, object);
}

static void on_line(void *arg, int stream, const char *line, size_t length)
{
	struct api_question *question = arg;

	if (stream == STDOUT_FILENO && !question->has_failed)
		take_line(question, line, length);
}

/* True if the answer can be used. */
static bool judge(struct api_question *question, const struct child_end *end, struct error *err)
{
	if (question->result)
		return !worker_result_error(question->result, err);
	if (question->is_stopped)
		return true; /* nobody wants to know any more */
	if (question->has_failed)
		*err = question->failure;
	else if (end->ending == CHILD_STOPPED)
		error_set_as(err, ERR_TIMEOUT, "engine_silent",
			     "the engine did not answer in %lld ms",
			     (long long)question->spec.time_limit_ms);
	else
		error_set_as(err, ERR_EXTERNAL, "worker_failed",
			     "the worker ended without an answer");
	return false;
}

static void finish(struct api_question *question, const struct error *failure)
{
	LIST_REMOVE(question, link);
	question->api->question_count -= !question->spec.client_fd;
	question->spec.on_end(question->spec.arg, json_object_get(question->result, "data"),
			      failure);
	json_decref(question->result);
	free(question);
}

static void on_end(void *arg, const struct child_end *end)
{
	struct api_question *question = arg;
	struct error err;
	bool is_good = judge(question, end, &err);

	finish(question, is_good ? NULL : &err);
}

void api_question_abandon(struct api_question *question)
{
	struct error err;

	error_set_as(&err, ERR_UNAVAILABLE, "shutting_down", "the server is shutting down");
	child_drop(question->child);
	finish(question, &err);
}

static bool start(struct api_question *question, const char *program, const char *input,
		  struct error *err)
{
	const char *const argv[] = { program, "worker", "--direct", "/dev/stdin", NULL };
	AUTO(free) char **variables = variables_pick(variables_of_workers());
	struct child_spec spec = {
		.argv = argv,
		.variables = (const char *const *)variables,
		.input = input,
		.time_limit_ms = question->spec.time_limit_ms,
		.extra_fd = question->spec.client_fd,
		.grace_ms = question->spec.client_fd ? CLIENT_GRACE_MS : STOP_GRACE_MS,
		.line_bytes_max = WORKER_LINE_BYTES_MAX,
		.on_line = on_line,
		.on_end = on_end,
		.arg = question,
	};

	return child_start(question->api->control->loop, &spec, &question->child, err);
}

bool api_question_ask(struct api *api, const struct api_question_spec *spec,
		      struct api_question **asked, struct error *err)
{
	AUTO(free) char *input = json_to_text(spec->request), *folder = NULL, *program = NULL;
	struct api_question *question;

	if (!spec->client_fd && api->question_count >= QUESTIONS_MAX)
		return error_set_as(err, ERR_LIMIT, "too_many_questions",
				    "%d questions to engines are under way already", QUESTIONS_MAX);
	folder = path_of_program_folder();
	program = path_join(folder, "envd");
	question = xcalloc(1, sizeof(*question));
	question->api = api;
	question->spec = *spec;
	question->spec.request = NULL; /* the caller's */
	if (!start(question, program, input, err)) {
		free(question);
		return false;
	}
	api->question_count += !spec->client_fd;
	LIST_INSERT_HEAD(&api->questions, question, link);
	*asked = question;
	return true;
}

void api_question_stop(struct api_question *question)
{
	question->is_stopped = true;
	child_resume(question->child);
	child_stop(question->child);
}

void api_question_pause(struct api_question *question)
{
	child_pause(question->child);
}

void api_question_resume(struct api_question *question)
{
	child_resume(question->child);
}
