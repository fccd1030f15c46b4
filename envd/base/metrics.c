#include "base/metrics.h"

#include <assert.h>
#include <string.h>

struct series {
	struct series *next;
	char *values[METRIC_LABELS_MAX]; /* of labels; NULL where there is none */
	double value;                    /* of a histogram: the sum */
	uint64_t count;
	uint64_t in_bucket[METRIC_BUCKETS_MAX];
};

struct metric {
	struct series *series; /* in the order in which they began */
	size_t count;
};

struct metrics {
	const struct metric_row *rows;
	size_t count;
	struct metric *all;
};

void metrics_clear(struct metrics *metrics, size_t row)
{
	struct metric *metric = &metrics->all[row];

	while (metric->series) {
		struct series *one = metric->series;

		metric->series = one->next;
		for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
			free(one->values[i]);
		free(one);
	}
	metric->count = 0;
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	for (size_t i = 0; i < metrics->count; i++)
		metrics_clear(metrics, i);
	free(metrics->all);
	free(metrics);
}

static struct series *series_find(const struct metric *metric, const char *const *values)
{
	struct series *at = metric->series;

	while (at &&
	       (!text_equal(at->values[0], values[0]) || !text_equal(at->values[1], values[1])))
		at = at->next;
	return at;
}

static struct series *series_append(struct metric *metric, const char *const *values)
{
	struct series *made = xcalloc(1, sizeof(*made)), **end = &metric->series;

	for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
		made->values[i] = values[i] ? xstrdup(values[i]) : NULL;
	while (*end)
		end = &(*end)->next;
	*end = made;
	metric->count++;
	return made;
}

struct metrics *metrics_new(const struct metric_row *rows, size_t count)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));

	metrics->rows = rows;
	metrics->count = count;
	metrics->all = xcalloc(count, sizeof(*metrics->all));
	/* What has no labels is there from the beginning, as 0: a rate needs a first value. */
	for (size_t i = 0; i < count; i++)
		if (!rows[i].labels[0])
			series_append(&metrics->all[i], (const char *[METRIC_LABELS_MAX]){ NULL });
	return metrics;
}

static struct series *series_of(struct metrics *metrics, size_t row, const char *first,
				const char *second)
{
	struct metric *metric = &metrics->all[row];
	const char *const values[METRIC_LABELS_MAX] = { first, second };
	const char *const other[METRIC_LABELS_MAX] = { first ? "other" : NULL,
						       second ? "other" : NULL };
	struct series *found;

	assert(row < metrics->count);
	assert(!first == !metrics->rows[row].labels[0]);
	assert(!second == !metrics->rows[row].labels[1]);
	found = series_find(metric, values);
	if (!found && metric->count >= METRIC_SERIES_MAX - 1)
		found = series_find(metric, other);
	if (found)
		return found;
	return series_append(metric, metric->count >= METRIC_SERIES_MAX - 1 ? other : values);
}

void metrics_add(struct metrics *metrics, size_t row, const char *first, const char *second,
		 double more)
{
	series_of(metrics, row, first, second)->value += more;
}

void metrics_set(struct metrics *metrics, size_t row, const char *first, const char *second,
		 double value)
{
	series_of(metrics, row, first, second)->value = value;
}

void metrics_observe(struct metrics *metrics, size_t row, const char *first, const char *second,
		     double seconds)
{
	const double *bounds = metrics->rows[row].buckets;
	struct series *series = series_of(metrics, row, first, second);

	/* A clock that was set back makes no negative durations. */
	seconds = seconds > 0 ? seconds : 0;
	series->value += seconds;
	series->count++;
	for (size_t i = 0; i < METRIC_BUCKETS_MAX && bounds[i] > 0; i++) {
		if (seconds > bounds[i])
			continue;
		series->in_bucket[i]++;
		return;
	}
}

/* ---- text ---- */

static void add_escaped(struct text *into, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			text_add_char(into, '\\');
		if (*value == '\n')
			text_add(into, "\\n");
		else
			text_add_char(into, *value);
	}
}

/* `le` NULL: none. */
static void add_name(struct text *into, const struct metric_row *row, const char *suffix,
		     const struct series *series, const char *le)
{
	bool has_one = false;

	text_format(into, "%s%s", row->name, suffix);
	for (size_t i = 0; i < METRIC_LABELS_MAX && row->labels[i]; i++) {
		text_format(into, "%s%s=\"", has_one ? "," : "{", row->labels[i]);
		add_escaped(into, series->values[i]);
		text_add_char(into, '"');
		has_one = true;
	}
	if (le)
		text_format(into, "%sle=\"%s\"", has_one ? "," : "{", le);
	text_add(into, has_one || le ? "} " : " ");
}

static void add_histogram(struct text *into, const struct metric_row *row,
			  const struct series *series)
{
	uint64_t so_far = 0;

	for (size_t i = 0; i < METRIC_BUCKETS_MAX && row->buckets[i] > 0; i++) {
		char le[32];

		snprintf(le, sizeof(le), "%g", row->buckets[i]);
		so_far += series->in_bucket[i];
		add_name(into, row, "_bucket", series, le);
		text_format(into, "%llu\n", (unsigned long long)so_far);
	}
	add_name(into, row, "_bucket", series, "+Inf");
	text_format(into, "%llu\n", (unsigned long long)series->count);
	add_name(into, row, "_sum", series, NULL);
	text_format(into, "%.6f\n", series->value);
	add_name(into, row, "_count", series, NULL);
	text_format(into, "%llu\n", (unsigned long long)series->count);
}

void metrics_text(const struct metrics *metrics, struct text *into)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };

	for (size_t i = 0; i < metrics->count; i++) {
		const struct metric_row *row = &metrics->rows[i];

		text_format(into, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
			    kinds[row->kind]);
		for (const struct series *at = metrics->all[i].series; at; at = at->next) {
			if (row->kind == METRIC_HISTOGRAM) {
				add_histogram(into, row, at);
				continue;
			}
			add_name(into, row, "", at, NULL);
			text_format(into, "%.17g\n", at->value);
		}
	}
}
