/*
 * http_response.h - answers. Each consumes the request, and every answer closes the connection:
 * that leaves no question of where the next request begins.
 */
#ifndef ENVD_HTTP_HTTP_RESPONSE_H
#define ENVD_HTTP_HTTP_RESPONSE_H

#include "base/text.h"
#include "http/http_request.h"

/* Before the answer. The value must not come from a client unchecked. */
void http_response_header(struct http_request *request, const char *name, const char *value);

/* `json` is borrowed. */
void http_answer_json(struct http_request *request, int status, const json_t *json);
/* JSON that is text already; `json` is empty afterwards. */
void http_answer_json_text(struct http_request *request, int status, struct text *json);
void http_answer_text(struct http_request *request, int status, const char *content_type,
		      const char *text);
/* The rest of an open file, as a download called `name` (which needs no quoting); takes the
 * descriptor over. */
void http_answer_file(struct http_request *request, const char *content_type, const char *name,
		      int fd, int64_t bytes);
void http_answer_problem(struct http_request *request, int status, const struct error *problem);

/* An answer begins, for those who count. For http/. */
void http_response_count(struct http_request *request, int status);

/* The headers that every answer has. For http/. */
void http_response_add_common(struct http_request *request, const char *content_type);

#endif
