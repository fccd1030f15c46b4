#include "cli/jsonpath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"

static json_t *document(void)
{
	json_t *json = json_loads(
	    "{\"kind\":\"List\",\"a.b\":\"dotted\",\"count\":2,\"items\":["
	    "{\"name\":\"one\",\"state\":\"ready\",\"n\":1,\"on\":true,\"in\":{\"x\":[1,2]}},"
	    "{\"name\":\"two\",\"state\":\"failed\",\"n\":2,\"on\":false,\"q\":\"it's "
	    "\\\"so\\\"\"},"
	    "{\"name\":\"three\",\"state\":\"ready\",\"n\":3}]}",
	    0, NULL);

	assert_non_null(json);
	return json;
}

static void values_are_found_where_kubectl_finds_them(void **unused)
{
	static const struct {
		const char *expression, *found;
	} cases[] = {
		{ "{.kind}", "List" },
		{ ".kind", "List" },
		{ "{$.kind}", "List" },
		{ "{.count}", "2" },
		{ "{['a.b']}", "dotted" },
		{ "{.items[*].name}", "one two three" },
		{ "{.items[0].name}", "one" },
		{ "{.items[-1].name}", "three" },
		{ "{.items[9].name}", "" },
		{ "{.items[-9].name}", "" },
		{ "{.missing.name}", "" },
		{ "{.kind.name}", "" },
		{ "{.items[?(@.state==\"ready\")].name}", "one three" },
		{ "{.items[?(@.state == 'ready')].name}", "one three" },
		{ "{.items[?(@.state!=\"ready\")].name}", "two" },
		{ "{.items[?(@.n==2)].name}", "two" },
		{ "{.items[?(@.on==true)].name}", "one" },
		{ "{.items[?(@.on==false)].name}", "two" },
		{ "{.items[?(@.in.x==1)].name}", "" },
		{ "{.items[?(@.q==\"it's \\\"so\\\"\")].name}", "two" },
		{ "{.items[0].in}", "{\"x\":[1,2]}" },
		{ "{.items[0].in.x[*]}", "1 2" },
		{ "{.items[0].in.*}", "[1,2]" },
		{ "{.kind}: {.count}{\"\\n\"}{.items[0].name}", "List: 2\none" },
	};
	AUTO(json_decref) json_t *json = document();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(text_release) struct text found = TEXT_EMPTY;
		struct error err;

		if (!jsonpath_print(cases[i].expression, json, &found, &err))
			fail_msg("%s: %s", cases[i].expression, err.message);
		assert_string_equal(text_get(&found), cases[i].found);
	}
}

static void what_cannot_be_read_is_named_with_its_position(void **unused)
{
	static const struct {
		const char *expression;
		size_t position;
	} cases[] = {
		{ "", 1 },
		{ "{.kind", 7 },
		{ "{kind}", 2 },
		{ "{.items[}", 9 },
		{ "{.items[x]}", 9 },
		{ "{.items[1}", 10 },
		{ "{.items[0:2]}", 10 },
		{ "{..name}", 3 },
		{ "{range .items[*]}{.name}{end}", 2 },
		{ "{.items[?(@.n>1)]}", 14 },
		{ "{.items[?(@.n==1 && @.on==true)]}", 17 },
		{ "{.items[?(.n==1)]}", 11 },
		{ "{.items[?(@==1)]}", 12 },
		{ "{.items[?(@.n==x)]}", 16 },
		{ "{.items[?(@.n==\"x)]}", 21 },
		{ "{[\"kind]}", 10 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(text_release) struct text found = TEXT_EMPTY;
		AUTO(free) char *position = xasprintf("position %zu:", cases[i].position);
		struct error err;

		assert_false(jsonpath_print(cases[i].expression, NULL, &found, &err));
		assert_string_equal(err.slug, "jsonpath_invalid");
		if (!strstr(err.message, position))
			fail_msg("%s is not what \"%s\" says", position, err.message);
	}
}

/* Nothing that somebody types may lead outside of it. */
static void every_beginning_of_an_expression_is_read_or_refused(void **unused)
{
	static const char whole[] =
	    "{.items[?(@.a.b!=\"x\\\"y\")].in['z'][-1].*[*]}{\"\\n\"} {$.count}";
	AUTO(json_decref) json_t *json = document();

	(void)unused;
	for (size_t length = 0; length < sizeof(whole); length++) {
		AUTO(free) char *part = xstrndup(whole, length);
		AUTO(text_release) struct text found = TEXT_EMPTY;
		struct error err = { 0 };

		if (!jsonpath_print(part, json, &found, &err))
			assert_string_equal(err.slug, "jsonpath_invalid");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_where_kubectl_finds_them),
		cmocka_unit_test(what_cannot_be_read_is_named_with_its_position),
		cmocka_unit_test(every_beginning_of_an_expression_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
