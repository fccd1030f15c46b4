#include "api/api_exec.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_question.h"
#include "api/api_view.h"
#include "api/api_visit.h"
#include "base/clock.h"
#include "base/text.h"
#include "control/job_request.h"
#include "http/http_tunnel.h"
#include "wire/tunnel_frames.h"

enum {
	WORDS_MAX = 256,
	COMMAND_BYTES_MAX = 16384, /* they go to the worker through a pipe, with all else */
	WINDOW_MAX = 10000,
	AUDIT_AGAIN_MS = 10 * 60000, /* a connection that was made like this just before */
	/* The worker keeps to its limit itself, and can tell the client so. */
	LIMIT_GRACE_MS = 30000,
};

/* Lives until the worker and the tunnel are both over. */
struct reach {
	struct api *api;
	struct http_request *request;  /* until it is answered */
	struct api_question *question; /* NULL once it has ended */
	struct api_visit *visit;
	int fd; /* our end of what the worker has the other of; -1 once the tunnel has it */
	bool has_tunnel;
};

static void forget(struct reach *reach)
{
	if (reach->question || reach->has_tunnel || reach->request)
		return;
	api_visit_leave(reach->visit);
	reach->api->reach_count--;
	if (reach->fd >= 0)
		close(reach->fd);
	free(reach);
}

/* ---- the tunnel ---- */

static void on_tunnel_end(void *arg)
{
	struct reach *reach = arg;

	/* The worker sees the end of its own side, and cleans up. */
	reach->has_tunnel = false;
	forget(reach);
}

static void begin(struct reach *reach)
{
	struct http_request *request = TAKE(reach->request);
	struct http_tunnel_spec spec = {
		.protocol = TUNNEL_PROTOCOL, .fd = reach->fd, .on_end = on_tunnel_end, .arg = reach
	};
	struct error err;

	if (!http_tunnel_start(request, &spec, &err)) {
		api_answer_error(request, &err);
		api_question_stop(reach->question);
		return;
	}
	reach->fd = -1;
	reach->has_tunnel = true;
}

/* ---- the worker ---- */

static void on_line(void *arg, enum worker_line_type type, const json_t *object)
{
	struct reach *reach = arg;

	if (type == WORKER_OTHER && reach->request &&
	    strcmp(json_get_string(object, "type", ""), "begun") == 0)
		begin(reach);
}

static void on_worker_end(void *arg, const json_t *data, const struct error *failure)
{
	struct reach *reach = arg;
	struct error err;

	(void)data;
	reach->question = NULL;
	if (reach->request) {
		error_set_as(&err, ERR_EXTERNAL, "worker_failed", "it ended before it began");
		api_answer_error(TAKE(reach->request), failure ? failure : &err);
	}
	forget(reach);
}

/* The client left before it began, or its token has ended. */
static void stop(void *arg)
{
	struct reach *reach = arg;

	if (reach->question)
		api_question_stop(reach->question);
}

static bool start_worker(struct reach *reach, const json_t *worker_request, struct error *err)
{
	struct api_question_spec spec = {
		.request = worker_request, .on_line = on_line, .on_end = on_worker_end, .arg = reach
	};
	AUTO(close) int theirs = -1;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_errno(err, errno, "cannot make a pair of sockets");
	reach->fd = ends[0];
	theirs = ends[1];
	spec.client_fd = theirs;
	spec.time_limit_ms = reach->api->control->settings->exec_limit_ms + LIMIT_GRACE_MS;
	return api_question_ask(reach->api, &spec, &reach->question, err);
}

static void describe_forward(const struct api_change *change, char what[], size_t size)
{
	snprintf(what, size, "%s %s %s %s %lld", change->caller.name, change->caller.token,
		 change->env.text, json_get_string(change->body, "service", ""),
		 (long long)json_get_int64(change->body, "port", 0));
}

