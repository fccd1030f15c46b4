#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "model/pins.h"

#define FORMS "a pin is a version, a branch (@main) or a pull request (pr:12)"

static struct template *template;

static const char yaml[] = "apiVersion: envd/v1\nname: demo\n"
			   "parameters:\n"
			   "  users: { type: integer, default: 10, variable: SEED_USERS }\n"
			   "  slow-mode: { type: boolean, default: false }\n"
			   "  ratio: { type: number, default: 0.5 }\n"
			   "components:\n"
			   "  nginx: { default: '1.26', variable: NGINX_IMAGE, image: "
			   "'localhost/nginx:{version}', versions: ['1.18', '1.22', '1.26'] }\n"
			   "  frontend: { default: '1.0', image: 'bank/front:{version}-{version}', "
			   "versions: ['1.0', '1.1', '2.0'] }\n"
			   "  backend: { default: '1.0', versions: ['1.0', '1.1', '2.0'] }\n"
			   "  anything: { default: 'latest' }\n"
			   "  bank: { members: [frontend, backend], versions: ['1.0', '1.1'] }\n"
			   "  pair: { members: [backend] }\n";

static const char changes_yaml[] =
    "apiVersion: envd/v1\nname: changes\ncomponents:\n"
    "  ledger: { default: '1.0', image: 'bank/ledger:{version}', versions: ['1.0'],"
    " branch: 'bank/ledger:{branch}', pull_request: 'bank/ledger:pr-{number}' }\n"
    "  teller: { default: '1.0', image: 'bank/teller:{version}',"
    " branch: 'bank/teller:{branch}' }\n"
    "  both: { members: [ledger, teller], versions: ['1.0'] }\n";

static int load(void **unused)
{
	struct error err;

	(void)unused;
	return template_parse(yaml, strlen(yaml), "template.yaml", NULL, &template, &err) ? 0 : -1;
}

static int unload(void **unused)
{
	(void)unused;
	template_free(template);
	return 0;
}

/* JSON of the versions that these pins (JSON) give. */
static char *resolve(const char *pins_text)
{
	AUTO(json_decref) json_t *pins = json_loads(pins_text, 0, NULL);
	AUTO(json_decref) json_t *versions = NULL;
	struct error err;

	if (!pins_resolve(template, pins, &versions, &err))
		fail_msg("%s", err.message);
	assert_true(pins_check(template, pins, &err));
	return json_to_text(versions);
}

