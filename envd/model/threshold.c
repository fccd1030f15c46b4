#include "model/threshold.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"

enum metric {
	METRIC_LATENCY,
	METRIC_LATENCY_OK,
	METRIC_SERVICE_TIME,
	METRIC_ERRORS,
	METRIC_ACHIEVED,
	METRIC_REQUESTS,
	METRIC_DROPPED,
};

enum aggregate {
	AGGREGATE_QUANTILE,
	AGGREGATE_MEAN,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_RATE,
	AGGREGATE_COUNT
};

enum comparison { BELOW, AT_MOST, ABOVE, AT_LEAST, EQUAL, DIFFERENT };

/* How a limit is written. */
enum unit { UNIT_DURATION, UNIT_PERCENT, UNIT_PER_SECOND, UNIT_COUNT };

struct threshold {
	char *text;
	enum metric metric;
	enum aggregate aggregate;
	double quantile;
	enum comparison comparison;
	enum unit unit;
	double limit; /* us, share (0.01), per second, or a count */
};

// clang-format off
static const struct {
	const char *name;
	enum metric metric;
	const char *aggregates; /* for messages */
} metrics[] = {
	{ "latency",      METRIC_LATENCY,      "p(N), avg, min, med or max" },
	{ "latency{ok}",  METRIC_LATENCY_OK,   "p(N), avg, min, med or max" },
	{ "service_time", METRIC_SERVICE_TIME, "p(N), avg, min, med or max" },
	{ "errors",       METRIC_ERRORS,       "rate or count" },
	{ "achieved",     METRIC_ACHIEVED,     "rate" },
	{ "requests",     METRIC_REQUESTS,     "rate or count" },
	{ "dropped",      METRIC_DROPPED,      "count" },
};

static const struct {
	const char *name;
	enum aggregate aggregate;
	double quantile;
	unsigned metrics;
} aggregates[] = {
#define TIMES (1u << METRIC_LATENCY | 1u << METRIC_LATENCY_OK | 1u << METRIC_SERVICE_TIME)
	{ "avg",   AGGREGATE_MEAN,     0,   TIMES },
	{ "mean",  AGGREGATE_MEAN,     0,   TIMES },
	{ "min",   AGGREGATE_MIN,      0,   TIMES },
	{ "max",   AGGREGATE_MAX,      0,   TIMES },
	{ "med",   AGGREGATE_QUANTILE, 0.5, TIMES },
	{ "rate",  AGGREGATE_RATE,     0,   1u << METRIC_ERRORS | 1u << METRIC_ACHIEVED |
					    1u << METRIC_REQUESTS },
	{ "count", AGGREGATE_COUNT,    0,   1u << METRIC_ERRORS | 1u << METRIC_REQUESTS |
					    1u << METRIC_DROPPED },
};

/* Longer ones before their beginnings. */
static const struct {
	const char *text;
	enum comparison comparison;
} comparisons[] = {
	{ "<=", AT_MOST }, { "<", BELOW }, { ">=", AT_LEAST }, { ">", ABOVE },
	{ "==", EQUAL },   { "!=", DIFFERENT },
};
// clang-format on

/* ---- reading ------------------------------------------------------------------------------- */

static bool refuse(const char *text, const char *at, struct error *err, const char *format, ...)
    PRINTF_LIKE(4, 5);

static bool refuse(const char *text, const char *at, struct error *err, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return error_set_as(err, ERR_INVALID, "threshold_invalid", "\"%s\", character %td: %s",
			    text, at - text + 1, what);
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static bool read_metric(struct threshold *that, const char **at, size_t *row, struct error *err)
{
	const char *start = skip_blanks(*at), *names[ARRAY_SIZE(metrics) + 1], *nearest;
	size_t length = strcspn(start, " \t<>=!");
	AUTO(free) char *word = xstrndup(start, length);

	for (*row = 0; *row < ARRAY_SIZE(metrics); ++*row) {
		names[*row] = metrics[*row].name;
		if (strcmp(metrics[*row].name, word) == 0) {
			that->metric = metrics[*row].metric;
			*at = start + length;
			return true;
		}
	}
	names[*row] = NULL;
	nearest = text_nearest(word, names);
	refuse(
	    that->text, start, err,
	    "expected latency, latency{ok}, service_time, errors, achieved, requests or dropped");
	return nearest ? error_hint(err, "did you mean \"%s\"?", nearest) : false;
}

/* "p(99.9)" */
static bool read_quantile(struct threshold *that, const char *start, const char **at)
{
	double percent;
	int used = 0;

	if (sscanf(start, "p(%5lf)%n", &percent, &used) != 1 || !used || percent <= 0 ||
	    percent > 100)
		return false;
	that->aggregate = AGGREGATE_QUANTILE;
	that->quantile = percent / 100;
	*at = start + used;
	return true;
}

static bool read_aggregate(struct threshold *that, const char **at, size_t metric,
			   struct error *err)
{
	const char *start = skip_blanks(*at);
	size_t length = strspn(start, "abcdefghijklmnopqrstuvwxyz");

	if ((TIMES & 1u << that->metric) && read_quantile(that, start, at))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(aggregates); i++) {
		if (!(aggregates[i].metrics & 1u << that->metric) ||
		    strlen(aggregates[i].name) != length ||
		    strncmp(aggregates[i].name, start, length) != 0)
			continue;
		that->aggregate = aggregates[i].aggregate;
		that->quantile = aggregates[i].quantile;
		*at = start + length;
		return true;
	}
	return refuse(that->text, start, err, "expected %s after \"%s\"",
		      metrics[metric].aggregates, metrics[metric].name);
}

