#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/latency_histogram.h"

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static int by_value(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static void an_empty_histogram_is_zero(void **unused)
{
	AUTO(latency_histogram_free)
	struct latency_histogram *histogram = latency_histogram_new();

	(void)unused;
	assert_int_equal(latency_histogram_count(histogram), 0);
	assert_int_equal(latency_histogram_min_us(histogram), 0);
	assert_int_equal(latency_histogram_max_us(histogram), 0);
	assert_int_equal(latency_histogram_quantile_us(histogram, 0.5), 0);
	assert_int_equal(latency_histogram_quantile_us(histogram, 1), 0);
	assert_true(latency_histogram_mean_us(histogram) == 0);
}

/* Against sorted samples: the smallest value v with count(<= v) >= ceil(q * n), within 0.1 %. */
static void quantiles_are_those_of_the_sorted_samples(void **unused)
{
	static const double quantiles[] = { 0.001, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1 };
	enum { COUNT = 5000 };
	int64_t *samples = calloc(COUNT, sizeof(*samples));
	uint64_t state = 42;

	(void)unused;
	for (int round = 0; round < 6; round++) {
		AUTO(latency_histogram_free)
		struct latency_histogram *histogram = latency_histogram_new();
		double sum = 0;

		for (int i = 0; i < COUNT; i++) {
			samples[i] = (int64_t)(next_random(&state) % (uint64_t)(10 << (round * 5)));
			latency_histogram_record(histogram, samples[i]);
			sum += (double)samples[i];
		}
		qsort(samples, COUNT, sizeof(*samples), by_value);
		for (size_t i = 0; i < ARRAY_SIZE(quantiles); i++) {
			size_t rank = (size_t)(quantiles[i] * COUNT + 0.999999);
			int64_t exact = samples[rank - 1];
			int64_t told = latency_histogram_quantile_us(histogram, quantiles[i]);

			assert_true(told >= exact);
			assert_true(told <= exact + exact / 1000);
		}
		assert_int_equal(latency_histogram_min_us(histogram), samples[0]);
		assert_int_equal(latency_histogram_max_us(histogram), samples[COUNT - 1]);
		assert_true(latency_histogram_mean_us(histogram) == sum / COUNT);
	}
	free(samples);
}

static void merging_is_as_if_all_had_been_recorded_in_one(void **unused)
{
	AUTO(latency_histogram_free) struct latency_histogram *one = latency_histogram_new();
	AUTO(latency_histogram_free) struct latency_histogram *a = latency_histogram_new();
	AUTO(latency_histogram_free) struct latency_histogram *b = latency_histogram_new();
	AUTO(latency_histogram_free) struct latency_histogram *empty = latency_histogram_new();
	uint64_t state = 7;

	(void)unused;
	for (int i = 0; i < 1000; i++) {
		int64_t us = (int64_t)next_random(&state) % 1000000;

		latency_histogram_record(one, us);
		latency_histogram_record(i % 3 ? a : b, us);
	}
	latency_histogram_merge(a, b);
	latency_histogram_merge(a, empty);
	assert_int_equal(latency_histogram_count(a), 1000);
	assert_int_equal(latency_histogram_min_us(a), latency_histogram_min_us(one));
	assert_int_equal(latency_histogram_max_us(a), latency_histogram_max_us(one));
	for (double q = 0.01; q <= 1; q += 0.01)
		assert_int_equal(latency_histogram_quantile_us(a, q),
				 latency_histogram_quantile_us(one, q));
}

static void what_is_out_of_range_is_counted_and_the_maximum_is_exact(void **unused)
{
	AUTO(latency_histogram_free)
	struct latency_histogram *histogram = latency_histogram_new();
	const int64_t two_hours_us = 7200000000;

	(void)unused;
	latency_histogram_record(histogram, -5);
	latency_histogram_record(histogram, two_hours_us);
	assert_int_equal(latency_histogram_count(histogram), 2);
	assert_int_equal(latency_histogram_min_us(histogram), 0);
	assert_int_equal(latency_histogram_max_us(histogram), two_hours_us);
	assert_int_equal(latency_histogram_quantile_us(histogram, 0.5), 0);
	assert_int_equal(latency_histogram_quantile_us(histogram, 0.99), two_hours_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_histogram_is_zero),
		cmocka_unit_test(quantiles_are_those_of_the_sorted_samples),
		cmocka_unit_test(merging_is_as_if_all_had_been_recorded_in_one),
		cmocka_unit_test(what_is_out_of_range_is_counted_and_the_maximum_is_exact),
	};

	return cmocka_run_group_tests_name("latency histogram", tests, NULL, NULL);
}
