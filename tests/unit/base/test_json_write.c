#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/json_write.h"

static void what_is_written_reads_as_what_jansson_would_have_written(void **unused)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	struct json_writer json = { .into = &text };
	AUTO(json_decref) json_t *list = json_pack("[s, {s:i}]", "a\"b", "n", 7);
	AUTO(json_decref)
	json_t *same = json_pack(
	    "{s:s, s:n, s:I, s:I, s:f, s:f, s:b, s:b, s:{s:[]}, s:[i, s], s:O}", "text", "plain",
	    "none", "least", (json_int_t)INT64_MIN, "most", (json_int_t)INT64_MAX, "price", 0.12,
	    "whole", 3.0, "yes", 1, "no", 0, "open", "list", "items", 1, "two", "value", list);
	AUTO(free) char *expected = json_to_text(same);

	(void)unused;
	json_write_open(&json, NULL, '{');
	json_write_text(&json, "text", "plain");
	json_write_text(&json, "none", NULL);
	json_write_integer(&json, "least", INT64_MIN);
	json_write_integer(&json, "most", INT64_MAX);
	json_write_real(&json, "price", 0.12);
	json_write_real(&json, "whole", 3.0);
	json_write_bool(&json, "yes", true);
	json_write_bool(&json, "no", false);
	json_write_open(&json, "open", '{');
	json_write_open(&json, "list", '[');
	json_write_close(&json, ']');
	json_write_close(&json, '}');
	json_write_open(&json, "items", '[');
	json_write_integer(&json, NULL, 1);
	json_write_text(&json, NULL, "two");
	json_write_close(&json, ']');
	json_write_value(&json, "value", list);
	json_write_close(&json, '}');
	assert_string_equal(text_get(&text), expected);
}

static void every_character_comes_back(void **unused)
{
	(void)unused;
	for (unsigned c = 1; c < 256; c++) {
		AUTO(text_release) struct text text = TEXT_EMPTY;
		struct json_writer json = { .into = &text };
		/* From 128 on: the character of that number, in UTF-8. */
		const char bytes[] = { (char)(c < 128 ? c : 0xC0 | c >> 6),
				       (char)(c < 128 ? 'x' : 0x80 | (c & 0x3F)), 'y', '\0' };
		AUTO(json_decref) json_t *read = NULL;

		json_write_text(&json, NULL, bytes);
		read = json_loads(text_get(&text), JSON_DECODE_ANY, NULL);
		assert_string_equal(json_string_value(read), bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_as_what_jansson_would_have_written),
		cmocka_unit_test(every_character_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