static bool read_comparison(struct threshold *that, const char **at, struct error *err)
{
	const char *start = skip_blanks(*at);

	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++) {
		if (!text_starts_with(start, comparisons[i].text))
			continue;
		that->comparison = comparisons[i].comparison;
		*at = start + strlen(comparisons[i].text);
		if (that->comparison >= EQUAL && that->aggregate != AGGREGATE_COUNT)
			return refuse(that->text, start, err,
				      "what is measured is never exactly equal: use < or >");
		return true;
	}
	return refuse(that->text, start, err, "expected < <= > or >=");
}

static enum unit unit_of(const struct threshold *that)
{
	if (that->aggregate == AGGREGATE_COUNT)
		return UNIT_COUNT;
	if (that->aggregate != AGGREGATE_RATE)
		return UNIT_DURATION;
	return that->metric == METRIC_REQUESTS ? UNIT_PER_SECOND : UNIT_PERCENT;
}

static bool read_suffixed(const char *word, const char *suffix, double *number)
{
	int used = 0;

	return strspn(word, "0123456789.") > 0 && sscanf(word, "%12lf%n", number, &used) == 1 &&
	       strcmp(word + used, suffix) == 0;
}

static bool read_limit(struct threshold *that, const char *at, struct error *err)
{
	const char *start = skip_blanks(at);
	size_t length = strcspn(start, " \t");
	AUTO(free) char *word = xstrndup(start, length);
	struct error why;
	int64_t us;

	if (*skip_blanks(start + length))
		return refuse(that->text, skip_blanks(start + length), err, "this is too much");
	that->unit = unit_of(that);
	switch (that->unit) {
	case UNIT_DURATION:
		if (!duration_parse_us(word, "limit", &us, &why))
			return refuse(that->text, start, err,
				      "expected a duration with a unit, such as 300ms");
		that->limit = (double)us;
		return true;
	case UNIT_PERCENT:
		if (!read_suffixed(word, "%", &that->limit) || that->limit > 100)
			return refuse(that->text, start, err, "expected a percentage, such as 1%%");
		that->limit /= 100;
		return true;
	case UNIT_PER_SECOND:
		return read_suffixed(word, "/s", &that->limit) ||
		       refuse(that->text, start, err, "expected a rate, such as 50/s");
	default:
		return read_suffixed(word, "", &that->limit) ||
		       refuse(that->text, start, err, "expected a number");
	}
}

bool threshold_parse(const char *text, struct threshold **threshold, struct error *err)
{
	AUTO(threshold_free) struct threshold *that = NULL;
	const char *at;
	size_t metric;

	if (strlen(text) > THRESHOLD_TEXT_MAX)
		return error_set_as(err, ERR_INVALID, "threshold_invalid",
				    "threshold is longer than %d characters", THRESHOLD_TEXT_MAX);
	that = xcalloc(1, sizeof(*that));
	that->text = xstrdup(text);
	at = that->text;
	if (!read_metric(that, &at, &metric, err) || !read_aggregate(that, &at, metric, err) ||
	    !read_comparison(that, &at, err) || !read_limit(that, at, err))
		return false;
	*threshold = TAKE(that);
	return true;
}

void threshold_free(struct threshold *threshold)
{
	if (!threshold)
		return;
	free(threshold->text);
	free(threshold);
}

const char *threshold_text(const struct threshold *threshold)
{
	return threshold->text;
}

