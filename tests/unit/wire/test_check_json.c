#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "wire/check_json.h"

static char id[] = "r1", environment[] = "e1", name[] = "one", plan[] = "bank";

/* The text is what reports and clients are built on: a change here is a change for them. */
static void a_report_is_written_as_the_header_says(void **unused)
{
	char login[] = "login", app[] = "app", infra[] = "infra",
	     message[] = "status == 302: saw 200";
	char text[] = "status == 302", saw[] = "200", nothing[] = "", home[] = "home";
	char browse[] = "browse", limit[] = "latency p(95) < 300ms", seen[] = "400.00ms";
	struct expectation_result expectation = { .text = text, .saw = saw };
	struct smoke_result smoke[] = {
		{ .name = login,
		  .stage = infra,
		  .status = CHECK_FAILED,
		  .duration_ms = 12,
		  .attempts = 3,
		  .flaps = 1,
		  .message = message,
		  .expectations = &expectation,
		  .expectation_count = 1 },
		{ .name = home,
		  .stage = app,
		  .status = CHECK_SKIPPED,
		  .message = nothing,
		  .blocked_by = infra },
	};
	struct threshold_result threshold = {
		.text = limit, .saw = seen, .kind = THRESHOLD_SLO, .status = THRESHOLD_FAILED
	};
	struct load_result load = { .name = browse,
				    .verdict = VERDICT_FAILED,
				    .message = nothing,
				    .planned_per_second = 50,
				    .achieved_per_second = 49.5,
				    .requests = 500,
				    .errors = 2,
				    .duration_ms = 10000,
				    .latency = { 1000, 2000, 3000, 4000, 5000, 1500 },
				    .thresholds = &threshold,
				    .threshold_count = 1,
				    .generator = { .is_healthy = true, .send_lag_p99_us = 50 } };
	struct check_report report = { .id = id,
				       .environment_id = environment,
				       .environment_name = name,
				       .plan = plan,
				       .verdict = VERDICT_FAILED,
				       .started_at_ms = 1700000000123,
				       .duration_ms = 10100,
				       .smoke = smoke,
				       .smoke_count = 2,
				       .load = &load,
				       .load_count = 1 };
	AUTO(json_decref) json_t *json = check_report_json(&report);
	AUTO(free) char *written = json_to_text(json);

	(void)unused;
	assert_string_equal(
	    written,
	    "{\"apiVersion\":\"envd/"
	    "v1\",\"kind\":\"CheckRun\",\"id\":\"r1\",\"environment\":{\"id\":"
	    "\"e1\",\"name\":\"one\"},\"plan\":\"bank\",\"verdict\":\"failed\",\"started_at\":"
	    "\"2023-11-14T22:13:20.123Z\",\"duration_ms\":10100,\"smoke\":[{\"name\":\"login\","
	    "\"stage\":\"infra\",\"status\":\"failed\",\"duration_ms\":12,\"attempts\":3,\"flaps\":"
	    "1,"
	    "\"message\":\"status == 302: saw "
	    "200\",\"blocked_by\":null,\"expectations\":[{\"text\":"
	    "\"status == "
	    "302\",\"ok\":false,\"saw\":\"200\",\"severity\":\"fail\"}]},{\"name\":\"home\","
	    "\"stage\":\"app\",\"status\":\"skipped\",\"duration_ms\":0,\"attempts\":0,\"flaps\":0,"
	    "\"message\":\"\",\"blocked_by\":\"infra\",\"expectations\":[]}],\"load\":[{\"name\":"
	    "\"browse\",\"verdict\":\"failed\",\"message\":\"\",\"planned_per_second\":50.0,"
	    "\"achieved_per_second\":49.5,\"requests\":500,\"errors\":2,\"dropped\":0,\"duration_"
	    "ms\":"
	    "10000,\"first_error\":null,\"warmup\":{\"requests\":0,\"errors\":0},\"latency_ms\":{"
	    "\"p50\":"
	    "1.0,\"p90\":2.0,\"p95\":3.0,\"p99\":4.0,\"max\":5.0,\"mean\":1.5},\"service_time_ms\":"
	    "{"
	    "\"p50\":0.0,\"p90\":0.0,\"p95\":0.0,\"p99\":0.0,\"max\":0.0,\"mean\":0.0},"
	    "\"thresholds\":[{"
	    "\"text\":\"latency p(95) < 300ms\",\"kind\":\"slo\",\"status\":\"failed\",\"saw\":"
	    "\"400.00ms\"}],\"generator\":{\"healthy\":true,\"why\":\"\",\"send_lag_p99_ms\":0.05,"
	    "\"cpu_percent\":0.0,\"stall_max_ms\":0.0,\"held\":0}}]}");
}

/* A product may send any bytes, and they are quoted in messages. */
static void bytes_that_are_no_text_do_not_spoil_a_report(void **unused)
{
	char check[] = "a", stage[] = "s", message[] = "saw '\xFF\xFE'";
	struct smoke_result smoke = {
		.name = check, .stage = stage, .status = CHECK_FAILED, .message = message
	};
	struct check_report report = { .id = id,
				       .environment_id = environment,
				       .environment_name = name,
				       .plan = plan,
				       .smoke = &smoke,
				       .smoke_count = 1 };
	AUTO(json_decref) json_t *json = check_report_json(&report);
	const json_t *first = json_array_get(json_object_get(json, "smoke"), 0);

	(void)unused;
	assert_non_null(json);
	assert_string_equal(json_get_string(first, "message", ""), "saw '?"
								   "?'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_is_written_as_the_header_says),
		cmocka_unit_test(bytes_that_are_no_text_do_not_spoil_a_report),
	};

	return cmocka_run_group_tests_name("check json", tests, NULL, NULL);
}
