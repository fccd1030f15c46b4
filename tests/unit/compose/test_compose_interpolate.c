#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "compose/compose_interpolate.h"

/* A is "a", EMPTY is set to nothing, NONE is not set. */
static bool interpolate(const char *text, char **result, struct error *err)
{
	AUTO(json_decref)
	json_t *variables = json_pack("{s:s, s:s, s:s}", "A", "a", "EMPTY", "", "B_2", "b");
	AUTO(json_decref) json_t *used = json_object();

	return compose_interpolate(text, variables, 1000, used, result, err);
}

static void every_form_of_the_specification_has_its_value(void **unused)
{
	static const struct {
		const char *text;
		const char *result;
	} cases[] = {
		{ "", "" },
		{ "plain } text {", "plain } text {" },
		{ "$A", "a" },
		{ "$A$A.$B_2-", "aa.b-" },
		{ "${A}x", "ax" },
		{ "$$A $$$$", "$A $$" },
		{ "$${A}", "${A}" },
		{ "$$$A", "$a" },
		{ "${EMPTY}", "" },
		{ "${A:-d}", "a" },
		{ "${EMPTY:-d}", "d" },
		{ "${NONE:-d}", "d" },
		{ "${A-d}", "a" },
		{ "${EMPTY-d}", "" },
		{ "${NONE-d}", "d" },
		{ "${NONE:-}", "" },
		{ "${NONE-}", "" },
		{ "${A:+x}", "x" },
		{ "${EMPTY:+x}", "" },
		{ "${NONE:+x}", "" },
		{ "${A+x}", "x" },
		{ "${EMPTY+x}", "x" },
		{ "${NONE+x}", "" },
		{ "${A:?must}", "a" },
		{ "${A?must}", "a" },
		{ "${EMPTY?must}", "" },
		{ "${NONE:-http://x:80/?q=1}", "http://x:80/?q=1" },
		{ "${NONE:-${A}}", "a" },
		{ "${NONE:-${NONE:-$A}}.", "a." },
		{ "${NONE:-$$}", "$" },
		{ "${A:-${NONE}}", "a" },
		{ "${A:-${NONE:?never asked}}", "a" },
		{ "${A:+${NONE:-x}${A}}", "xa" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *result = NULL;
		struct error err;

		if (!interpolate(cases[i].text, &result, &err))
			fail_msg("%s: %s", cases[i].text, err.message);
		assert_string_equal(result, cases[i].result);
	}
}

static void what_cannot_be_filled_in_is_refused(void **unused)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "$NONE", "variable \"NONE\" is not set and has no default" },
		{ "${NONE}", "variable \"NONE\" is not set and has no default" },
		{ "${NONE:?give $A one}", "variable \"NONE\": give a one" },
		{ "${EMPTY:?}", "variable \"EMPTY\": must be set" },
		{ "${NONE?}", "variable \"NONE\": must be set" },
		{ "${NONE:-${NONE}}", "variable \"NONE\" is not set and has no default" },
		{ "cost: 5$", "\"$\" without a variable's name" },
		{ "$(date)", "\"$\" without a variable's name" },
		{ "$1", "\"$\" without a variable's name" },
		{ "${}", "\"$\" without a variable's name" },
		{ "${1A}", "\"$\" without a variable's name" },
		{ "${A",
		  "\"${A\" must go on with \"}\", \":-\", \"-\", \":?\", \"?\", \":+\" or \"+\"" },
		{ "${A:",
		  "\"${A\" must go on with \"}\", \":-\", \"-\", \":?\", \"?\", \":+\" or \"+\"" },
		{ "${A/x/y}",
		  "\"${A\" must go on with \"}\", \":-\", \"-\", \":?\", \"?\", \":+\" or \"+\"" },
		{ "${A:-d", "\"${A\" without \"}\"" },
		{ "${NONE:-${A}", "\"${NONE\" without \"}\"" },
		{ "${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-}}}}}}}}}}",
		  "variables nested deeper than 8 levels" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *result = NULL;
		struct error err;

		assert_false(interpolate(cases[i].text, &result, &err));
		assert_null(result);
		assert_string_equal(err.message, cases[i].message);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void variables_that_are_mentioned_are_all_known_afterwards(void **unused)
{
	AUTO(json_decref) json_t *variables = json_pack("{s:s}", "A", "a");
	AUTO(json_decref) json_t *used = json_object();
	AUTO(free) char *result = NULL;
	struct error err;

	(void)unused;
	assert_true(
	    compose_interpolate("${A:-${B:-$C}} $A $$D", variables, 100, used, &result, &err));
	assert_int_equal(json_object_size(used), 3);
	assert_true(json_has(used, "A") && json_has(used, "B") && json_has(used, "C"));
}

static void the_result_is_bounded(void **unused)
{
	AUTO(json_decref) json_t *used = json_object();
	AUTO(free) char *result = NULL;
	struct error err;

	(void)unused;
	assert_true(compose_interpolate("12345", NULL, 5, used, &result, &err));
	assert_false(compose_interpolate("123456", NULL, 5, used, &result, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_the_specification_has_its_value),
		cmocka_unit_test(what_cannot_be_filled_in_is_refused),
		cmocka_unit_test(variables_that_are_mentioned_are_all_known_afterwards),
		cmocka_unit_test(the_result_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
