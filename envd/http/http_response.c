#include "http/http_response.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/http_pool.h"
#include "http/http_server.h"
#include "http/http_status.h"
#include "wire/problem_json.h"

void http_response_header(struct http_request *request, const char *name, const char *value)
{
	struct evhttp_request *raw = http_request_raw(request);

	if (raw)
		evhttp_add_header(evhttp_request_get_output_headers(raw), name, value);
}

void http_response_add_common(struct http_request *request, const char *content_type)
{
	http_response_header(request, "Content-Type", content_type);
	http_response_header(request, "X-Request-Id", http_request_id(request));
	http_response_header(request, HTTP_VERSION_HEADER, ENVD_VERSION);
	http_response_header(request, "X-Content-Type-Options", "nosniff");
	http_response_header(request, "Cache-Control", "no-store");
	http_response_header(request, "Connection", "close");
}

void http_response_count(struct http_request *request, int status)
{
	const struct http_pool *pool = http_request_pool(request);

	if (pool->on_answered)
		pool->on_answered(pool->on_answered_arg, request, status);
}

/* `buffer` is freed. */
static void answer_buffer(struct http_request *request, int status, const char *content_type,
			  struct evbuffer *buffer)
{
	struct evhttp_request *raw = http_request_raw(request);

	http_response_count(request, status);
	if (!raw) {
		http_request_free(request);
		evbuffer_free(buffer);
		return;
	}
	http_response_add_common(request, content_type);
	/* An answer to HEAD has no body, and the library would send it. */
	if (evhttp_request_get_command(raw) == EVHTTP_REQ_HEAD)
		evbuffer_drain(buffer, evbuffer_get_length(buffer));
	http_connection_enter(http_request_connection(request), HTTP_ANSWERING,
			      clock_mono_ms() +
				  http_request_pool(request)->settings->answer_deadline_ms);
	http_request_free(request);
	evhttp_send_reply(raw, status, http_status_text(status), buffer);
	evbuffer_free(buffer);
}

static void answer(struct http_request *request, int status, const char *content_type,
		   const char *body)
{
	struct evbuffer *buffer = evbuffer_new();

	evbuffer_add(buffer, body, strlen(body));
	answer_buffer(request, status, content_type, buffer);
}

static void answer_json(struct http_request *request, int status, const char *content_type,
			const json_t *json)
{
	AUTO(text_release) struct text body = TEXT_EMPTY;
	AUTO(free) char *text = json_to_text(json);

	text_add(&body, text);
	text_add_char(&body, '\n');
	answer(request, status, content_type, body.bytes);
}

static void free_bytes(const void *bytes, size_t length, void *unused)
{
	(void)length;
	(void)unused;
	free((void *)(uintptr_t)bytes);
}

void http_answer_json_text(struct http_request *request, int status, struct text *json)
{
	struct evbuffer *buffer = evbuffer_new();
	size_t length;
	char *bytes;

	text_add_char(json, '\n');
	length = json->length;
	bytes = text_take(json);
	/* Not copied: a page is more than a megabyte. */
	if (evbuffer_add_reference(buffer, bytes, length, free_bytes, NULL) != 0)
		free(bytes);
	answer_buffer(request, status, "application/json", buffer);
}

void http_answer_json(struct http_request *request, int status, const json_t *json)
{
	answer_json(request, status, "application/json", json);
}

void http_answer_text(struct http_request *request, int status, const char *content_type,
		      const char *text)
{
	answer(request, status, content_type, text);
}

void http_answer_file(struct http_request *request, const char *content_type, const char *name,
		      int fd, int64_t bytes)
{
	AUTO(free) char *disposition = xasprintf("attachment; filename=\"%s\"", name);
	struct evbuffer *buffer = evbuffer_new();

	/* Sent by the kernel from the file, a piece at a time: it is never in our memory. */
	if (evbuffer_add_file(buffer, fd, 0, (ev_off_t)bytes) != 0)
		close(fd);
	http_response_header(request, "Content-Disposition", disposition);
	answer_buffer(request, 200, content_type, buffer);
}

void http_answer_problem(struct http_request *request, int status, const struct error *problem)
{
	AUTO(json_decref) json_t *json = problem_json(status, problem, http_request_id(request));

	answer_json(request, status, PROBLEM_CONTENT_TYPE, json);
}
