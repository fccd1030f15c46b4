/*
 * http_request.h - one request, from its arrival until it is answered.
 *
 * It is answered exactly once, by a function of http_response.h or by http_stream_start(), which
 * takes it over; it may be answered in a later turn. A client that left meanwhile changes nothing:
 * the request stays as it is, and its answer goes nowhere.
 *
 * Everything that was sent has been copied and checked (http_strict.h); strings live as long as
 * the request.
 */
#ifndef ENVD_HTTP_HTTP_REQUEST_H
#define ENVD_HTTP_HTTP_REQUEST_H

#include <stdint.h>

#include "base/json_read.h"
#include "http/http_connection.h"
#include "http/http_router.h"

#define HTTP_REQUEST_ID_SIZE 17

struct evhttp_request;
struct http_pool;

const char *http_request_id(const struct http_request *request); /* random; X-Request-Id */
const char *http_request_method(const struct http_request *request);
/* The path of the route that it was matched to, "/v1/environments/{env}"; NULL: of none. */
const char *http_request_route(const struct http_request *request);
const char *http_request_path(const struct http_request *request); /* decoded, no query */
const struct http_peer *http_request_peer(const struct http_request *request);

/* NULL when it was not sent. */
const char *http_request_header(const struct http_request *request, const char *name);
const char *http_request_query(const struct http_request *request, const char *name);

/* The value or `otherwise`. ERR_INVALID "query_invalid", naming the parameter. */
NODISCARD bool http_request_query_int64(const struct http_request *request, const char *name,
					int64_t otherwise, int64_t min, int64_t max, int64_t *value,
					struct error *err);
NODISCARD bool http_request_query_bool(const struct http_request *request, const char *name,
				       bool *value, struct error *err);

/* Where it was routed to; every query parameter that was sent must be one of the route's. */
NODISCARD bool http_request_set_match(struct http_request *request, const struct http_match *match,
				      struct error *err);

/* A {name} of the route, which must have it. */
const char *http_request_param(const struct http_request *request, const char *name);

const char *http_request_body(const struct http_request *request, size_t *length);

/* New reference to the body as a JSON object. ERR_INVALID: "body_missing", "json_malformed",
 * "json_too_deep", "content_type_unsupported". */
NODISCARD bool http_request_json(const struct http_request *request, json_t **body,
				 struct error *err);

/* Told when the client leaves before it was answered, which it must be nevertheless. */
void http_request_on_left(struct http_request *request, void (*on_left)(void *arg), void *arg);

/* ---- for http/ ---- */

/* Never NULL, so that it can be answered; false when it must be refused with `err`. */
NODISCARD bool http_request_new(struct http_pool *pool, struct http_connection *connection,
				struct evhttp_request *raw, struct http_request **request,
				struct error *err);
void http_request_free(struct http_request *request);

struct http_pool *http_request_pool(struct http_request *request);

/* NULL once the client has left. */
struct evhttp_request *http_request_raw(struct http_request *request);
struct http_connection *http_request_connection(struct http_request *request);

/* The answer is complete: the library owns the rest. */
void http_request_let_go(struct http_request *request);

#endif
