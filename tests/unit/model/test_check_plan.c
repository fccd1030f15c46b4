#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "base/yaml_read.h"
#include "model/check_plan.h"

static const char whole[] =
    "apiVersion: envd/v1\n"
    "kind: CheckPlan\n"
    "name: bank\n"
    "defaults: { base: \"${url}\", timeout: 3s, tls: { ca: \"${ca}\" } }\n"
    "allow: [ \"10.0.0.1:80\", example.org ]\n"
    "stages: [infra, app]\n"
    "smoke:\n"
    "  - name: login\n"
    "    stage: app\n"
    "    eventually: { timeout: 30s, interval: 200ms, max_interval: 2s, factor: 1.5, successes: 2 "
    "}\n"
    "    steps:\n"
    "      - http: { path: /login, form: { user: \"${random}\" }, timeout: 1s }\n"
    "        expect: [ \"status == 302\", { that: \"cookie.token.secure\", severity: warn } ]\n"
    "        capture: { token: cookie.token, id: { from: body, match: 'id=([0-9]+)' } }\n"
    "      - http: { path: \"/home/${id}\" }\n"
    "        expect: [ \"captured.token exists\" ]\n"
    "  - { name: tls, stage: infra, tls: { host: \"${host}\", port: 443 }, expect: [ \"tls.version "
    ">= 1.2\" ] }\n"
    "  - { name: tcp, stage: infra, tcp: { host: \"${host}\", port: 443 } }\n"
    "  - { name: dns, stage: infra, dns: { service: a, name: b } }\n"
    "  - { name: prom, stage: infra, prometheus: { base: \"${prom}\", jobs: [a] }, expect: [ ready "
    "] "
    "}\n"
    "  - { name: exec, stage: infra, exec: { service: a, argv: [\"true\"] } }\n"
    "load:\n"
    "  - name: browse\n"
    "    rate: 50/s\n"
    "    duration: 10s\n"
    "    warmup: 2s\n"
    "    connections: 8\n"
    "    steps: [ { http: { path: /login }, expect: [ \"status == 200\" ] } ]\n"
    "    thresholds: [ \"latency p(95) < 300ms\", { that: \"achieved rate >= 98%\", kind: "
    "validity, "
    "allow_too_few: true } ]\n";

static void a_whole_plan_is_read(void **unused)
{
	AUTO(check_plan_free) struct check_plan *plan = NULL;
	const struct check_smoke *login;
	struct error err;

	(void)unused;
	if (!check_plan_parse(whole, strlen(whole), "checks.yaml", &plan, &err))
		fail_msg("%s", err.message);
	assert_string_equal(plan->name, "bank");
	assert_string_equal(plan->allow[1], "example.org");
	assert_int_equal(plan->stage_count, 2);
	assert_int_equal(plan->smoke_count, 6);
	login = &plan->smoke[0];
	assert_int_equal(login->stage, 1);
	assert_true(login->eventually.is_given);
	assert_int_equal(login->eventually.successes, 2);
	assert_int_equal(login->step_count, 2);
	assert_string_equal(login->steps[0].http.method, "POST");
	assert_string_equal(login->steps[0].http.base, "${url}");
	assert_string_equal(login->steps[0].http.ca, "${ca}");
	assert_int_equal(login->steps[0].timeout_ms, 1000);
	assert_int_equal(login->steps[1].timeout_ms, 3000);
	assert_string_equal(login->steps[1].http.method, "GET");
	assert_true(login->steps[0].expectations[1].is_warning);
	assert_int_equal(login->steps[0].capture_count, 2);
	assert_false(plan->smoke[1].eventually.is_given);
	assert_string_equal(expectation_text(plan->smoke[2].steps[0].expectations[0].that),
			    "connected");
	assert_string_equal(expectation_text(plan->smoke[5].steps[0].expectations[0].that),
			    "exit == 0");
	assert_int_equal(plan->load_count, 1);
	assert_true(plan->load[0].rate_per_second == 50);
	assert_int_equal(plan->load[0].warmup_ms, 2000);
	assert_int_equal(plan->load[0].connections, 8);
	assert_int_equal(plan->load[0].thresholds[1].kind, THRESHOLD_VALIDITY);
	assert_true(plan->load[0].thresholds[1].allow_too_few);
}

