#include "engine/container/container_logs.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "engine/container/container_inventory.h"
#include "engine/container/container_names.h"
#include "engine/container/docker_stream.h"

/* Bytes that are not UTF-8 are no JSON. */
static json_t *line_text(const char *line, size_t length)
{
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (!text_is_utf8(line, length)) {
		AUTO(free) char *plain = xstrndup(line, length);

		for (char *at = plain; *at; at++)
			if ((unsigned char)*at >= 0x80)
				*at = '?';
		return json_string(plain);
	}
	return json_stringn(line, length);
}

static void append_line(void *arg, int stream, const char *line, size_t length)
{
	json_t *lines = arg;

	(void)stream;
	json_array_append_new(lines, line_text(line, length));
}

json_t *logs_tail(struct runtime *runtime, const char *container, int64_t line_count)
{
	AUTO(docker_call_free)
	struct docker_call *call = docker_call_new(
	    "GET", "/containers/%s/logs?stdout=1&stderr=1&tail=%" PRId64, container, line_count);
	json_t *lines = json_array();
	struct docker_stream stream = { .on_line = append_line, .arg = lines };
	struct error ignored; /* see the header */

	if (!docker_run(runtime->docker, call, &ignored) || !docker_succeeded(call))
		return lines;
	docker_stream_feed(&stream, text_get(&call->answer), call->answer.length);
	docker_stream_end(&stream);
	return lines;
}

/* ---- the verb ---- */

struct follower {
	struct worker_lines *lines;
	char *service;
	struct docker_call *call;
	struct docker_stream stream;
};

/* With ?timestamps=1 a line is "2026-11-24T20:17:02.183386767Z text". */
static void say_line(void *arg, int stream, const char *line, size_t length)
{
	const struct follower *follower = arg;
	const char *blank = memchr(line, ' ', length);
	size_t at_length = blank ? (size_t)(blank - line) : 0;
	AUTO(free) char *at = xstrndup(line, at_length);
	struct error ignored; /* a line without a time is shown without one */
	AUTO(json_decref) json_t *object = NULL;
	char shown[CLOCK_TEXT_SIZE];
	int64_t at_ms;
	bool has_time = clock_parse(at, &at_ms, &ignored);
	size_t skip = has_time ? at_length + 1 : 0;

	object =
	    json_pack("{s:s, s:s, s:s, s:s?, s:o}", "type", "line", "service", follower->service,
		      "stream", stream == DOCKER_STDERR ? "stderr" : "stdout", "at",
		      has_time ? clock_format(at_ms, shown) : NULL, "text",
		      line_text(line + skip, length - skip));
	worker_say(follower->lines, object);
}

static bool on_log_bytes(struct docker_call *call, const char *bytes, size_t length)
{
	struct follower *follower = call->arg;

	docker_stream_feed(&follower->stream, bytes, length);
	return true;
}

static void follower_init(struct follower *follower, struct worker_lines *lines, const json_t *item,
			  bool follow, int64_t tail_lines)
{
	const json_t *labels = json_object_get(item, "labels");
	char tail[24] = "all";

	if (tail_lines >= 0)
		snprintf(tail, sizeof(tail), "%" PRId64, tail_lines);
	follower->lines = lines;
	follower->service = xstrdup(json_get_string(labels, LABEL_SERVICE, ""));
	follower->stream = (struct docker_stream){ .on_line = say_line, .arg = follower };
	follower->call = docker_call_new(
	    "GET", "/containers/%s/logs?stdout=1&stderr=1&timestamps=1&follow=%d&tail=%s",
	    json_get_string(item, "id", ""), follow, tail);
	follower->call->on_bytes = on_log_bytes;
	follower->call->arg = follower;
	if (follow)
		follower->call->time_limit_ms = 0;
}

static bool run_followers(struct runtime *runtime, struct follower *followers, size_t count,
			  struct error *err)
{
	AUTO(free) struct docker_call **calls = xcalloc(count, sizeof(*calls));
	bool is_good = true;

	for (size_t i = 0; i < count; i++)
		calls[i] = followers[i].call;
	docker_run_all(runtime->docker, calls, count);
	for (size_t i = 0; i < count; i++) {
		docker_stream_end(&followers[i].stream);
		if (!docker_succeeded(calls[i]) && calls[i]->status != 404)
			is_good = docker_refusal(calls[i], err);
	}
	return is_good;
}

static bool is_wanted(const json_t *item, const char *service)
{
	const char *own = json_get_string(json_object_get(item, "labels"), LABEL_SERVICE, NULL);

	return strcmp(json_get_string(item, "kind", ""), "container") == 0 && own &&
	       (!service || strcmp(own, service) == 0);
}

bool container_logs(const struct engine_request *request, const char *service, bool follow,
		    int64_t tail_lines, struct worker_lines *lines, struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(json_decref) json_t *items = NULL;
	AUTO(free) struct follower *followers = NULL;
	size_t count = 0, i;
	const json_t *item;
	bool is_good = false;

	if (!runtime_open(request, &runtime, err) ||
	    !inventory_take(&runtime, request->instance, &request->environment, &items, err))
		return false;
	followers = xcalloc(json_array_size(items) + 1, sizeof(*followers));
	json_array_foreach(items, i, item)
		if (is_wanted(item, service))
			follower_init(&followers[count++], lines, item, follow, tail_lines);
	if (count == 0)
		error_set_as(err, ERR_NOT_FOUND, "service_not_found",
			     service ? "there is no container of service \"%s\""
				     : "there is no container of this environment",
			     service);
	else
		is_good = run_followers(&runtime, followers, count, err);
	for (i = 0; i < count; i++) {
		free(followers[i].service);
		docker_call_free(followers[i].call);
	}
	return is_good;
}
