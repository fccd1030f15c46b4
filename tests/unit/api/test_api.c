/* The route table: every route and role, and every error and its status. */
#include "api/api_context.h"
#include "api/api_errors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ENV "/v1/environments/{env}"

/* Who may use a route at all; "none" stands for people whom nobody knows. Of other projects'
 * environments viewer and ci see and change nothing: tests/scenario/test_access.c.
 */
// clang-format off
static const struct {
	const char *method;
	const char *path;
	const char *roles;
} expected[] = {
	{ "POST",   "/v1/environments",         "ci operator admin" },
	{ "GET",    "/v1/environments",         "viewer ci operator admin" },
	{ "GET",    ENV,                        "viewer ci operator admin" },
	{ "DELETE", ENV,                        "ci operator admin" },
	{ "POST",   ENV "/acknowledge",         "operator admin" },
	{ "POST",   ENV "/settle",              "operator admin" },
	{ "GET",    ENV "/cost",                "viewer ci operator admin" },
	{ "GET",    ENV "/lease",               "viewer ci operator admin" },
	{ "PATCH",  ENV "/lease",               "ci operator admin" },
	{ "GET",    ENV "/outputs",             "viewer ci operator admin" },
	{ "GET",    ENV "/lock",                "viewer ci operator admin" },
	{ "GET",    ENV "/services",            "viewer ci operator admin" },
	{ "GET",    ENV "/logs",                "ci operator admin" },
	{ "POST",   ENV "/exec",                "ci operator admin" },
	{ "POST",   ENV "/forward",             "ci operator admin" },
	{ "POST",   ENV "/kubeconfig",          "ci operator admin" },
	{ "GET",    ENV "/layers",              "viewer ci operator admin" },
	{ "GET",    ENV "/resources",           "viewer ci operator admin" },
	{ "GET",    ENV "/updates",             "viewer ci operator admin" },
	{ "GET",    ENV "/history",             "viewer ci operator admin" },
	{ "GET",    ENV "/events",              "viewer ci operator admin" },
	{ "GET",    ENV "/checks",              "viewer ci operator admin" },
	{ "POST",   ENV "/checks",              "ci operator admin" },
	{ "GET",    ENV "/report",              "viewer ci operator admin" },
	{ "GET",    "/v1/checks/{run}",         "viewer ci operator admin" },
	{ "GET",    "/v1/environments/{env}/evidence", "ci operator admin" },
	{ "POST",   "/v1/environments/{env}/evidence", "ci operator admin" },
	{ "GET",    "/v1/events",               "viewer ci operator admin" },
	{ "GET",    "/v1/templates",            "viewer ci operator admin" },
	{ "GET",    "/v1/templates/{template}", "viewer ci operator admin" },
	{ "GET",    "/v1/templates/{source}/{template}", "viewer ci operator admin" },
	{ "GET",    "/v1/targets",              "viewer ci operator admin" },
	{ "PATCH",  "/v1/targets/{target}",     "admin" },
	{ "GET",    "/v1/costs",                "viewer ci operator admin" },
	{ "GET",    "/v1/spending",             "viewer ci operator admin" },
	{ "GET",    "/v1/prices",               "viewer ci operator admin" },
	{ "POST",   "/v1/tokens",               "admin" },
	{ "GET",    "/v1/tokens",               "admin" },
	{ "DELETE", "/v1/tokens/{id}",          "admin" },
	{ "GET",    "/v1/audit",                "operator admin" },
	{ "GET",    "/v1/version",              "viewer ci operator admin" },
	{ "GET",    "/v1/openapi.json",         "viewer ci operator admin" },
	{ "GET",    "/metrics",                 "operator admin" },
	{ "GET",    "/healthz",                 "none viewer ci operator admin" },
	{ "GET",    "/readyz",                  "none viewer ci operator admin" },
};
// clang-format on

static const char *expected_roles(const struct http_route *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		if (strcmp(expected[i].method, route->method) == 0 &&
		    strcmp(expected[i].path, route->path) == 0)
			return expected[i].roles;
	fail_msg("no one has said who may %s %s", route->method, route->path);
	return "";
}

static bool may(enum role role, const struct http_route *route)
{
	struct caller caller = { .name = "somebody", .role = role };
	struct error err;

	return route->access == API_OPEN_TO_ALL ||
	       permission_check(&caller, (enum permission)route->access, NULL, &err);
}

static bool has_word(const char *words, const char *word)
{
	const char *at = strstr(words, word);
	size_t length = strlen(word);

	return at && (at == words || at[-1] == ' ') && (!at[length] || at[length] == ' ');
}

static void every_route_admits_the_roles_that_the_table_names(void **unused)
{
	(void)unused;
	assert_int_equal(api_route_count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < api_route_count; i++) {
		const char *roles = expected_roles(&api_routes[i]);

		for (enum role role = ROLE_NONE; role <= ROLE_ADMIN; role++)
			if (may(role, &api_routes[i]) != has_word(roles, role_name(role)))
				fail_msg("%s and %s %s: wanted %s", role_name(role),
					 api_routes[i].method, api_routes[i].path, roles);
	}
}

static void every_route_has_a_handler_and_says_what_it_is_for(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < api_route_count; i++) {
		assert_non_null(api_routes[i].handle);
		assert_true(strlen(api_routes[i].summary) > 0);
	}
}

static void no_route_hides_another(void **unused)
{
	struct http_router router = { api_routes, api_route_count, NULL };

	(void)unused;
	for (size_t i = 0; i < api_route_count; i++) {
		struct http_match match;
		struct error err;

		assert_true(http_router_match(&router, api_routes[i].method, api_routes[i].path,
					      &match, &err));
		assert_ptr_equal(match.route, &api_routes[i]);
	}
}

static void every_error_has_the_status_that_http_has_for_it(void **unused)
{
	static const struct {
		enum error_code code;
		int status;
	} cases[] = {
		{ ERR_INVALID, 400 },   { ERR_STRANGER, 401 },    { ERR_DENIED, 403 },
		{ ERR_NOT_FOUND, 404 }, { ERR_CONFLICT, 409 },    { ERR_GONE, 410 },
		{ ERR_LIMIT, 429 },     { ERR_UNAVAILABLE, 503 }, { ERR_TIMEOUT, 504 },
		{ ERR_EXTERNAL, 502 },  { ERR_CORRUPT, 500 },     { ERR_INTERNAL, 500 },
	};
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		error_set(&err, cases[i].code, "x");
		assert_int_equal(api_status_of(&err), cases[i].status);
	}
	error_set_as(&err, ERR_INVALID, "idempotency_key_reused", "x");
	assert_int_equal(api_status_of(&err), 422);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_admits_the_roles_that_the_table_names),
		cmocka_unit_test(every_route_has_a_handler_and_says_what_it_is_for),
		cmocka_unit_test(no_route_hides_another),
		cmocka_unit_test(every_error_has_the_status_that_http_has_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
