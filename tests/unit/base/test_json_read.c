#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"

static void assert_malformed(const char *bytes, size_t length, const char *slug, const char *part)
{
	json_t *json = NULL;
	struct error err;

	if (json_parse(bytes, length, "request body", &json, &err)) {
		json_decref(json);
		fail_msg("accepted: %s", bytes);
	}
	assert_null(json);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.slug, slug);
	if (!strstr(err.message, part))
		fail_msg("%s: not in: %s", part, err.message);
	assert_true(text_is_utf8(err.message, strlen(err.message)));
}

static void strict_json_is_read(void **unused)
{
	static const char text[] =
	    "{\"b\": [1, -2.5, \"é\\u20ac\"], \"a\": {\"x\": null, \"y\": true}}";
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *again = NULL;
	struct error err;

	(void)unused;
	assert_true(json_parse(text, strlen(text), "request body", &json, &err));
	again = json_to_text(json);
	assert_string_equal(again, "{\"b\":[1,-2.5,\"é€\"],\"a\":{\"x\":null,\"y\":true}}");
}

static void malformed_json_is_refused(void **unused)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "request body is not valid JSON: line 1, column 0" },
		{ "{", "line 1, column 1" },
		{ "{\"a\":1,\"a\":2}", "duplicate object key" },
		{ "{} {}", "end of file expected" },
		{ "{}x", "end of file expected" },
		{ "{'a':1}", "string or '}' expected" },
		{ "[1,]", "unexpected token" },
		{ "[01]", "" },
		{ "[NaN]", "invalid token" },
		{ "5", "'[' or '{' expected" },
		{ "[\"\xFF\"]", "" },
		{ "[\"\xED\xA0\x80\"]", "" },
		{ "[\"a\nb\"]", "unexpected newline" },
		{ "{\"a\\u0000b\":1}", "" },
		{ "[\"\\ud800\"]", "" },
		{ "[99999999999999999999]", "too big integer" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_malformed(cases[i].text, strlen(cases[i].text), "json_malformed",
				 cases[i].part);
	assert_malformed("[]\0", 3, "json_malformed", "");
}

static void depth_is_bounded_before_anything_is_built(void **unused)
{
	AUTO(text_release) struct text deep = TEXT_EMPTY;
	AUTO(json_decref) json_t *json = NULL;
	struct error err;

	(void)unused;
	for (int i = 0; i < 32; i++)
		text_add(&deep, "[");
	for (int i = 0; i < 32; i++)
		text_add(&deep, "]");
	assert_true(json_parse(text_get(&deep), deep.length, "x", &json, &err));
	text_clear(&deep);
	for (int i = 0; i < 33; i++)
		text_add(&deep, "{\"a\":");
	assert_malformed(text_get(&deep), deep.length, "json_too_deep", "deeper than 32 levels");
	/* Brackets in strings are text. */
	text_clear(&deep);
	text_add(&deep, "[\"\\\"");
	for (int i = 0; i < 40; i++)
		text_add(&deep, "[");
	text_add(&deep, "\"]");
	json_decref(json);
	assert_true(json_parse(text_get(&deep), deep.length, "x", &json, &err));
}

static void unknown_fields_are_named_with_the_nearest_known_one(void **unused)
{
	static const char *const known[] = { "template", "ttl", NULL };
	AUTO(json_decref) json_t *right = json_pack("{s:i}", "ttl", 1);
	AUTO(json_decref) json_t *near = json_pack("{s:i}", "tll", 1);
	AUTO(json_decref) json_t *far = json_pack("{s:i}", "zebra\n", 1);
	struct error err;

	(void)unused;
	assert_true(json_only_keys(right, known, &err));
	assert_false(json_only_keys(near, known, &err));
	assert_string_equal(err.slug, "unknown_field");
	assert_string_equal(err.message, "unknown field \"tll\"");
	assert_string_equal(err.hint, "did you mean \"ttl\"?");
	assert_false(json_only_keys(far, known, &err));
	assert_string_equal(err.message, "unknown field \"zebra?\"");
	assert_string_equal(err.hint, "known: template, ttl");
}

