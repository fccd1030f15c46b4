#include "http/http_router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct http_route routes[] = {
	{ .method = "GET", .path = "/v1/things", .query = "limit next" },
	{ .method = "POST", .path = "/v1/things" },
	{ .method = "GET", .path = "/v1/things/{thing}" },
	{ .method = "DELETE", .path = "/v1/things/{thing}/parts/{part}" },
};

static const struct http_router router = { routes, ARRAY_SIZE(routes), NULL };

static void a_route_is_found_by_method_and_path(void **unused)
{
	struct http_match match;
	struct error err;

	(void)unused;
	assert_true(http_router_match(&router, "POST", "/v1/things", &match, &err));
	assert_ptr_equal(match.route, &routes[1]);
	assert_int_equal(match.param_count, 0);
}

static void names_in_braces_stand_for_one_segment(void **unused)
{
	struct http_match match;
	struct error err;

	(void)unused;
	assert_true(http_router_match(&router, "DELETE", "/v1/things/a b/parts/c", &match, &err));
	assert_int_equal(match.param_count, 2);
	assert_string_equal(match.params[0].name, "thing");
	assert_memory_equal(match.params[0].value, "a b", match.params[0].length);
	assert_string_equal(match.params[1].name, "part");
	assert_int_equal(match.params[1].length, 1);
}

static void a_path_that_is_longer_shorter_or_empty_in_between_is_not_found(void **unused)
{
	static const char *const paths[] = {
		"/",           "/v1",           "/v1/thing",      "/v1/thingsx",
		"/v1/things/", "/v1/things/a/", "/v1/things/a/b", ""
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct http_match match;
		struct error err;

		assert_false(http_router_match(&router, "GET", paths[i], &match, &err));
		assert_string_equal(err.slug, "route_not_found");
	}
}

static void a_method_that_a_path_lacks_names_those_it_has(void **unused)
{
	struct http_match match;
	struct error err;

	(void)unused;
	assert_false(http_router_match(&router, "DELETE", "/v1/things", &match, &err));
	assert_string_equal(err.slug, "method_not_allowed");
	assert_string_equal(match.allowed, "GET, POST");
}

static void an_unknown_query_parameter_is_named_with_the_nearest(void **unused)
{
	struct error err;

	(void)unused;
	assert_true(http_route_check_query(&routes[0], "next", &err));
	assert_false(http_route_check_query(&routes[0], "limti", &err));
	assert_string_equal(err.message, "unknown query parameter \"limti\"");
	assert_string_equal(err.hint, "did you mean \"limit\"?");
	assert_false(http_route_check_query(&routes[1], "limit", &err));
	assert_string_equal(err.hint, "this path takes none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_is_found_by_method_and_path),
		cmocka_unit_test(names_in_braces_stand_for_one_segment),
		cmocka_unit_test(a_path_that_is_longer_shorter_or_empty_in_between_is_not_found),
		cmocka_unit_test(a_method_that_a_path_lacks_names_those_it_has),
		cmocka_unit_test(an_unknown_query_parameter_is_named_with_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
