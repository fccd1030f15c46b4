#include "wire/problem_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"

static void a_problem_has_a_stable_code_a_title_and_a_hint(void **unused)
{
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *text = NULL;
	struct error err;

	(void)unused;
	error_set_as(&err, ERR_GONE, "lease_ended", "it ended");
	error_hint(&err, "ask for a new one");
	json = problem_json(410, &err, "9a0c");
	text = json_to_text(json);
	assert_string_equal(
	    text, "{\"type\":\"about:blank#lease_ended\",\"title\":\"Lease ended\",\"status\":410,"
		  "\"code\":\"lease_ended\",\"detail\":\"it ended\","
		  "\"hint\":\"ask for a new one\",\"request_id\":\"9a0c\"}");
}

static void a_message_that_is_not_utf8_is_still_shown(void **unused)
{
	AUTO(json_decref) json_t *json = NULL;
	struct error err;

	(void)unused;
	error_set(&err, ERR_INVALID, "name");
	snprintf(err.message, sizeof(err.message), "name \"caf\xc3");
	json = problem_json(400, &err, "x");
	assert_string_equal(json_get_string(json, "detail", ""), "name \"caf?");
	assert_null(json_object_get(json, "hint"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_problem_has_a_stable_code_a_title_and_a_hint),
		cmocka_unit_test(a_message_that_is_not_utf8_is_still_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