static void assert_refused(const char *pins_text, const char *slug, const char *message,
			   const char *hint)
{
	AUTO(json_decref)
	json_t *pins = json_loads(pins_text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	json_t *versions = NULL;
	struct error err;

	assert_non_null(pins);
	assert_false(pins_resolve(template, pins, &versions, &err));
	assert_null(versions);
	assert_string_equal(err.message, message);
	assert_string_equal(err.slug, slug);
	assert_string_equal(err.hint, hint);
	assert_int_equal(err.code, ERR_INVALID);
	assert_false(pins_check(template, pins, &err));
}

static void without_pins_every_component_has_its_default(void **unused)
{
	AUTO(free) char *versions = resolve("{}");

	(void)unused;
	assert_string_equal(versions, "{\"nginx\":\"1.26\",\"frontend\":\"1.0\",\"backend\":\"1."
				      "0\",\"anything\":\"latest\"}");
}

static void no_pins_at_all_are_no_pins(void **unused)
{
	AUTO(json_decref) json_t *versions = NULL;
	struct error err;

	(void)unused;
	assert_true(pins_resolve(template, NULL, &versions, &err));
	assert_int_equal(json_object_size(versions), 4);
}

static void a_pin_wins_over_a_group_and_a_group_over_the_default(void **unused)
{
	AUTO(free) char *grouped = resolve("{\"bank\":\"1.1\"}");
	AUTO(free)
	char *mixed = resolve("{\"frontend\":\"2.0\",\"bank\":\"1.1\",\"nginx\":\"1.18\"}");

	(void)unused;
	assert_string_equal(grouped, "{\"nginx\":\"1.26\",\"frontend\":\"1.1\",\"backend\":\"1.1\","
				     "\"anything\":\"latest\"}");
	assert_string_equal(mixed, "{\"nginx\":\"1.18\",\"frontend\":\"2.0\",\"backend\":\"1.1\","
				   "\"anything\":\"latest\"}");
}

static void a_component_without_a_list_takes_any_version(void **unused)
{
	AUTO(free) char *versions = resolve("{\"anything\":\"2026.11-rc_1\"}");

	(void)unused;
	assert_non_null(strstr(versions, "\"anything\":\"2026.11-rc_1\""));
}

static void groups_that_agree_may_share_a_member(void **unused)
{
	AUTO(free) char *versions = resolve("{\"bank\":\"1.1\",\"pair\":\"1.1\"}");
	AUTO(free) char *own = resolve("{\"bank\":\"1.1\",\"pair\":\"2.0\",\"backend\":\"1.0\"}");

	(void)unused;
	assert_non_null(strstr(versions, "\"backend\":\"1.1\""));
	assert_non_null(strstr(own, "\"backend\":\"1.0\""));
}

static void wrong_pins_say_what_would_be_right(void **unused)
{
	static const struct {
		const char *pins, *slug, *message, *hint;
	} cases[] = {
		{ "{\"ngnix\":\"1.22\"}", "unknown_component",
		  "template \"demo\" has no component \"ngnix\"", "did you mean \"nginx\"?" },
		{ "{\"postgres\":\"17\"}", "unknown_component",
		  "template \"demo\" has no component \"postgres\"",
		  "known: nginx, frontend, backend, anything, bank, pair" },
		{ "{\"nginx\":\"1.21\"}", "unknown_version",
		  "component \"nginx\" has no version \"1.21\"",
		  "did you mean \"1.22\"? versions: 1.18, 1.22, 1.26" },
		{ "{\"nginx\":\"9\"}", "unknown_version",
		  "component \"nginx\" has no version \"9\"", "versions: 1.18, 1.22, 1.26" },
		{ "{\"bank\":\"2.0\"}", "unknown_version",
		  "component \"bank\" has no version \"2.0\"", "versions: 1.0, 1.1" },
		/* The group takes anything; its member does not. */
		{ "{\"pair\":\"3.0\"}", "unknown_version",
		  "component \"backend\" has no version \"3.0\"", "versions: 1.0, 1.1, 2.0" },
		{ "{\"bank\":\"1.1\",\"pair\":\"2.0\"}", "pin_invalid",
		  "\"backend\" is pinned to 1.1 by \"bank\" and to 2.0 by \"pair\"", "" },
		{ "{\"nginx\":1.22}", "pin_invalid", "pin of \"nginx\" must be text",
		  "write the version in quotes: 1.20 as a number is 1.2" },
		{ "{\"anything\":\"\"}", "pin_invalid", "pin of \"anything\" cannot be \"\"",
		  FORMS },
		{ "{\"anything\":\"a b\"}", "pin_invalid", "pin of \"anything\" cannot be \"a b\"",
		  FORMS },
		{ "{\"anything\":\"../../etc\"}", "pin_invalid",
		  "pin of \"anything\" cannot be \"../../etc\"", FORMS },
		{ "{\"anything\":\"x@sha256:1\"}", "pin_invalid",
		  "pin of \"anything\" cannot be \"x@sha256:1\"", FORMS },
		{ "{\"anything\":\"a\\u0000b\"}", "pin_invalid",
		  "pin of \"anything\" cannot be \"a\"", FORMS },
		{ "[\"nginx\"]", "pin_invalid", "pins must be an object of components and versions",
		  "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].pins, cases[i].slug, cases[i].message, cases[i].hint);
}

static void variables_carry_images_versions_and_parameters(void **unused)
{
	AUTO(json_decref) json_t *pins = json_pack("{s:s, s:s}", "bank", "1.1", "nginx", "1.22");
	AUTO(json_decref) json_t *versions = NULL;
	AUTO(json_decref) json_t *parameters = NULL;
	AUTO(json_decref) json_t *variables = NULL;
	AUTO(free) char *text = NULL;
	struct error err;

	(void)unused;
	assert_true(pins_resolve(template, pins, &versions, &err));
	assert_true(template_resolve_parameters(template, NULL, &parameters, &err));
	variables = pins_variables(template, versions, parameters);
	text = json_to_text(variables);
	assert_string_equal(
	    text,
	    "{\"NGINX_IMAGE\":\"localhost/nginx:1.22\",\"FRONTEND_IMAGE\":\"bank/front:1.1-1.1\","
	    "\"BACKEND_VERSION\":\"1.1\",\"ANYTHING_VERSION\":\"latest\",\"SEED_USERS\":\"10\","
	    "\"SLOW_MODE\":\"false\",\"RATIO\":\"0.5\"}");
}

/* The variables that these pins give, or what is wrong with them; the caller frees. */
static char *pin_changes(const char *pins_text)
{
	AUTO(template_free) struct template *changes = NULL;
	AUTO(json_decref) json_t *pins = json_loads(pins_text, 0, NULL);
	AUTO(json_decref) json_t *versions = NULL;
	AUTO(json_decref) json_t *variables = NULL;
	struct error err;

	if (!template_parse(changes_yaml, strlen(changes_yaml), "template.yaml", NULL, &changes,
			    &err))
		fail_msg("%s", err.message);
	if (!pins_resolve(changes, pins, &versions, &err))
		return xasprintf("%s: %s (%s)", err.slug, err.message, err.hint);
	variables = pins_variables(changes, versions, NULL);
	return json_to_text(variables);
}

static void branches_and_pull_requests_go_through_the_patterns(void **unused)
{
	static const struct {
		const char *pins, *result;
	} cases[] = {
		{ "{\"ledger\":\"@main\",\"teller\":\"@feature/x_1\"}",
		  "{\"LEDGER_IMAGE\":\"bank/ledger:main\",\"TELLER_IMAGE\":\"bank/"
		  "teller:feature-x_1\"}" },
		{ "{\"ledger\":\"pr:12\"}",
		  "{\"LEDGER_IMAGE\":\"bank/ledger:pr-12\",\"TELLER_IMAGE\":\"bank/teller:1.0\"}" },
		{ "{\"both\":\"@main\",\"ledger\":\"pr:3\"}",
		  "{\"LEDGER_IMAGE\":\"bank/ledger:pr-3\",\"TELLER_IMAGE\":\"bank/teller:main\"}" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *result = pin_changes(cases[i].pins);

		assert_string_equal(result, cases[i].result);
	}
}

static void a_component_without_the_pattern_says_so(void **unused)
{
	AUTO(free) char *alone = pin_changes("{\"teller\":\"pr:12\"}");
	AUTO(free) char *grouped = pin_changes("{\"both\":\"pr:12\"}");
	static const char expected[] =
	    "pin_invalid: component \"teller\" cannot be pinned to a pull request (asked \"pr:12\")"
	    " (its template gives no \"pull_request:\" pattern for it, such as"
	    " \"bank/frontend:pr-{number}\")";

	(void)unused;
	assert_string_equal(alone, expected);
	assert_string_equal(grouped, expected);
}

static void strange_branches_and_numbers_are_refused(void **unused)
{
	static const char *const wrong[] = { "@",       "@-x",          "@a..b", "@a b",  "@/x",
					     "@x/",     "@a//b",        "@a:b",  "@{x}",  "@$(x)",
					     "@.x",     "pr:",          "pr:0",  "pr:-1", "pr:1x",
					     "pr:0012", "pr:1234567890" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO(free) char *pins = xasprintf("{\"ledger\":\"%s\"}", wrong[i]);
		AUTO(free) char *result = pin_changes(pins);

		if (!strstr(result, "pin_invalid: pin of \"ledger\" cannot be"))
			fail_msg("%s: %s", wrong[i], result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_pins_every_component_has_its_default),
		cmocka_unit_test(no_pins_at_all_are_no_pins),
		cmocka_unit_test(a_pin_wins_over_a_group_and_a_group_over_the_default),
		cmocka_unit_test(a_component_without_a_list_takes_any_version),
		cmocka_unit_test(groups_that_agree_may_share_a_member),
		cmocka_unit_test(wrong_pins_say_what_would_be_right),
		cmocka_unit_test(variables_carry_images_versions_and_parameters),
		cmocka_unit_test(branches_and_pull_requests_go_through_the_patterns),
		cmocka_unit_test(a_component_without_the_pattern_says_so),
		cmocka_unit_test(strange_branches_and_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