/* Captured names are known to the plan; all others are the environment's. */
static void names_of_the_environment_are_collected_with_their_place(void **unused)
{
	static const char *const known[] = { "url", "ca", "host", "prom", "random", NULL };
	static const char *const too_few[] = { "url", "ca", "hosts", "prom", "random", NULL };
	AUTO(check_plan_free) struct check_plan *plan = NULL;
	struct error err;

	(void)unused;
	assert_true(check_plan_parse(whole, strlen(whole), "checks.yaml", &plan, &err));
	assert_int_equal(plan->name_count, 5);
	assert_true(check_plan_check_names(plan, known, &err));
	assert_false(check_plan_check_names(plan, too_few, &err));
	assert_string_equal(err.slug, "check_name_unknown");
	assert_non_null(strstr(err.message, "checks.yaml:17:45: \"${host}\""));
	assert_string_equal(err.hint, "did you mean \"${hosts}\"?");
}

static void a_plan_that_came_as_json_is_the_same_plan(void **unused)
{
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(check_plan_free) struct check_plan *plan = NULL;
	AUTO(json_decref) json_t *json = NULL;
	struct error err;

	(void)unused;
	assert_true(yaml_parse(whole, strlen(whole), "checks.yaml", &document, &err));
	json = yaml_to_json(document->root);
	json_object_set_new(json, "description",
			    json_string("\"quoted\" \xF0\x9F\x98\x80 \\ text"));
	if (!check_plan_from_json(json, "plan", &plan, &err))
		fail_msg("%s", err.message);
	assert_int_equal(plan->smoke_count, 6);
	assert_int_equal(plan->load_count, 1);
}

struct edit {
	const char *from;
	const char *to;
	const char *message;
	const char *hint;
};

static char *edited(const struct edit *edit)
{
	const char *at = strstr(whole, edit->from);

	if (!at)
		fail_msg("the plan has no \"%s\"", edit->from);
	return xasprintf("%.*s%s%s", (int)(at - whole), whole, edit->to, at + strlen(edit->from));
}

