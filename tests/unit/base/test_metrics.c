#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/metrics.h"

static const double buckets[] = { 0.1, 1, 0 };

enum { REQUESTS, LEVEL, SECONDS };

static const struct metric_row rows[] = {
	[REQUESTS] = { "requests_total", METRIC_COUNTER, { "route", "status" }, NULL, "Requests." },
	[LEVEL] = { "level", METRIC_GAUGE, { NULL }, NULL, "Level." },
	[SECONDS] = { "wait_seconds", METRIC_HISTOGRAM, { NULL }, buckets, "Waiting." },
};

static int open_metrics(void **state)
{
	*state = metrics_new(rows, ARRAY_SIZE(rows));
	return 0;
}

static int close_metrics(void **state)
{
	metrics_free(*state);
	return 0;
}

static void assert_says(const struct metrics *metrics, const char *words)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;

	metrics_text(metrics, &text);
	if (!strstr(text_get(&text), words))
		fail_msg("\"%s\" is not in: %s", words, text_get(&text));
}

static void what_has_no_labels_is_0_from_the_beginning(void **state)
{
	assert_says(*state, "# HELP level Level.\n# TYPE level gauge\nlevel 0\n");
	assert_says(*state, "\nwait_seconds_count 0\n");
}

static void label_values_are_escaped(void **state)
{
	metrics_add(*state, REQUESTS, "a\"b\\c\nd", "200", 2);
	assert_says(*state, "requests_total{route=\"a\\\"b\\\\c\\nd\",status=\"200\"} 2\n");
}

static void buckets_are_cumulative_and_a_negative_duration_is_none(void **state)
{
	metrics_observe(*state, SECONDS, NULL, NULL, 0.05);
	metrics_observe(*state, SECONDS, NULL, NULL, -3);
	metrics_observe(*state, SECONDS, NULL, NULL, 1);
	metrics_observe(*state, SECONDS, NULL, NULL, 7);
	assert_says(*state, "wait_seconds_bucket{le=\"0.1\"} 2\nwait_seconds_bucket{le=\"1\"} 3\n"
			    "wait_seconds_bucket{le=\"+Inf\"} 4\nwait_seconds_sum 8.050000\n"
			    "wait_seconds_count 4\n");
}

static void what_makes_up_labels_makes_no_more_than_a_bounded_number_of_series(void **state)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	size_t series = 0;

	for (int i = 0; i < 10 * METRIC_SERIES_MAX; i++) {
		char route[16];

		snprintf(route, sizeof(route), "/%d", i);
		metrics_add(*state, REQUESTS, route, "200", 1);
	}
	metrics_text(*state, &text);
	for (const char *at = text_get(&text); (at = strstr(at, "\nrequests_total{")); at++)
		series++;
	assert_int_equal(series, METRIC_SERIES_MAX);
	/* And nothing is lost from the sum. */
	assert_says(*state, "{route=\"other\",status=\"other\"} 1801\n");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_metrics, close_metrics)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_has_no_labels_is_0_from_the_beginning),
		TEST(label_values_are_escaped),
		TEST(buckets_are_cumulative_and_a_negative_duration_is_none),
		TEST(what_makes_up_labels_makes_no_more_than_a_bounded_number_of_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
