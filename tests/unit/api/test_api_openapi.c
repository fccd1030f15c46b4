#include "api/api_openapi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "api/api_context.h"
#include "base/json_read.h"
#include "base/text.h"
#include "wire/problem_schema.h"
#include "wire/schema.h"

static const json_t *described(const json_t *document, const struct http_route *route)
{
	const json_t *path = json_object_get(json_object_get(document, "paths"), route->path);
	const char *key;
	json_t *operation;

	json_object_foreach((json_t *)(uintptr_t)path, key, operation)
		if (strcasecmp(key, route->method) == 0)
			return operation;
	return NULL;
}

static void every_route_is_described_with_its_answers(void **unused)
{
	AUTO(json_decref) json_t *document = api_openapi_document();
	AUTO(json_decref) json_t *ids = json_object();

	(void)unused;
	for (size_t i = 0; i < api_route_count; i++) {
		const json_t *operation = described(document, &api_routes[i]);
		const json_t *responses = json_object_get(operation, "responses");
		const char *id = json_get_string(operation, "operationId", NULL);

		if (!id ||
		    (!json_object_get(responses, "200") && !json_object_get(responses, "201") &&
		     !json_object_get(responses, "202") && !json_object_get(responses, "101")))
			fail_msg("%s %s has no row in api_openapi.c", api_routes[i].method,
				 api_routes[i].path);
		if (json_object_get(ids, id))
			fail_msg("two operations are called %s", id);
		json_object_set_new(ids, id, json_true());
		assert_non_null(json_object_get(responses, "400"));
		if (strchr(api_routes[i].path, '{'))
			assert_non_null(json_object_get(responses, "404"));
	}
}

static size_t parameters_in(const json_t *operation, const char *where)
{
	const json_t *parameters = json_object_get(operation, "parameters");
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(parameters); i++)
		count +=
		    strcmp(json_get_string(json_array_get(parameters, i), "in", ""), where) == 0;
	return count;
}

static size_t count_of(const char *text, char wanted)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == wanted;
	return count;
}

static void every_parameter_that_a_route_knows_is_described(void **unused)
{
	AUTO(json_decref) json_t *document = api_openapi_document();

	(void)unused;
	for (size_t i = 0; i < api_route_count; i++) {
		const struct http_route *route = &api_routes[i];
		const json_t *operation = described(document, route);
		size_t queries = route->query ? count_of(route->query, ' ') + 1 : 0;

		if (parameters_in(operation, "query") != queries)
			fail_msg("a query parameter of %s %s has no row in api_openapi.c",
				 route->method, route->path);
		assert_int_equal(parameters_in(operation, "path"), count_of(route->path, '{'));
	}
}

static void every_shape_that_is_referred_to_is_there_and_every_one_is_referred_to(void **unused)
{
	AUTO(json_decref) json_t *document = api_openapi_document();
	AUTO(free) char *text = json_dumps(document, JSON_COMPACT);
	const json_t *shapes = json_object_get(json_object_get(document, "components"), "schemas");
	static const char mark[] = "\"#/components/schemas/";

	(void)unused;
	for (const char *at = text; (at = strstr(at, mark));) {
		AUTO(free) char *name = NULL;

		at += sizeof(mark) - 1;
		name = xasprintf("%.*s", (int)strcspn(at, "\""), at);
		if (!json_object_get(shapes, name))
			fail_msg("there is no shape %s", name);
	}
	for (size_t i = 0; schemas[i]; i++) {
		AUTO(free) char *reference = xasprintf("%s%s\"", mark, schemas[i]->name);

		if (!strstr(text, reference))
			fail_msg("nobody refers to the shape %s", schemas[i]->name);
	}
}

static void the_codes_of_problems_are_gathered_from_the_sources(void **unused)
{
	static const char *const some[] = { "request_pipelined", "length_required",
					    "idempotency_key_reused",
					    "too_many_connections_of_peer",
					    "unknown_query_parameter" };
	AUTO(json_decref) json_t *codes = problem_codes();
	AUTO(free) char *text = json_dumps(codes, JSON_COMPACT);

	(void)unused;
	assert_true(json_array_size(codes) > 80);
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		assert_non_null(strstr(text, some[i]));
}

static void types_are_json_schema(void **unused)
{
	static const struct {
		const char *type;
		const char *json;
	} cases[] = {
		{ "integer", "{\"type\":\"integer\"}" },
		{ "string?", "{\"type\":[\"string\",\"null\"]}" },
		{ "any?", "{}" },
		{ "=a|b", "{\"type\":\"string\",\"enum\":[\"a\",\"b\"]}" },
		{ "=a?",
		  "{\"anyOf\":[{\"type\":\"string\",\"enum\":[\"a\"]},{\"type\":\"null\"}]}" },
		{ "[Proof]", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/"
			     "Proof\"}}" },
		{ "[string]2", "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,"
			       "\"maxItems\":2}" },
		{ "{string}", "{\"type\":\"object\",\"propertyNames\":{\"minLength\":1},"
			      "\"additionalProperties\":{\"type\":\"string\"}}" },
		{ "Cost?", "{\"anyOf\":[{\"$ref\":\"#/components/schemas/Cost\"},{\"type\":"
			   "\"null\"}]}" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decref) json_t *schema = schema_of_type(cases[i].type);
		AUTO(free) char *text = json_dumps(schema, JSON_COMPACT);

		assert_string_equal(text, cases[i].json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_described_with_its_answers),
		cmocka_unit_test(every_parameter_that_a_route_knows_is_described),
		cmocka_unit_test(
		    every_shape_that_is_referred_to_is_there_and_every_one_is_referred_to),
		cmocka_unit_test(the_codes_of_problems_are_gathered_from_the_sources),
		cmocka_unit_test(types_are_json_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
