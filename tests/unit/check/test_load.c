/* Load checks: against a real server, with a real clock. Limits are wide: the machine may be busy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "check/generator_health.h"
#include "tests/support/check_bench.h"

static int start_bank(void **state)
{
	struct fake_bank *bank = fake_bank_start(CERTIFICATE_GOOD);

	bank->switches->http_is_served = true;
	*state = bank;
	return 0;
}

static int stop_bank(void **state)
{
	fake_bank_stop(*state);
	return 0;
}

#define LOAD(head, thresholds)                                                                     \
	"load:\n  - { name: it, " head                                                             \
	", steps: [ { http: { base: \"${http_url}\", path: /, timeout: 3s }, expect: [ \"status "  \
	"== 200\" ] } ], thresholds: [ " thresholds " ] }\n"

static const json_t *load_of(const json_t *report)
{
	return json_array_get(json_object_get(report, "load"), 0);
}

static double figure(const json_t *report, const char *group, const char *key)
{
	const json_t *load = load_of(report);

	return json_get_number(*group ? json_object_get(load, group) : load, key, -1);
}

static const char *threshold_status(const json_t *report, size_t index)
{
	const json_t *list = json_object_get(load_of(report), "thresholds");

	return json_get_string(json_array_get(list, index), "status", "");
}

static void assert_load(const json_t *report, const char *verdict)
{
	AUTO(free) char *text = json_dumps(load_of(report), JSON_INDENT(1));

	if (strcmp(json_get_string(load_of(report), "verdict", ""), verdict) != 0)
		fail_msg("expected %s: %s", verdict, text);
	assert_string_equal(json_get_string(report, "verdict", ""), verdict);
}

/* How a process is kept from running for a while, whoever it is: a helper, because a process that
 * is stopped cannot continue itself. */
static pid_t freeze_later(pid_t who, int64_t after_ms, int64_t for_ms)
{
	pid_t helper = fork();

	if (helper == 0) {
		const struct timespec before = { after_ms / 1000, after_ms % 1000 * 1000000 };
		const struct timespec frozen = { for_ms / 1000, for_ms % 1000 * 1000000 };

		nanosleep(&before, NULL);
		kill(who, SIGSTOP);
		nanosleep(&frozen, NULL);
		kill(who, SIGCONT);
		_exit(0);
	}
	return helper;
}

static void a_quick_product_passes(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    LOAD("rate: 200/s, duration: 2s, connections: 16",
		 "\"latency p(95) < 1s\", \"errors rate < 1%\", { that: \"achieved rate >= "
		 "98%\", "
		 "kind: validity }, \"latency{ok} med < 1s\", \"requests count == 400\""),
	    NULL);

	assert_load(report, "passed");
	assert_int_equal((int)figure(report, "", "requests"), 400);
	assert_int_equal((int)figure(report, "", "errors"), 0);
	assert_true(figure(report, "", "achieved_per_second") >= 196);
}

static void a_slow_product_fails(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->slow_ms = 1200;
	report = bench_run(bank,
			   LOAD("rate: 70/s, duration: 1s, connections: 100",
				"\"latency p(95) < 1s\", \"errors rate < 5%\""),
			   NULL);
	assert_load(report, "failed");
	assert_string_equal(threshold_status(report, 0), "failed");
	assert_string_equal(threshold_status(report, 1), "passed");
	assert_contains(json_get_string(load_of(report), "message", ""),
			"latency p(95) < 1s: saw 12");
}

/* 4 connections and 400 ms an answer: 10 a second at most, where 30 become due. */
static void a_product_that_keeps_every_connection_busy_fails_rather_than_the_generator(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->slow_ms = 400;
	report = bench_run(bank,
			   LOAD("rate: 50/s, duration: 1500ms, connections: 4",
				"\"latency p(95) < 1s\", { that: \"achieved rate >= 98%\", kind: "
				"validity }"),
			   NULL);
	assert_load(report, "failed");
	assert_string_equal(threshold_status(report, 1), "failed");
	assert_true(figure(report, "generator", "held") > 10);
	/* What waited for a connection shows in the latency and not in the service time. */
	assert_true(figure(report, "latency_ms", "p95") >
		    2 * figure(report, "service_time_ms", "p95"));
}