/* The same caller was let through to the same port a moment ago: it is in the history. */
static bool is_repeated(const struct api_change *change)
{
	const struct recent_forward *recent = change->api->forwards;
	char what[sizeof(recent->what)];

	describe_forward(change, what, sizeof(what));
	for (size_t i = 0; i < RECENT_FORWARDS; i++)
		if (strcmp(recent[i].what, what) == 0 &&
		    clock_mono_ms() - recent[i].at_mono_ms < AUDIT_AGAIN_MS)
			return true;
	return false;
}

/* Only after the commit: what a lost turn did not write down is not in the history. */
static void note_forward(struct api_change *change)
{
	struct recent_forward *recent = change->api->forwards, *oldest = recent;

	for (size_t i = 1; i < RECENT_FORWARDS; i++)
		if (recent[i].at_mono_ms < oldest->at_mono_ms)
			oldest = &recent[i];
	describe_forward(change, oldest->what, sizeof(oldest->what));
	oldest->at_mono_ms = clock_mono_ms();
}

/* After the commit: it is in the audit history, so it may begin. */
static void answer(struct api_change *change)
{
	struct reach *reach = change->reach;
	struct error err;

	change->reach = NULL;
	if (strcmp(change->verb, "forward") == 0 && !change->was_there)
		note_forward(change);
	if (start_worker(reach, change->question, &err)) {
		http_request_on_left(reach->request, stop, reach);
		return;
	}
	api_answer_error(TAKE(reach->request), &err);
	forget(reach);
}

/* ---- asking ---- */

/* One that failed may be looked into for as long as it is kept. */
bool api_can_be_reached(const struct environment *environment, struct error *err)
{
	switch (environment->state) {
	case ENV_CHECKING:
	case ENV_READY:
	case ENV_FAILED:
		return true;
	case ENV_DESTROYING:
	case ENV_DESTROYED:
		return error_set_as(err, ERR_GONE, "environment_ended",
				    "environment \"%s\" has ended", environment->name);
	default:
		return error_set_as(err, ERR_CONFLICT, "environment_not_ready",
				    "environment \"%s\" is %s: there is nothing to reach into yet",
				    environment->name, env_state_name(environment->state));
	}
}

static bool apply(struct api_change *change, struct store_tx *tx, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;
	const struct api *api = change->api;

	if (!api_change_environment(change, tx, &environment, err) ||
	    !permission_check(&change->caller, MAY_REACH_INTO, environment->project, err) ||
	    !api_can_be_reached(environment, err) ||
	    /* It lasts as long as the client wants, within its own limit. */
	    !job_request_question(api->control, environment, change->verb, true, &change->question,
				  err))
		return false;
	json_object_set(change->question, change->verb, change->body);
	change->was_there = strcmp(change->verb, "forward") == 0 && is_repeated(change);
	return true;
}