static void what_is_wrong_is_told_with_its_place(void **unused)
{
	static const struct edit rows[] = {
		{ "envd/v1", "envd/v2", "checks.yaml:1:13: \"apiVersion\" must be \"envd/v1\"",
		  "" },
		{ "CheckPlan", "Plan", "2:7: \"kind\" must be \"CheckPlan\"", "" },
		{ "name: bank", "name: Bank", "3:7: ", NULL },
		{ "smoke:", "smok:", "7:1: unknown key \"smok\"", "did you mean \"smoke\"?" },
		{ "timeout: 3s", "timeout: 3", "timeout \"3\" is not a duration", NULL },
		{ "timeout: 3s", "timeout: 20m",
		  "\"timeout\" must be between 1ms and 10m (got 20m)", "" },
		{ "example.org", "\"http://x/\"", "\"http://x/\" is neither a host nor host:port",
		  "" },
		{ "[infra, app]", "[]", "\"stages\" is empty", "" },
		{ "[infra, app]", "[app, app]", "stage \"app\" is there twice", "" },
		{ "[infra, app]", "app", "\"stages\" must be a list (got a value)", "" },
		{ "stage: app", "stage: ap", "9:12: unknown stage \"ap\"",
		  "did you mean \"app\"?" },
		{ "    stage: app\n", "", "stage", NULL },
		{ "name: login", "name: \"log in\"", "\"log in\" is no name", "" },
		{ "name: tcp", "name: tls", "there are two checks called \"tls\"", "" },
		{ "exec: { service: a, argv: [\"true\"] }", "kube: { namespaces: [] }",
		  "\"namespaces\" is empty", "" },
		{ "exec: { service: a, argv: [\"true\"] }", "kube: { ignore: [a] }",
		  "\"namespaces\" is missing", "" },
		{ "exec: { service: a, argv: [\"true\"] }",
		  "only: { size: big }, tcp: { host: a, port: 1 }",
		  "expected a list of values of parameter \"size\"", "" },
		{ "exec: { service: a, argv: [\"true\"] }",
		  "only: [big], tcp: { host: a, port: 1 }", "\"only\" must be a map", "" },
		{ "exec: { service: a, argv: [\"true\"] }",
		  "exec: { service: a, argv: [b] }, capture: { o: { from: output, decode: hex } }",
		  "\"decode\" is base64 (got \"hex\")", "" },
		{ "tcp: {", "tcq: {", "unknown key \"tcq\"", "did you mean \"tcp\"?" },
		{ "tcp: { host: \"${host}\", port: 443 }", "stage2: x", "unknown key", NULL },
		{ "factor: 1.5", "factor: 0.5", "\"factor\" must be a number between 1 and 10",
		  "" },
		{ "successes: 2", "successes: 0", "\"successes\" must be between 1 and 100 (got 0)",
		  "" },
		{ "max_interval: 2s", "max_interval: 100ms", "\"max_interval\" is shorter than",
		  "" },
		{ "path: /login, form", "path: login, form", "\"path\" must begin with \"/\"", "" },
		{ "path: /login, form", "path: /login, body: x, form", "only one of \"form\"", "" },
		{ "path: /login, form", "method: get, path: /login, form", "\"get\" is no method",
		  "" },
		{ "path: /login, form", "headers: { \"a b\": c }, path: /login, form",
		  "header 1 is not a header", "" },
		{ "path: /login, form", "headers: { a: \"b\\r\\nc\" }, path: /login, form",
		  "header 1 is not a header", "" },
		{ "path: /login, form", "folow: true, path: /login, form", "unknown key \"folow\"",
		  "did you mean \"follow\"?" },
		{ "${random}", "${random", "is not ${name}", "" },
		{ "status == 302", "status = 302", "13:19: \"status = 302\", character 8", "" },
		{ "severity: warn", "severity: warning", "\"severity\" is fail or warn", "" },
		{ "{ token: cookie.token,", "{ token: cookies.token,",
		  "\"cookies.token\" is nothing", "did you mean \"cookie.NAME\"?" },
		{ "{ token: cookie.token,", "{ a.b: cookie.token,",
		  "\"a.b\" is no name for a capture", "" },
		{ "id=([0-9]+)", "id=([0-9]+", "regular expression 'id=([0-9]+'", "" },
		{ "captured.token exists", "captured.tokn exists",
		  "\"tokn\" was not captured before", "did you mean \"token\"?" },
		{ ", expect: [ \"tls.version >= 1.2\" ]", "",
		  "\"expect\" is missing: this step could not", "" },
		{ "argv: [\"true\"]", "argv: []", "\"argv\" is empty", "" },
		{ "argv: [\"true\"]", "argv: \"true\"", "\"argv\" must be a list", "" },
		{ ", argv: [\"true\"]", "", "\"argv\" is missing", "" },
		{ "rate: 50/s", "rate: 50", "\"rate\" is written as 50/s", "" },
		{ "rate: 50/s", "rate: 10001/s", "\"rate\" must be between 0.1/s and 10000/s", "" },
		{ "duration: 10s", "duration: 11m", "\"duration\" must be between 100ms and 10m",
		  "" },
		{ "    duration: 10s\n", "", "\"duration\" is missing", "" },
		{ "connections: 8", "connections: 1001", "must be between 1 and 1000 (got 1001)",
		  "" },
		{ "http: { path: /login }, expect: [ \"status == 200\" ]",
		  "tcp: { host: a, port: 1 }", "a load check has steps of kind http only", "" },
		{ "http: { path: /login }, expect",
		  "eventually: {}, http: { path: /login }, expect", "a load check never retries",
		  "" },
		{ "\"latency p(95) < 300ms\"", "\"latency p(95) < 300\"",
		  "character 17: expected a dur", "" },
		{ "kind: validity", "kind: valid", "\"kind\" is slo, validity or warn", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(free) char *text = edited(&rows[i]);
		struct check_plan *plan = NULL;
		struct error err;

		if (check_plan_parse(text, strlen(text), "checks.yaml", &plan, &err))
			fail_msg("\"%s\" was taken", rows[i].to);
		if (!strstr(err.message, rows[i].message))
			fail_msg("\"%s\": %s", rows[i].to, err.message);
		if (strncmp(err.message, "checks.yaml:", 12) != 0)
			fail_msg("\"%s\": no place: %s", rows[i].to, err.message);
		assert_int_equal(err.code, ERR_INVALID);
		if (rows[i].hint)
			assert_string_equal(err.hint, rows[i].hint);
	}
}

static void a_plan_that_could_not_fail_is_refused(void **unused)
{
	static const char empty[] = "apiVersion: envd/v1\nkind: CheckPlan\nname: x\n";
	static const char no_thresholds[] = "apiVersion: envd/v1\nkind: CheckPlan\nname: "
					    "x\ndefaults: { base: \"${url}\" }\nload:\n  - "
					    "{ name: a, rate: 1/s, duration: 1s, steps: [ { http: "
					    "{ path: / }, expect: [ \"status == "
					    "200\" ] } ], thresholds: [] }\n";
	struct check_plan *plan;
	struct error err;

	(void)unused;
	assert_false(check_plan_parse(empty, strlen(empty), "x", &plan, &err));
	assert_non_null(strstr(err.message, "a plan without checks"));
	assert_false(check_plan_parse(no_thresholds, strlen(no_thresholds), "x", &plan, &err));
	assert_non_null(strstr(err.message, "this check could not fail"));
}

static void no_cut_of_a_plan_is_more_than_an_error(void **unused)
{
	(void)unused;
	for (size_t length = 0; length < strlen(whole); length += 3) {
		struct check_plan *plan = NULL;
		struct error err;

		if (check_plan_parse(whole, length, "cut.yaml", &plan, &err))
			check_plan_free(plan);
		else
			assert_int_equal(err.code, ERR_INVALID);
	}
}

static void a_plan_that_is_too_large_is_refused_before_it_is_read(void **unused)
{
	AUTO(free) char *large = xcalloc(CHECK_PLAN_BYTES_MAX + 2, 1);
	struct check_plan *plan;
	struct error err;

	(void)unused;
	memset(large, '#', CHECK_PLAN_BYTES_MAX + 1);
	assert_false(check_plan_parse(large, CHECK_PLAN_BYTES_MAX + 1, "large", &plan, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void a_check_is_for_the_environments_that_it_names(void **unused)
{
	static const char text[] =
	    "apiVersion: envd/v1\nkind: CheckPlan\nname: x\nsmoke:\n"
	    "  - { name: a, only: { size: [big, 3], on: [true] }, tcp: { host: a, port: 1 } }\n"
	    "  - { name: b, tcp: { host: a, port: 1 } }\n";
	static const struct {
		const char *parameters;
		bool applies;
	} rows[] = {
		{ "{\"size\":\"big\",\"on\":true}", true },
		{ "{\"size\":3,\"on\":true}", true },
		{ "{\"size\":\"small\",\"on\":true}", false },
		{ "{\"size\":\"big\",\"on\":false}", false },
		{ "{\"on\":true}", false },
	};
	AUTO(check_plan_free) struct check_plan *plan = NULL;
	struct error err;

	(void)unused;
	if (!check_plan_parse(text, strlen(text), "x", &plan, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(json_decref) json_t *parameters = json_loads(rows[i].parameters, 0, NULL);

		assert_int_equal(check_smoke_applies(&plan->smoke[0], parameters), rows[i].applies);
		assert_true(check_smoke_applies(&plan->smoke[1], parameters));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_is_for_the_environments_that_it_names),
		cmocka_unit_test(a_whole_plan_is_read),
		cmocka_unit_test(names_of_the_environment_are_collected_with_their_place),
		cmocka_unit_test(a_plan_that_came_as_json_is_the_same_plan),
		cmocka_unit_test(what_is_wrong_is_told_with_its_place),
		cmocka_unit_test(a_plan_that_could_not_fail_is_refused),
		cmocka_unit_test(no_cut_of_a_plan_is_more_than_an_error),
		cmocka_unit_test(a_plan_that_is_too_large_is_refused_before_it_is_read),
	};

	return cmocka_run_group_tests_name("check plan", tests, NULL, NULL);
}
