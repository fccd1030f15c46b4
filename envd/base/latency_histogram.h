/*
 * latency_histogram.h - log-linear histogram of latencies in microseconds: 1 us to 1 h, 2^11
 * sub-buckets (0.1 % error), exact minimum and maximum, overflow counted and never dropped; merging
 * adds counters. Same bucket arithmetic as HdrHistogram (Gil Tene).
 */
#ifndef ENVD_BASE_LATENCY_HISTOGRAM_H
#define ENVD_BASE_LATENCY_HISTOGRAM_H

#include <stdint.h>

#include "base/cleanup.h"

struct latency_histogram;

struct latency_histogram *latency_histogram_new(void);
void latency_histogram_free(struct latency_histogram *histogram);
DEFINE_AUTO(struct latency_histogram *, latency_histogram_free)

void latency_histogram_record(struct latency_histogram *histogram, int64_t us);
void latency_histogram_merge(struct latency_histogram *into, const struct latency_histogram *from);

uint64_t latency_histogram_count(const struct latency_histogram *histogram);
int64_t latency_histogram_min_us(const struct latency_histogram *histogram); /* 0 when empty */
int64_t latency_histogram_max_us(const struct latency_histogram *histogram);
double latency_histogram_mean_us(const struct latency_histogram *histogram);

/* Smallest value v with count(<= v) >= ceil(q * n); q in (0, 1]; 1.0 is the maximum. 0 when empty.
 */
int64_t latency_histogram_quantile_us(const struct latency_histogram *histogram, double q);

#endif
