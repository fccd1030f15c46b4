#include "wire/check_json.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* What a product sent is quoted in reports, and jansson takes nothing but UTF-8. */
static json_t *quoted(const char *text)
{
	AUTO(free) char *copy = NULL;

	if (text_is_utf8(text, strlen(text)))
		return json_string(text);
	copy = xstrdup(text);
	for (char *at = copy; *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	return json_string(copy);
}

static json_t *quoted_or_null(const char *text)
{
	return text ? quoted(text) : json_null();
}

static double ms(double us)
{
	return us / 1000;
}

static json_t *expectations_json(const struct smoke_result *smoke)
{
	json_t *list = json_array();

	for (size_t i = 0; i < smoke->expectation_count; i++) {
		const struct expectation_result *result = &smoke->expectations[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:b, s:o, s:s}", "text", result->text, "ok",
						result->is_met, "saw", quoted(result->saw),
						"severity", result->is_warning ? "warn" : "fail"));
	}
	return list;
}

static json_t *smoke_json(const struct smoke_result *smoke)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:o, s:o, s:o}", "name", smoke->name,
			 "stage", smoke->stage, "status", check_status_name(smoke->status),
			 "duration_ms", (json_int_t)smoke->duration_ms, "attempts", smoke->attempts,
			 "flaps", smoke->flaps, "message", quoted(smoke->message), "blocked_by",
			 quoted_or_null(smoke->blocked_by), "expectations",
			 expectations_json(smoke));
}

static json_t *latency_json(const struct latency_summary *latency)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "p50", ms((double)latency->p50_us),
			 "p90", ms((double)latency->p90_us), "p95", ms((double)latency->p95_us),
			 "p99", ms((double)latency->p99_us), "max", ms((double)latency->max_us),
			 "mean", ms(latency->mean_us));
}

static json_t *thresholds_json(const struct load_result *load)
{
	json_t *list = json_array();

	for (size_t i = 0; i < load->threshold_count; i++) {
		const struct threshold_result *result = &load->thresholds[i];

		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s, s:s}", "text", result->text, "kind",
				    threshold_kind_name(result->kind), "status",
				    threshold_status_name(result->status), "saw", result->saw));
	}
	return list;
}

static json_t *generator_json(const struct generator_health *generator)
{
	return json_pack("{s:b, s:s, s:f, s:f, s:f, s:I}", "healthy", generator->is_healthy, "why",
			 generator->why, "send_lag_p99_ms", ms((double)generator->send_lag_p99_us),
			 "cpu_percent", generator->cpu_percent, "stall_max_ms",
			 ms((double)generator->stall_max_us), "held", (json_int_t)generator->held);
}

static json_t *load_json(const struct load_result *load)
{
	json_t *json = json_pack(
	    "{s:s, s:s, s:o, s:f, s:f, s:I, s:I, s:I, s:I, s:o}", "name", load->name, "verdict",
	    verdict_name(load->verdict), "message", quoted(load->message), "planned_per_second",
	    load->planned_per_second, "achieved_per_second", load->achieved_per_second, "requests",
	    (json_int_t)load->requests, "errors", (json_int_t)load->errors, "dropped",
	    (json_int_t)load->dropped, "duration_ms", (json_int_t)load->duration_ms, "first_error",
	    quoted_or_null(load->first_error));

	json_object_set_new(json, "warmup",
			    json_pack("{s:I, s:I}", "requests", (json_int_t)load->warmup_requests,
				      "errors", (json_int_t)load->warmup_errors));
	json_object_set_new(json, "latency_ms", latency_json(&load->latency));
	json_object_set_new(json, "service_time_ms", latency_json(&load->service_time));
	json_object_set_new(json, "thresholds", thresholds_json(load));
	json_object_set_new(json, "generator", generator_json(&load->generator));
	return json;
}

json_t *check_report_json(const struct check_report *report)
{
	json_t *smoke = json_array(), *load = json_array();
	char started_at[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < report->smoke_count; i++)
		json_array_append_new(smoke, smoke_json(&report->smoke[i]));
	for (size_t i = 0; i < report->load_count; i++)
		json_array_append_new(load, load_json(&report->load[i]));
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:I, s:o, s:o}",
			 "apiVersion", "envd/v1", "kind", "CheckRun", "id", report->id,
			 "environment", "id", report->environment_id, "name",
			 report->environment_name, "plan", report->plan, "verdict",
			 verdict_name(report->verdict), "started_at",
			 clock_format(report->started_at_ms, started_at), "duration_ms",
			 (json_int_t)report->duration_ms, "smoke", smoke, "load", load);
}