static void errors_fail_and_the_first_is_told(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->error_percent = 10;
	report = bench_run(bank, LOAD("rate: 200/s, duration: 2s", "\"errors rate < 2%\""), NULL);
	assert_load(report, "failed");
	assert_int_equal((int)figure(report, "", "errors"), 40);
	assert_string_equal(json_get_string(load_of(report), "first_error", ""),
			    "GET /: status == 200: saw 500");
}

static void a_product_that_is_gone_fails(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	kill(bank->pid, SIGKILL);
	report = bench_run(bank, LOAD("rate: 100/s, duration: 1s", "\"errors rate < 50%\""), NULL);
	assert_load(report, "failed");
	assert_int_equal((int)figure(report, "", "errors"), 100);
}

/*
 * The server stands still for 1 s of 3 s at 200 a second. A third of all requests became due
 * while it did, so the 99th percentile is about 0.97 s; only those few that were under way have a
 * long service time, so a generator that measures from the moment of sending sees nothing.
 */
static void a_server_that_stalls_shows_in_the_latency_and_not_in_the_service_time(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	/* Again when something else stalled, too: the generator says so itself. */
	for (int tries = 0; tries < 5; tries++) {
		pid_t helper = freeze_later(bank->pid, 1000, 1000);

		json_decref(report);
		report = bench_run_once(
		    bank,
		    LOAD("rate: 200/s, duration: 3s, connections: 4", "\"latency p(95) < 600ms\""),
		    NULL);
		waitpid(helper, NULL, 0);
		if (strcmp(json_get_string(load_of(report), "verdict", ""), "inconclusive") != 0)
			break;
	}
	assert_load(report, "failed");
	assert_in_range((int)figure(report, "latency_ms", "p99"), 850, 1300);
	assert_in_range((int)figure(report, "service_time_ms", "p99"), 0, 200);
	assert_in_range((int)figure(report, "service_time_ms", "max"), 900, 1300);
	assert_int_equal((int)figure(report, "", "requests"), 600);
}

static void a_generator_that_stalls_blames_itself(void **state)
{
	pid_t helper = freeze_later(getpid(), 800, 700);
	AUTO(json_decref)
	json_t *report = bench_run_once(
	    *state, LOAD("rate: 200/s, duration: 2s, connections: 16", "\"latency p(95) < 300ms\""),
	    NULL);

	waitpid(helper, NULL, 0);
	assert_load(report, "inconclusive");
	assert_false(json_get_bool(json_object_get(load_of(report), "generator"), "healthy", true));
	assert_contains(json_get_string(load_of(report), "message", ""),
			"the generator was not well");
}

static void too_few_samples_say_nothing_unless_the_plan_says_that_they_may(void **state)
{
	AUTO(json_decref)
	json_t *strict =
	    bench_run(*state, LOAD("rate: 100/s, duration: 200ms", "\"latency p(99) < 5s\""), NULL);
	AUTO(json_decref)
	json_t *lenient = bench_run(
	    *state,
	    LOAD("rate: 100/s, duration: 200ms",
		 "{ that: \"latency p(99) < 5s\", allow_too_few: true }, \"errors count == 0\""),
	    NULL);

	assert_load(strict, "inconclusive");
	assert_string_equal(threshold_status(strict, 0), "insufficient");
	assert_contains(json_get_string(load_of(strict), "message", ""),
			"in 20 samples, 299 are needed");
	assert_load(lenient, "passed");
	assert_string_equal(threshold_status(lenient, 0), "insufficient");
}

static void warming_up_is_told_and_not_judged(void **state)
{
	struct fake_bank *bank = *state;
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->error_percent = 100;
	bank->switches->requests = 0;
	report = bench_run(
	    bank, LOAD("rate: 100/s, duration: 500ms, warmup: 500ms", "\"errors rate < 10%\""),
	    NULL);
	assert_load(report, "failed");
	assert_int_equal((int)figure(report, "warmup", "requests"), 50);
	assert_int_equal((int)figure(report, "warmup", "errors"), 50);
	assert_int_equal((int)figure(report, "", "requests"), 50);
}