int64_t threshold_latency_limit_us(const struct threshold *threshold)
{
	return (TIMES & 1u << threshold->metric) ? (int64_t)threshold->limit : 0;
}

bool threshold_is_about_offer(const struct threshold *threshold)
{
	return threshold->metric == METRIC_ACHIEVED || threshold->metric == METRIC_DROPPED ||
	       threshold->metric == METRIC_REQUESTS;
}

/* ---- judging ------------------------------------------------------------------------------- */

static const struct latency_histogram *histogram_of(const struct threshold *that,
						    const struct load_numbers *numbers)
{
	if (that->metric == METRIC_LATENCY_OK)
		return numbers->latency_ok;
	return that->metric == METRIC_LATENCY ? numbers->latency : numbers->service_time;
}

static double share(int64_t part, int64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static double measured_time_us(const struct threshold *that, const struct load_numbers *numbers)
{
	const struct latency_histogram *histogram = histogram_of(that, numbers);

	switch (that->aggregate) {
	case AGGREGATE_QUANTILE:
		return (double)latency_histogram_quantile_us(histogram, that->quantile);
	case AGGREGATE_MEAN:
		return latency_histogram_mean_us(histogram);
	case AGGREGATE_MIN:
		return (double)latency_histogram_min_us(histogram);
	default:
		return (double)latency_histogram_max_us(histogram);
	}
}

static double measured(const struct threshold *that, const struct load_numbers *numbers)
{
	bool is_rate = that->aggregate == AGGREGATE_RATE;

	switch (that->metric) {
	case METRIC_ERRORS:
		return is_rate ? share(numbers->errors, numbers->requests)
			       : (double)numbers->errors;
	case METRIC_ACHIEVED:
		return share(numbers->sent_in_time, numbers->planned);
	case METRIC_REQUESTS:
		return is_rate ? (double)numbers->requests / numbers->duration_s
			       : (double)numbers->requests;
	case METRIC_DROPPED:
		return (double)numbers->dropped;
	default:
		return measured_time_us(that, numbers);
	}
}

/* How many samples it takes to say anything. */
static double samples_needed(const struct threshold *that)
{
	if (that->aggregate == AGGREGATE_QUANTILE && that->quantile < 1)
		return ceil(log(0.05) / log(that->quantile));
	if (that->metric == METRIC_ERRORS && that->aggregate == AGGREGATE_RATE && that->limit > 0)
		return ceil(3 / that->limit);
	return 1;
}

static double samples(const struct threshold *that, const struct load_numbers *numbers)
{
	if (TIMES & 1u << that->metric)
		return (double)latency_histogram_count(histogram_of(that, numbers));
	return (double)(that->metric == METRIC_ACHIEVED ? numbers->planned : numbers->requests);
}

static bool holds(const struct threshold *that, double value)
{
	switch (that->comparison) {
	case BELOW:
		return value < that->limit;
	case AT_MOST:
		return value <= that->limit;
	case ABOVE:
		return value > that->limit;
	case AT_LEAST:
		return value >= that->limit;
	case EQUAL:
		return value == that->limit;
	default:
		return value != that->limit;
	}
}

static void tell(const struct threshold *that, double value, char saw[THRESHOLD_SAW_MAX])
{
	switch (that->unit) {
	case UNIT_DURATION:
		snprintf(saw, THRESHOLD_SAW_MAX, "%.2fms", value / 1000);
		break;
	case UNIT_PERCENT:
		snprintf(saw, THRESHOLD_SAW_MAX, "%.2f%%", value * 100);
		break;
	case UNIT_PER_SECOND:
		snprintf(saw, THRESHOLD_SAW_MAX, "%.1f/s", value);
		break;
	default:
		snprintf(saw, THRESHOLD_SAW_MAX, "%.0f", value);
	}
}

enum threshold_status threshold_judge(const struct threshold *that,
				      const struct load_numbers *numbers,
				      char saw[THRESHOLD_SAW_MAX])
{
	double value = measured(that, numbers), has = samples(that, numbers);
	double needs = samples_needed(that);
	size_t used;

	tell(that, value, saw);
	if (has >= needs || that->aggregate == AGGREGATE_COUNT)
		return holds(that, value) ? THRESHOLD_PASSED : THRESHOLD_FAILED;
	used = strlen(saw);
	snprintf(saw + used, THRESHOLD_SAW_MAX - used, " in %.0f samples, %.0f are needed", has,
		 needs);
	return THRESHOLD_INSUFFICIENT;
}