static void fields_of_the_right_type_are_read(void **unused)
{
	AUTO(json_decref)
	json_t *json = json_pack("{s:s, s:I, s:b, s:{}, s:[], s:s, s:n}", "text", "t", "number",
				 (json_int_t)INT64_MIN, "truth", 1, "object", "array", "wait", "2h",
				 "nothing");
	const json_t *inside;
	const char *text;
	int64_t number;
	bool truth;
	struct error err;

	(void)unused;
	assert_true(json_read_string(json, "text", &text, &err));
	assert_string_equal(text, "t");
	assert_true(json_read_int64(json, "number", &number, &err));
	assert_int_equal(number, INT64_MIN);
	assert_true(json_read_bool(json, "truth", &truth, &err));
	assert_true(truth);
	assert_true(json_read_object(json, "object", &inside, &err));
	assert_true(json_read_array(json, "array", &inside, &err));
	assert_true(json_read_duration_ms(json, "wait", &number, &err));
	assert_int_equal(number, 7200000);
	assert_true(json_has(json, "text"));
	assert_false(json_has(json, "nothing"));
	assert_false(json_has(json, "none"));
}

static void fields_of_another_type_are_refused_by_name(void **unused)
{
	AUTO(json_decref)
	json_t *json = json_pack("{s:i, s:s, s:f, s:n, s:s%}", "number", 5, "text", "t", "real",
				 1.5, "null", "nul", "a\0b", (size_t)3);
	const json_t *inside = NULL;
	const char *text = NULL;
	int64_t number = 7;
	bool truth = true;
	struct error err;

	(void)unused;
	assert_false(json_read_string(json, "none", &text, &err));
	assert_string_equal(err.message, "field \"none\" is missing (expected a string)");
	assert_false(json_read_string(json, "number", &text, &err));
	assert_string_equal(err.message, "field \"number\" must be a string (got a number)");
	assert_false(json_read_string(json, "nul", &text, &err));
	assert_string_equal(err.message, "field \"nul\" contains a NUL character");
	assert_false(json_read_int64(json, "real", &number, &err));
	assert_string_equal(err.message, "field \"real\" must be a whole number (got a number)");
	assert_false(json_read_bool(json, "null", &truth, &err));
	assert_string_equal(err.message, "field \"null\" must be true or false (got null)");
	assert_false(json_read_object(json, "text", &inside, &err));
	assert_string_equal(err.message, "field \"text\" must be an object (got a string)");
	assert_false(json_read_array(json, "text", &inside, &err));
	assert_string_equal(err.message, "field \"text\" must be an array (got a string)");
	assert_false(json_read_duration_ms(json, "text", &number, &err));
	assert_non_null(strstr(err.message, "field \"text\": \"t\" is not a duration"));
	assert_null(text);
	assert_null(inside);
	assert_int_equal(number, 7);
}

static void reading_our_own_json_falls_back(void **unused)
{
	AUTO(json_decref)
	json_t *json = json_pack("{s:s, s:i, s:f, s:b}", "s", "x", "i", 5, "f", 0.5, "b", 1);

	(void)unused;
	assert_string_equal(json_get_string(json, "s", "d"), "x");
	assert_string_equal(json_get_string(json, "i", "d"), "d");
	assert_null(json_get_string(NULL, "s", NULL));
	assert_int_equal(json_get_int64(json, "i", 1), 5);
	assert_int_equal(json_get_int64(json, "s", 1), 1);
	assert_true(json_get_number(json, "f", 1) == 0.5);
	assert_true(json_get_number(json, "i", 1) == 5.0);
	assert_true(json_get_bool(json, "b", false));
	assert_false(json_get_bool(json, "none", false));
}

static void decimals_are_written_as_they_were(void **unused)
{
	AUTO(json_decref) json_t *json = json_pack("[f, f, f]", 0.12, 0.1, 1234567.25);
	AUTO(free) char *text = json_to_text(json);

	(void)unused;
	assert_string_equal(text, "[0.12,0.1,1234567.25]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strict_json_is_read),
		cmocka_unit_test(malformed_json_is_refused),
		cmocka_unit_test(depth_is_bounded_before_anything_is_built),
		cmocka_unit_test(unknown_fields_are_named_with_the_nearest_known_one),
		cmocka_unit_test(fields_of_the_right_type_are_read),
		cmocka_unit_test(fields_of_another_type_are_refused_by_name),
		cmocka_unit_test(reading_our_own_json_falls_back),
		cmocka_unit_test(decimals_are_written_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
