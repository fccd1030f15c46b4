/*
 * Paths and queries through the check of targets, decoding and the route table: a path that is let
 * in is plain, and what a route's {name} stands for is one segment of it.
 */
#include <string.h>

#include "api/api_context.h"
#include "base/text.h"
#include "http/http_router.h"
#include "http/http_target.h"
#include "tests/fuzz/fuzz.h"

static void claim_plain(const char *path)
{
	CLAIM(path[0] == '/');
	CLAIM(!strstr(path, "//"));
	for (const char *at = path; (at = strchr(at, '/')); at++) {
		size_t length = strcspn(at + 1, "/");

		CLAIM(!(length == 1 && at[1] == '.'));
		CLAIM(!(length == 2 && at[1] == '.' && at[2] == '.'));
	}
	for (const char *at = path; *at; at++)
		CLAIM((unsigned char)*at >= 0x20 && *at != 0x7f);
}

static void claim_match(const char *path, const struct http_match *match)
{
	for (size_t i = 0; i < match->param_count; i++) {
		const char *value = match->params[i].value;
		size_t length = match->params[i].length;

		CLAIM(value > path && value[-1] == '/' && length > 0);
		CLAIM(value[length] == '\0' || value[length] == '/');
		CLAIM(!memchr(value, '/', length));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "GET", "POST", "DELETE", "PATCH", "TRACE" };
	const struct http_router router = { api_routes, api_route_count, NULL };
	const char *target = (const char *)data, *question;
	AUTO(free) char *path = NULL;
	struct http_match match;
	struct error err;

	if (!http_target_check(target, size, &err))
		return 0;
	question = memchr(target, '?', size);
	path = http_target_decode(target, question ? (size_t)(question - target) : size, false);
	claim_plain(path);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (http_router_match(&router, methods[i], path, &match, &err)) {
			AUTO(free)
			char *query =
			    xasprintf("%.*s", question ? (int)(target + size - question - 1) : 0,
				      question ? question + 1 : "");

			claim_match(path, &match);
			/* Whatever it says, it says it about printable text. */
			if (!http_route_check_query(match.route, query, &err))
				CLAIM(err.message[0]);
		} else {
			CLAIM(strcmp(err.slug, "route_not_found") == 0 || match.allowed[0]);
		}
	}
	return 0;
}
