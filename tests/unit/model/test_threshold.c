#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/threshold.h"

/* 1000 requests of 1 to 1000 ms, of which the last 20 failed. */
static struct load_numbers thousand(void)
{
	static struct latency_histogram *all, *ok, *service;

	if (!all) {
		all = latency_histogram_new();
		ok = latency_histogram_new();
		service = latency_histogram_new();
		for (int i = 1; i <= 1000; i++) {
			latency_histogram_record(all, i * 1000);
			latency_histogram_record(service, i * 100);
			if (i <= 980)
				latency_histogram_record(ok, i * 1000);
		}
	}
	return (struct load_numbers){ .latency = all,
				      .latency_ok = ok,
				      .service_time = service,
				      .planned = 1000,
				      .sent_in_time = 990,
				      .requests = 1000,
				      .errors = 20,
				      .dropped = 0,
				      .duration_s = 10 };
}

static void check(const char *text, enum threshold_status expected, const char *expected_saw,
		  const struct load_numbers *numbers)
{
	AUTO(threshold_free) struct threshold *threshold = NULL;
	char saw[THRESHOLD_SAW_MAX];
	enum threshold_status status;
	struct error err;

	if (!threshold_parse(text, &threshold, &err))
		fail_msg("%s", err.message);
	status = threshold_judge(threshold, numbers, saw);
	if (status != expected || (expected_saw && strcmp(saw, expected_saw) != 0))
		fail_msg("%s: %s, saw %s", text, threshold_status_name(status), saw);
}

static void each_metric_passes_and_fails(void **unused)
{
	const struct load_numbers numbers = thousand();

	(void)unused;
	check("latency p(95) < 960ms", THRESHOLD_PASSED, NULL, &numbers);
	check("latency p(95) < 950ms", THRESHOLD_FAILED, NULL, &numbers);
	check("latency p(99.0) <= 1s", THRESHOLD_PASSED, NULL, &numbers);
	check("latency med < 501ms", THRESHOLD_PASSED, NULL, &numbers);
	check("latency avg < 500ms", THRESHOLD_FAILED, "500.50ms", &numbers);
	check("latency max <= 1s", THRESHOLD_PASSED, "1000.00ms", &numbers);
	check("latency min > 1ms", THRESHOLD_FAILED, "1.00ms", &numbers);
	check("latency{ok} max < 981ms", THRESHOLD_PASSED, "980.00ms", &numbers);
	check("service_time p(95) < 100ms", THRESHOLD_PASSED, NULL, &numbers);
	check("errors rate < 2%", THRESHOLD_FAILED, "2.00%", &numbers);
	check("errors rate <= 2%", THRESHOLD_PASSED, "2.00%", &numbers);
	check("errors count == 20", THRESHOLD_PASSED, "20", &numbers);
	check("errors count != 20", THRESHOLD_FAILED, "20", &numbers);
	check("achieved rate >= 98%", THRESHOLD_PASSED, "99.00%", &numbers);
	check("achieved rate > 99%", THRESHOLD_FAILED, NULL, &numbers);
	check("requests rate > 99/s", THRESHOLD_PASSED, "100.0/s", &numbers);
	check("requests count >= 1001", THRESHOLD_FAILED, "1000", &numbers);
	check("dropped count == 0", THRESHOLD_PASSED, "0", &numbers);
}

static void too_few_samples_are_told(void **unused)
{
	AUTO(latency_histogram_free) struct latency_histogram *few = latency_histogram_new();
	struct load_numbers numbers = thousand();

	(void)unused;
	for (int i = 0; i < 58; i++)
		latency_histogram_record(few, 1000);
	numbers.latency = few;
	check("latency p(95) < 1s", THRESHOLD_INSUFFICIENT, "1.00ms in 58 samples, 59 are needed",
	      &numbers);
	latency_histogram_record(few, 1000);
	check("latency p(95) < 1s", THRESHOLD_PASSED, NULL, &numbers);
	check("latency p(99) < 1s", THRESHOLD_INSUFFICIENT, NULL, &numbers);
	check("latency max < 1s", THRESHOLD_PASSED, NULL, &numbers);

	numbers.requests = 299;
	numbers.errors = 0;
	check("errors rate < 1%", THRESHOLD_INSUFFICIENT, "0.00% in 299 samples, 300 are needed",
	      &numbers);
	check("errors rate < 5%", THRESHOLD_PASSED, NULL, &numbers);
	check("errors count == 0", THRESHOLD_PASSED, NULL, &numbers);
}

static void nonsense_is_refused_with_its_place(void **unused)
{
	static const char *const rows[][3] = {
		{ "latncy p(95) < 300ms", "character 1: expected latency",
		  "did you mean \"latency\"?" },
		{ "latency p95 < 300ms", "character 9: expected p(N), avg, min, med or max", "" },
		{ "latency p(101) < 300ms", "expected p(N)", "" },
		{ "latency rate < 1%", "expected p(N)", "" },
		{ "latency p(95) = 300ms", "character 15: expected < <= > or >=", "" },
		{ "latency p(95) == 300ms", "never exactly equal", "" },
		{ "latency p(95) < 300", "character 17: expected a duration with a unit", "" },
		{ "latency p(95) < 1%", "expected a duration with a unit", "" },
		{ "errors rate < 0.01", "expected a percentage, such as 1%", "" },
		{ "errors rate < 101%", "expected a percentage", "" },
		{ "errors p(95) < 1%", "expected rate or count", "" },
		{ "achieved count > 5", "expected rate", "" },
		{ "requests rate > 50", "expected a rate, such as 50/s", "" },
		{ "dropped count == none", "expected a number", "" },
		{ "dropped count == 0 please", "character 20: this is too much", "" },
		{ "", "expected latency", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct threshold *threshold = NULL;
		struct error err;

		if (threshold_parse(rows[i][0], &threshold, &err))
			fail_msg("\"%s\" was taken", rows[i][0]);
		if (!strstr(err.message, rows[i][1]))
			fail_msg("\"%s\": %s", rows[i][0], err.message);
		assert_string_equal(err.slug, "threshold_invalid");
		assert_string_equal(err.hint, rows[i][2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_metric_passes_and_fails),
		cmocka_unit_test(too_few_samples_are_told),
		cmocka_unit_test(nonsense_is_refused_with_its_place),
	};

	return cmocka_run_group_tests_name("threshold", tests, NULL, NULL);
}
