#include "http/http_response.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <string.h>

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

static void answer(struct http_request *request, int status, const char *content_type,
		   const char *body)
{
	struct evhttp_request *raw = http_request_raw(request);
	struct evbuffer *buffer;

	if (!raw) {
		http_request_free(request);
		return;
	}
	http_response_add_common(request, content_type);
	buffer = evbuffer_new();
	/* An answer to HEAD has no body, and the library would send it. */
	if (evhttp_request_get_command(raw) != EVHTTP_REQ_HEAD)
		evbuffer_add(buffer, body, strlen(body));
	http_connection_enter(http_request_connection(request), HTTP_ANSWERING,
			      clock_mono_ms() +
				  http_request_pool(request)->settings->answer_deadline_ms);
	http_request_free(request);
	evhttp_send_reply(raw, status, http_status_text(status), buffer);
	evbuffer_free(buffer);
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

void http_answer_json(struct http_request *request, int status, const json_t *json)
{
	answer_json(request, status, "application/json", json);
}

void http_answer_text(struct http_request *request, int status, const char *content_type,
		      const char *text)
{
	answer(request, status, content_type, text);
}

void http_answer_problem(struct http_request *request, int status, const struct error *problem)
{
	AUTO(json_decref) json_t *json = problem_json(status, problem, http_request_id(request));

	answer_json(request, status, PROBLEM_CONTENT_TYPE, json);
}
