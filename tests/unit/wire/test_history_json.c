#include "wire/history_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"

static void a_row_about_an_environment_names_it(void **unused)
{
	AUTO(json_decref) json_t *data = json_pack("{s:i}", "pid", 7);
	AUTO(json_decref)
	json_t *json = history_json(&(struct history_view){ .n = 17,
							    .at_ms = 1764000000000,
							    .environment = "id",
							    .name = "e1",
							    .kind = "state",
							    .state = "ready",
							    .event = "created",
							    .message = "built",
							    .data = data });
	AUTO(free) char *text = json_to_text(json);

	(void)unused;
	assert_string_equal(
	    text, "{\"n\":17,\"at\":\"2025-11-24T16:00:00.000Z\",\"environment\":\"id\","
		  "\"name\":\"e1\",\"kind\":\"state\",\"state\":\"ready\",\"event\":\"created\","
		  "\"message\":\"built\",\"data\":{\"pid\":7}}");
}

static void a_row_about_the_service_names_none(void **unused)
{
	AUTO(json_decref)
	json_t *json = history_json(&(struct history_view){
	    .n = 1, .at_ms = 1, .environment = "", .name = "", .kind = "sweep" });

	(void)unused;
	assert_true(json_is_null(json_object_get(json, "environment")));
	assert_true(json_is_null(json_object_get(json, "name")));
	assert_true(json_is_null(json_object_get(json, "state")));
	assert_string_equal(json_get_string(json, "message", "?"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_about_an_environment_names_it),
		cmocka_unit_test(a_row_about_the_service_names_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