static bool read_service(const json_t *body, struct error *err)
{
	const char *service;

	if (!json_read_string(body, "service", &service, err))
		return false;
	/* It becomes part of a path at the runtime. */
	if (!*service || strlen(service) > 100 || service[0] == '.' ||
	    service[strspn(service, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._-")])
		return error_set_as(err, ERR_NOT_FOUND, "service_not_found",
				    "\"service\" is not the name of a service");
	return true;
}

static bool read_command(const json_t *body, struct error *err)
{
	const json_t *command, *word;
	size_t i, bytes = 0;

	if (!json_read_array(body, "command", &command, err))
		return false;
	json_array_foreach(command, i, word) {
		if (!json_is_string(word) ||
		    strlen(json_string_value(word)) != json_string_length(word))
			return error_set(err, ERR_INVALID, "\"command\" must be a list of strings");
		bytes += json_string_length(word) + 1;
	}
	if (!json_array_size(command) || !*json_string_value(json_array_get(command, 0)))
		return error_set(err, ERR_INVALID, "\"command\" must name a program");
	if (json_array_size(command) > WORDS_MAX || bytes > COMMAND_BYTES_MAX)
		return error_set(err, ERR_INVALID,
				 "\"command\" may have %d words and %d bytes: give more as input",
				 WORDS_MAX, COMMAND_BYTES_MAX);
	return true;
}

static bool read_terminal(const json_t *body, struct error *err)
{
	const json_t *terminal;
	int64_t rows, columns;

	if (!json_has(body, "terminal"))
		return true;
	if (!json_read_object(body, "terminal", &terminal, err) ||
	    !json_read_int64(terminal, "rows", &rows, err) ||
	    !json_read_int64(terminal, "columns", &columns, err))
		return false;
	if (rows < 1 || rows > WINDOW_MAX || columns < 1 || columns > WINDOW_MAX)
		return error_set(err, ERR_INVALID, "\"terminal\" has 1 to %d rows and columns",
				 WINDOW_MAX);
	return true;
}

static bool read_exec(struct api_change *change, struct error *err)
{
	static const char *const known[] = { "service", "command", "terminal", NULL };
	const json_t *body;
	char program[100];

	if (!http_request_json(change->request, &change->body, err) ||
	    !json_only_keys(change->body, known, err) || !read_service(change->body, err) ||
	    !read_command(change->body, err) || !read_terminal(change->body, err))
		return false;
	body = change->body;
	/* Arguments may be secrets; the name of a program is none. */
	text_printable(json_string_value(json_array_get(json_object_get(body, "command"), 0)),
		       program, sizeof(program));
	change->detail =
	    json_pack("{s:s, s:s, s:b}", "service", json_get_string(body, "service", ""), "program",
		      program, "terminal", json_has(body, "terminal"));
	json_object_set_new(change->body, "limit_ms",
			    json_integer(change->api->control->settings->exec_limit_ms));
	return true;
}

static bool read_forward(struct api_change *change, struct error *err)
{
	static const char *const known[] = { "service", "port", NULL };
	int64_t port;

	if (!http_request_json(change->request, &change->body, err) ||
	    !json_only_keys(change->body, known, err) || !read_service(change->body, err) ||
	    !json_read_int64(change->body, "port", &port, err))
		return false;
	if (port < 1 || port > 65535)
		return error_set(err, ERR_INVALID, "\"port\" must be 1 to 65535");
	change->detail = json_incref(change->body);
	return true;
}

static bool has_room(const struct api *api, struct error *err)
{
	int64_t max = api->control->settings->execs_max;

	if ((int64_t)api->reach_count < max)
		return true;
	return error_set_as(err, ERR_LIMIT, "too_many_execs",
			    "all %lld commands and connections into environments of this server "
			    "are taken",
			    (long long)max);
}

static void reach_into(struct api *api, struct http_request *request, const char *verb,
		       bool (*read)(struct api_change *change, struct error *err))
{
	AUTO(api_change_free) struct api_change *change = api_change_new(api, request, verb);
	AUTO(environment_free) struct environment *environment = NULL;
	struct error err;

	change->apply = apply;
	change->answer = answer;
	if (!api_view_find(api, request, &environment, &err) || !read(change, &err) ||
	    !http_tunnel_is_wanted(request, TUNNEL_PROTOCOL, &err) || !has_room(api, &err)) {
		api_answer_error(request, &err);
		return;
	}
	change->reach = xcalloc(1, sizeof(*change->reach));
	*change->reach = (struct reach){ .api = api, .request = request, .fd = -1 };
	change->reach->visit = api_visit_begin(api, stop, change->reach);
	api->reach_count++;
	api_change_submit(TAKE(change));
}

void api_exec(void *api, struct http_request *request)
{
	reach_into(api, request, "exec", read_exec);
}

void api_forward(void *api, struct http_request *request)
{
	reach_into(api, request, "forward", read_forward);
}

/* The change was refused: its request is answered by who refused it. */
void api_reach_drop(struct reach *reach)
{
	if (!reach)
		return;
	reach->request = NULL;
	forget(reach);
}
