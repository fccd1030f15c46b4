/* How checks are run: readiness, verdicts, stages, time limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/check_bench.h"

static int start_bank(void **state)
{
	*state = fake_bank_start(CERTIFICATE_GOOD);
	return 0;
}

static int stop_bank(void **state)
{
	fake_bank_stop(*state);
	return 0;
}

#define READY(eventually)                                                                          \
	"smoke:\n  - { name: it, http: { path: /z/health }, expect: [ \"status == 200\" "          \
	"]" eventually " }\n"

static int64_t number(const json_t *report, const char *name, const char *key)
{
	return json_get_int64(bench_smoke(report, name), key, -1);
}

static void a_check_without_eventually_is_asked_once(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->ready_after = 1;
	report = bench_run(bank, READY(""), NULL);
	assert_check(report, "it", "failed");
	assert_int_equal(number(report, "it", "attempts"), 1);
	assert_int_equal(bank->switches->readiness_requests, 1);
}

static void eventually_asks_again_until_it_holds(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->ready_after = 3;
	report = bench_run(bank, READY(", eventually: { timeout: 10s, interval: 10ms }"), NULL);
	assert_check(report, "it", "passed");
	assert_int_equal(number(report, "it", "attempts"), 4);
	assert_int_equal(number(report, "it", "flaps"), 0);
}

static void eventually_gives_up_after_its_timeout_and_says_what_it_saw_last(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->is_not_ready = true;
	report = bench_run(bank, READY(", eventually: { timeout: 100ms, interval: 10ms }"), NULL);
	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"), "status == 200: saw 503 (after ");
	assert_true(number(report, "it", "duration_ms") < 2000);
}

static void one_lucky_answer_is_not_enough_where_several_in_a_row_are_asked_for(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->flaps = true;
	report = bench_run(
	    bank,
	    READY(", eventually: { timeout: 300ms, interval: 10ms, factor: 1, successes: 2 }"),
	    NULL);
	assert_check(report, "it", "failed");
	assert_true(number(report, "it", "flaps") >= 2);
}

static void a_stable_service_is_asked_as_often_as_successes_says(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	report = bench_run(
	    bank, READY(", eventually: { timeout: 10s, interval: 10ms, successes: 3 }"), NULL);
	assert_check(report, "it", "passed");
	assert_int_equal(number(report, "it", "attempts"), 3);
}

static void a_refused_connection_is_tried_again(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref)
	json_t *addresses =
	    json_pack("[{s:s, s:s, s:i}]", "service", "x", "host", "127.0.0.1", "port", 1);
	struct check_request request = { .run_smoke = true, .addresses = addresses };
	AUTO(json_decref)
	json_t *report = bench_run_as(
	    bank,
	    "smoke:\n  - { name: it, http: { base: \"http://127.0.0.1:1\", path: / }, expect: [ "
	    "\"status == 200\" ], eventually: { timeout: 100ms, interval: 20ms, factor: 1 } }\n",
	    &request);

	assert_check(report, "it", "failed");
	assert_true(number(report, "it", "attempts") >= 3);
	assert_contains(bench_message(report, "it"), "refused");
}

static void denied_access_is_not_tried_again(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "smoke:\n  - { name: it, http: { path: /status/403 }, expect: [ \"status == 200\" ], "
	    "eventually: { timeout: 10s, interval: 10ms } }\n",
	    NULL);

	assert_check(report, "it", "failed");
	assert_int_equal(number(report, "it", "attempts"), 1);
	assert_contains(bench_message(report, "it"), "not tried again: access is denied");
}

static void a_failed_stage_skips_the_later_ones_and_says_which_it_was(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->is_not_ready = true;
	report = bench_run(
	    bank,
	    "stages: [infra, app, end]\n"
	    "smoke:\n"
	    "  - { name: later, stage: app, http: { path: / }, expect: [ \"status == 200\" ] }\n"
	    "  - { name: last, stage: end, http: { path: / }, expect: [ \"status == 200\" ] }\n"
	    "  - { name: first, stage: infra, http: { path: /z/health }, expect: [ \"status == "
	    "200\" "
	    "] }\n"
	    "  - { name: beside, stage: infra, http: { path: / }, expect: [ \"status == 200\" ] "
	    "}\n",
	    NULL);
	assert_check(report, "first", "failed");
	assert_check(report, "beside", "passed");
	assert_check(report, "later", "skipped");
	assert_check(report, "last", "skipped");
	assert_string_equal(json_get_string(bench_smoke(report, "later"), "blocked_by", ""),
			    "infra");
	assert_string_equal(json_get_string(report, "verdict", ""), "failed");
}

static void a_warning_does_not_stop_the_next_stage(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "stages: [infra, app]\n"
	    "smoke:\n"
	    "  - { name: first, stage: infra, http: { path: / }, expect: [ \"status == 200\", { "
	    "that: "
	    "\"http.version == 2\", severity: warn } ] }\n"
	    "  - { name: later, stage: app, http: { path: / }, expect: [ \"status == 200\" ] }\n",
	    NULL);

	assert_check(report, "first", "warned");
	assert_check(report, "later", "passed");
	assert_string_equal(json_get_string(report, "verdict", ""), "passed");
}

static void readiness_comes_before_verdicts_of_the_same_stage(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->ready_after = 3;
	report = bench_run(
	    bank,
	    "smoke:\n"
	    "  - { name: verdict, http: { path: /z/health }, expect: [ \"status == 200\" ] }\n"
	    "  - { name: readiness, http: { path: /z/health }, expect: [ \"status == 200\" ], "
	    "eventually: { timeout: 10s, interval: 10ms } }\n",
	    NULL);
	assert_check(report, "readiness", "passed");
	assert_check(report, "verdict", "passed");
}

static void waits_of_several_checks_overlap(void **state)
{
	struct fake_bank *bank = *state;
	int64_t start_mono_ms = clock_mono_ms();
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->is_not_ready = true;
	report = bench_run(bank,
			   "smoke:\n"
			   "  - &it { name: a, http: { path: /z/health }, expect: [ \"status == "
			   "200\" ], eventually: "
			   "{ timeout: 400ms, interval: 50ms } }\n"
			   "  - { <<: *it, name: b }\n"
			   "  - { <<: *it, name: c }\n"
			   "  - { <<: *it, name: d }\n",
			   NULL);
	assert_check(report, "a", "failed");
	assert_check(report, "d", "failed");
	assert_true(clock_mono_ms() - start_mono_ms < 1200);
}

static void what_is_not_done_by_the_deadline_is_an_error_not_a_failure(void **state)
{
	struct fake_bank *bank = *state;
	struct check_request request = { .run_smoke = true };
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->is_not_ready = true;
	request.deadline_at_ms = clock_wall_ms() + 200;
	report =
	    bench_run_as(bank, READY(", eventually: { timeout: 1h, interval: 50ms }"), &request);
	assert_check(report, "it", "error");
	assert_contains(bench_message(report, "it"), "the time for checks was over");
	assert_string_equal(json_get_string(report, "verdict", ""), "inconclusive");
}

static void an_answer_that_comes_too_late_is_a_failure(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->slow_ms = 1000;
	report = bench_run(bank,
			   "smoke:\n  - { name: it, http: { path: /, timeout: 100ms }, expect: [ "
			   "\"status == 200\" ] }\n",
			   NULL);
	assert_check(report, "it", "failed");
	assert_contains(bench_message(report, "it"), "timed out");
}

static void load_is_not_tried_on_what_is_not_right(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->is_not_ready = true;
	report =
	    bench_run(bank,
		      READY("") "load:\n  - { name: l, rate: 10/s, duration: 1s, steps: [ { http: "
				"{ path: / }, expect: [ \"status == 200\" ] } ], thresholds: [ "
				"\"errors count == 0\" ] }\n",
		      NULL);
	assert_int_equal(json_array_size(json_object_get(report, "load")), 0);
	assert_string_equal(json_get_string(report, "verdict", ""), "failed");
}

static void a_name_that_the_environment_does_not_have_stops_the_run_before_it_begins(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(check_plan_free)
	struct check_plan *plan =
	    bench_plan("smoke:\n  - { name: it, http: { base: \"${htp_url}\", "
		       "path: / }, expect: [ \"status == 200\" ] }\n");
	AUTO(json_decref)
	json_t *outputs = json_pack("{s:s, s:s, s:s}", "url", "x", "ca", "x", "http_url", "x");
	const struct check_request request = { .plan = plan,
					       .outputs = outputs,
					       .run_smoke = true,
					       .run_id = "",
					       .environment_id = "",
					       .environment_name = "" };
	json_t *report;
	struct error err;

	assert_false(check_run(&request, &report, &err));
	assert_string_equal(err.slug, "check_name_unknown");
	assert_contains(err.message, "bench.yaml:6:31: \"${htp_url}\" is neither captured");
	assert_string_equal(err.hint, "did you mean \"${http_url}\"?");
	assert_int_equal(bank->switches->requests, 0);
}

static void passwords_and_tokens_are_not_repeated_in_reports(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "smoke:\n"
	    "  - name: it\n"
	    "    steps:\n"
	    "      - http: { path: /login, form: { username: testuser, password: bankofsirius } }\n"
	    "        expect: [ \"cookie.token == 'x'\" ]\n"
	    "  - name: echo\n"
	    "    http: { path: /echo, form: { a: b, password: bankofsirius } }\n"
	    "    expect: [ \"body == 'x'\" ]\n"
	    "  - name: captured\n"
	    "    steps:\n"
	    "      - http: { path: /login, form: { username: testuser, password: bankofsirius } }\n"
	    "        expect: [ \"status == 302\" ]\n"
	    "        capture: { token: cookie.token }\n"
	    "      - http: { path: /echo, headers: { X-Test: \"${token}\" } }\n"
	    "        expect: [ \"body == ${token}\", \"captured.token == 'y'\" ]\n",
	    NULL);
	AUTO(free) char *text = json_to_text(report);

	assert_check(report, "it", "failed");
	assert_check(report, "echo", "failed");
	assert_check(report, "captured", "failed");
	assert_contains(bench_message(report, "it"), "characters (not shown)");
	assert_contains(bench_message(report, "echo"), "password=****");
	assert_null(strstr(text, "bank")); /* not even the half that an excerpt would show */
	assert_null(strstr(text, "eyJ"));
}

#define story(name) cmocka_unit_test_setup_teardown(name, start_bank, stop_bank)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_check_without_eventually_is_asked_once),
		story(eventually_asks_again_until_it_holds),
		story(eventually_gives_up_after_its_timeout_and_says_what_it_saw_last),
		story(one_lucky_answer_is_not_enough_where_several_in_a_row_are_asked_for),
		story(a_stable_service_is_asked_as_often_as_successes_says),
		story(a_refused_connection_is_tried_again),
		story(denied_access_is_not_tried_again),
		story(a_failed_stage_skips_the_later_ones_and_says_which_it_was),
		story(a_warning_does_not_stop_the_next_stage),
		story(readiness_comes_before_verdicts_of_the_same_stage),
		story(waits_of_several_checks_overlap),
		story(what_is_not_done_by_the_deadline_is_an_error_not_a_failure),
		story(an_answer_that_comes_too_late_is_a_failure),
		story(load_is_not_tried_on_what_is_not_right),
		story(a_name_that_the_environment_does_not_have_stops_the_run_before_it_begins),
		story(passwords_and_tokens_are_not_repeated_in_reports),
	};

	return cmocka_run_group_tests_name("smoke", tests, NULL, NULL);
}
