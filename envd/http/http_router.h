/*
 * http_router.h - from a method and a path to a handler, by a table. Pure.
 */
#ifndef ENVD_HTTP_HTTP_ROUTER_H
#define ENVD_HTTP_HTTP_ROUTER_H

#include "base/error.h"

struct http_request;

struct http_route {
	const char *method;
	const char *path; /* "/v1/environments/{env}": {name} stands for one segment */
	void (*handle)(void *context, struct http_request *request);
	int access;        /* of the caller's own meaning: who may do this */
	const char *query; /* "limit next": the query parameters that it knows; NULL: none */
	const char *summary;
};

struct http_router {
	const struct http_route *routes;
	size_t count;
	void *context; /* for handlers */
};

enum { HTTP_PARAMS_MAX = 4, HTTP_PARAM_NAME_SIZE = 16 };
struct http_match {
	const struct http_route *route;
	size_t param_count;
	struct {
		char name[HTTP_PARAM_NAME_SIZE];
		const char *value; /* inside the path that was matched */
		size_t length;
	} params[HTTP_PARAMS_MAX];
	char allowed[64]; /* on "method_not_allowed": what an Allow header says */
};

/* `path` is decoded. ERR_NOT_FOUND "route_not_found"; ERR_INVALID "method_not_allowed" with the
 * methods that the path has, "GET, DELETE", in `match->allowed`. */
NODISCARD bool http_router_match(const struct http_router *router, const char *method,
				 const char *path, struct http_match *match, struct error *err);

/* The route knows this query parameter. ERR_INVALID "unknown_query_parameter", with "did you mean".
 */
NODISCARD bool http_route_check_query(const struct http_route *route, const char *name,
				      struct error *err);

#endif
