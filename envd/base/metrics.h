/*
 * metrics.h - counters, gauges and histograms under stable names, as Prometheus reads them.
 *
 * What exists is a table of the caller's; a series of it begins when it is first written to. Label
 * values may come from outside, so a metric has at most METRIC_SERIES_MAX series: what comes after
 * is counted under "other", and nothing is lost from the sum.
 */
#ifndef ENVD_BASE_METRICS_H
#define ENVD_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/text.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_LABELS_MAX = 2, METRIC_SERIES_MAX = 200, METRIC_BUCKETS_MAX = 20 };

struct metric_row {
	const char *name;
	enum metric_kind kind;
	const char *labels[METRIC_LABELS_MAX]; /* NULL: fewer */
	const double *buckets; /* histogram: upper bounds, ascending, 0 ends; seconds */
	const char *help;
};

struct metrics;

/* `rows` must outlive it. */
struct metrics *metrics_new(const struct metric_row *rows, size_t count);
void metrics_free(struct metrics *metrics);
DEFINE_AUTO(struct metrics *, metrics_free)

/* `row` is an index of the table; `first` and `second` are the values of its labels, NULL where it
 * has none. */
void metrics_add(struct metrics *metrics, size_t row, const char *first, const char *second,
		 double more);
void metrics_set(struct metrics *metrics, size_t row, const char *first, const char *second,
		 double value);
void metrics_observe(struct metrics *metrics, size_t row, const char *first, const char *second,
		     double seconds);

/* Forget the series of a gauge, before it is set anew. */
void metrics_clear(struct metrics *metrics, size_t row);

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
void metrics_text(const struct metrics *metrics, struct text *into);

#endif
