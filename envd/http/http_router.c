#include "http/http_router.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

static void keep_param(struct http_match *match, const char *pattern, size_t pattern_length,
		       const char *value, size_t length)
{
	size_t i = match->param_count++;

	assert(i < HTTP_PARAMS_MAX && pattern_length - 2 < HTTP_PARAM_NAME_SIZE);
	memcpy(match->params[i].name, pattern + 1, pattern_length - 2);
	match->params[i].name[pattern_length - 2] = '\0';
	match->params[i].value = value;
	match->params[i].length = length;
}

/* Segment by segment; both start at a "/". */
static bool matches(const char *pattern, const char *path, struct http_match *match)
{
	match->param_count = 0;
	while (*pattern == '/' && *path == '/') {
		size_t pattern_length = strcspn(++pattern, "/"), length = strcspn(++path, "/");

		if (*pattern == '{' && length)
			keep_param(match, pattern, pattern_length, path, length);
		else if (pattern_length != length || strncmp(pattern, path, length) != 0)
			return false;
		pattern += pattern_length;
		path += length;
	}
	return !*pattern && !*path;
}

/* "GET" after "POST": "POST, GET" */
static void add_allowed(struct http_match *match, const char *method)
{
	size_t length = strlen(match->allowed);

	snprintf(match->allowed + length, sizeof(match->allowed) - length, "%s%s",
		 length ? ", " : "", method);
}

bool http_router_match(const struct http_router *router, const char *method, const char *path,
		       struct http_match *match, struct error *err)
{
	char shown[128];

	match->allowed[0] = '\0';
	for (size_t i = 0; i < router->count; i++) {
		if (!matches(router->routes[i].path, path, match))
			continue;
		match->route = &router->routes[i];
		if (strcmp(match->route->method, method) == 0)
			return true;
		add_allowed(match, match->route->method);
	}
	text_printable(path, shown, sizeof(shown));
	if (!*match->allowed)
		return error_set_as(err, ERR_NOT_FOUND, "route_not_found",
				    "there is nothing at \"%s\"", shown);
	error_set_as(err, ERR_INVALID, "method_not_allowed", "\"%s\" does not take %s", shown,
		     method);
	return error_hint(err, "it takes %s", match->allowed);
}

bool http_route_check_query(const struct http_route *route, const char *name, struct error *err)
{
	AUTO(free) char *words = xstrdup(route->query ? route->query : "");
	const char *known[17] = { NULL };
	char shown[64], *rest = words;
	const char *nearest;
	size_t count = 0;

	for (char *word; (word = strsep(&rest, " ")) && count < ARRAY_SIZE(known) - 1;
	     known[count++] = word)
		if (strcmp(word, name) == 0)
			return true;
	nearest = text_nearest(name, known);
	error_set_as(err, ERR_INVALID, "unknown_query_parameter", "unknown query parameter \"%s\"",
		     text_printable(name, shown, sizeof(shown)));
	if (nearest && *nearest)
		return error_hint(err, "did you mean \"%s\"?", nearest);
	return route->query ? error_hint(err, "known are: %s", route->query)
			    : error_hint(err, "this path takes none");
}