static void a_visit_has_steps_cookies_and_captures(void **state)
{
	AUTO(json_decref)
	json_t *report = bench_run(
	    *state,
	    "load:\n"
	    "  - name: it\n"
	    "    rate: 20/s\n"
	    "    duration: 1s\n"
	    "    connections: 4\n"
	    "    steps:\n"
	    "      - http: { path: /login, form: { username: testuser, password: bankofsirius } }\n"
	    "        expect: [ \"status == 302\" ]\n"
	    "        capture: { token: cookie.token }\n"
	    "      - http: { path: /home }\n"
	    "        expect: [ \"status == 200\", \"body !contains '$---'\", \"captured.token "
	    "exists\" ]\n"
	    "    thresholds: [ \"errors count == 0\", \"requests count == 40\" ]\n",
	    NULL);

	assert_load(report, "passed");
	assert_int_equal((int)figure(report, "", "requests"), 40);
}

static void what_was_due_before_the_end_is_answered_or_dropped(void **state)
{
	struct fake_bank *bank = *state;
	struct check_request request = { .run_load = true };
	AUTO(json_decref) json_t *report = NULL;

	bank->switches->slow_ms = 500;
	request.deadline_at_ms = clock_wall_ms() + 1500;
	report = bench_run_as(bank,
			      LOAD("rate: 50/s, duration: 1s, connections: 2",
				   "\"errors rate < 10%\", \"dropped count == 0\""),
			      &request);
	assert_load(report, "failed");
	assert_true(figure(report, "", "dropped") > 20);
	assert_int_equal((int)figure(report, "", "requests"), 50);
}

/* ---- generator health, by itself ----------------------------------------------------------- */

static struct generator_health health_of(int64_t lag_us, const struct generator_numbers *given)
{
	AUTO(latency_histogram_free) struct latency_histogram *lag = latency_histogram_new();
	struct generator_numbers numbers = *given;
	struct generator_health health;

	for (int i = 0; i < 100; i++)
		latency_histogram_record(lag, lag_us);
	numbers.send_lag = lag;
	generator_judge(&numbers, &health);
	return health;
}

static void lateness_is_measured_by_what_it_could_change(void **unused)
{
	const struct generator_numbers none = { .latency_p50_us = 1000 };
	const struct generator_numbers tight = { .tightest_limit_us = 20000 };
	const struct generator_numbers limit = { .tightest_limit_us = 300000 };
	const struct generator_numbers slow = { .latency_p50_us = 200000,
						.tightest_limit_us = 1000 };

	(void)unused;
	assert_true(health_of(99000, &none).is_healthy);
	assert_false(health_of(101000, &none).is_healthy);
	assert_true(health_of(4900, &tight).is_healthy);
	assert_false(health_of(5100, &tight).is_healthy);
	assert_true(health_of(29000, &limit).is_healthy);
	assert_false(health_of(31000, &limit).is_healthy);
	assert_true(health_of(19000, &slow).is_healthy);
	assert_contains(health_of(31000, &limit).why, "at most 30.0 ms");
}

static void a_pause_or_a_full_core_is_told(void **unused)
{
	const struct generator_numbers pause = { .stall_max_us = 251000 };
	const struct generator_numbers busy = { .cpu_percent = 81 };

	(void)unused;
	assert_contains(health_of(0, &pause).why, "paused for 251 ms");
	assert_contains(health_of(0, &busy).why, "81 % of a core");
}

#define story(name) cmocka_unit_test_setup_teardown(name, start_bank, stop_bank)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(a_quick_product_passes),
		story(a_slow_product_fails),
		story(a_product_that_keeps_every_connection_busy_fails_rather_than_the_generator),
		story(errors_fail_and_the_first_is_told),
		story(a_product_that_is_gone_fails),
		story(a_server_that_stalls_shows_in_the_latency_and_not_in_the_service_time),
		story(a_generator_that_stalls_blames_itself),
		story(too_few_samples_say_nothing_unless_the_plan_says_that_they_may),
		story(warming_up_is_told_and_not_judged),
		story(a_visit_has_steps_cookies_and_captures),
		story(what_was_due_before_the_end_is_answered_or_dropped),
		cmocka_unit_test(lateness_is_measured_by_what_it_could_change),
		cmocka_unit_test(a_pause_or_a_full_core_is_told),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
