/*
 * http_response.h - what came back, as subjects of expectations.
 */
#ifndef ENVD_CHECK_HTTP_RESPONSE_H
#define ENVD_CHECK_HTTP_RESPONSE_H

#include <jansson.h>

#include "base/text.h"
#include "model/observed.h"

#define HTTP_BODY_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define HTTP_HEADERS_MAX 200

struct http_header {
	char *name; /* lower case */
	char *value;
};

struct http_response {
	long status;
	long http_version; /* 10, 11, 20 */
	long redirects;
	int64_t duration_us;
	size_t size; /* of the body, kept or not */
	bool keeps_body;
	bool is_body_too_large;
	struct text body;
	char *url; /* where it came from in the end */
	struct http_header *headers;
	size_t header_count;
	json_t *json; /* of the body, parsed when first asked for */
	bool is_json_tried;
};

void http_response_release(struct http_response *response);

/* "Name: value", without its line end; too many are dropped. */
void http_response_add_header(struct http_response *response, const char *line, size_t length);

/* Only those that this response itself says: status, body, header.X, cookie.X, json.X ... */
struct observed http_response_look(struct http_response *response, const char *subject);

/* The value that this response gives to a cookie; the caller frees. NULL: it sets none, or deletes
 * it. */
char *http_response_cookie(const struct http_response *response, const char *name);

#endif
