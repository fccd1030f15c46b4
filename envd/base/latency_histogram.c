#include "base/latency_histogram.h"

#include <math.h>
#include <string.h>

/*
 * Buckets double in width: the first holds 2^11 values of 1 us, each later one 2^10 values (its
 * lower half is the bucket before it) of twice the width. Relative error: below 2^-10.
 */
enum {
	SUB_BITS = 11,
	SUB_COUNT = 1 << SUB_BITS,
	SUB_HALF = SUB_COUNT / 2,
	BUCKETS = 22, /* 2^(11 + 21) us is more than an hour */
	COUNTERS = (BUCKETS + 1) * SUB_HALF,
};

#define LONGEST_US 3600000000 /* 1 h */

struct latency_histogram {
	uint64_t count;
	int64_t min_us;
	int64_t max_us;
	double sum_us;
	uint64_t counters[COUNTERS];
};

static size_t index_of(int64_t us)
{
	/* The position of the highest bit says which bucket. */
	int bucket = 64 - SUB_BITS - __builtin_clzll((unsigned long long)us | (SUB_COUNT - 1));

	return (size_t)bucket * SUB_HALF + (size_t)(us >> bucket);
}

/* The largest value that is counted at `index`. */
static int64_t highest_at(size_t index)
{
	int64_t bucket = index < SUB_COUNT ? 0 : (int64_t)index / SUB_HALF - 1;
	int64_t sub = (int64_t)index - bucket * SUB_HALF;

	return ((sub + 1) << bucket) - 1;
}

struct latency_histogram *latency_histogram_new(void)
{
	return xcalloc(1, sizeof(struct latency_histogram));
}

void latency_histogram_free(struct latency_histogram *histogram)
{
	free(histogram);
}

void latency_histogram_record(struct latency_histogram *histogram, int64_t us)
{
	if (us < 0)
		us = 0;
	if (!histogram->count || us < histogram->min_us)
		histogram->min_us = us;
	if (us > histogram->max_us)
		histogram->max_us = us;
	histogram->count++;
	histogram->sum_us += (double)us;
	/* Beyond the range it is counted as the longest; the maximum stays exact. */
	histogram->counters[index_of(us < LONGEST_US ? us : LONGEST_US)]++;
}

void latency_histogram_merge(struct latency_histogram *into, const struct latency_histogram *from)
{
	if (!from->count)
		return;
	if (!into->count || from->min_us < into->min_us)
		into->min_us = from->min_us;
	if (from->max_us > into->max_us)
		into->max_us = from->max_us;
	into->count += from->count;
	into->sum_us += from->sum_us;
	for (size_t i = 0; i < COUNTERS; i++)
		into->counters[i] += from->counters[i];
}

uint64_t latency_histogram_count(const struct latency_histogram *histogram)
{
	return histogram->count;
}

int64_t latency_histogram_min_us(const struct latency_histogram *histogram)
{
	return histogram->min_us;
}

int64_t latency_histogram_max_us(const struct latency_histogram *histogram)
{
	return histogram->max_us;
}

double latency_histogram_mean_us(const struct latency_histogram *histogram)
{
	return histogram->count ? histogram->sum_us / (double)histogram->count : 0;
}

int64_t latency_histogram_quantile_us(const struct latency_histogram *histogram, double q)
{
	uint64_t wanted = (uint64_t)ceil(q * (double)histogram->count - 1e-9), seen = 0;

	/* The last sample is the maximum, which is exact; so is one beyond the range. */
	for (size_t i = 0; i < COUNTERS && wanted < histogram->count; i++) {
		seen += histogram->counters[i];
		if (seen >= wanted && seen > 0)
			return highest_at(i) < histogram->max_us ? highest_at(i)
								 : histogram->max_us;
	}
	return histogram->max_us;
}
