/* prometheus: is it ready, are its targets up, what does a query say? */

#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/text.h"
#include "check/step.h"

#define PROBLEMS_BYTES_MAX 120

struct seen_prometheus {
	bool is_ready;
	int64_t up;
	int64_t down;
	struct text problems; /* what is down, and why */
	json_t *query;        /* data of the answer; NULL: none was asked */
	int64_t duration_us;
};

static void release(void *seen)
{
	struct seen_prometheus *prometheus = seen;

	text_release(&prometheus->problems);
	json_decref(prometheus->query);
	free(prometheus);
}
DEFINE_AUTO(struct seen_prometheus *, release)

/* ---- asking -------------------------------------------------------------------------------- */

/* One GET; `json` NULL: only the status is of interest. */
static bool get(struct scenario *scenario, const struct check_step *step, char *path,
		int64_t until_mono_ms, long *status, json_t **json, struct error *err)
{
	char method[] = "GET";
	const struct check_http http = { .method = method,
					 .base = step->prometheus.base,
					 .path = path,
					 .ca = step->prometheus.ca };
	int64_t left_ms = until_mono_ms - clock_mono_ms();
	struct http_response *response = &scenario->exchange->response;

	if (!http_exchange_perform(scenario->exchange, &http, scenario->scope,
				   left_ms > 1 ? left_ms : 1, err))
		return false;
	*status = response->status;
	if (!json)
		return true;
	if (*status != 200)
		return error_set(err, ERR_EXTERNAL, "%.60s answered with status %ld", path,
				 *status);
	if (json_parse(text_get(&response->body), response->body.length, path, json, err))
		return true;
	err->code = ERR_EXTERNAL;
	return false;
}

/* ---- targets ------------------------------------------------------------------------------- */

static bool is_listed(char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static void note_problem(struct seen_prometheus *prometheus, const char *job, const char *why)
{
	prometheus->down++;
	if (prometheus->problems.length < PROBLEMS_BYTES_MAX)
		text_format(&prometheus->problems, "%s%.40s: %.60s",
			    prometheus->problems.length ? "; " : "", job, why);
}

static const char *job_of(const json_t *target)
{
	return json_get_string(json_object_get(target, "labels"), "job", "");
}

static void count_target(struct seen_prometheus *prometheus, const struct check_prometheus *plan,
			 const json_t *target)
{
	const char *job = job_of(target), *health = json_get_string(target, "health", "unknown");
	const char *why = json_get_string(target, "lastError", "");

	if ((plan->jobs[0] && !is_listed(plan->jobs, job)) || is_listed(plan->ignore, job))
		return;
	if (strcmp(health, "up") == 0)
		prometheus->up++;
	else
		note_problem(prometheus, job, *why ? why : health);
}

static bool has_target(const json_t *targets, const char *job)
{
	for (size_t i = 0; i < json_array_size(targets); i++)
		if (strcmp(job_of(json_array_get(targets, i)), job) == 0)
			return true;
	return false;
}

static bool ask_targets(struct scenario *scenario, const struct check_step *step,
			int64_t until_mono_ms, struct seen_prometheus *prometheus,
			struct error *err)
{
	char path[] = "/api/v1/targets?state=active";
	AUTO(json_decref) json_t *answer = NULL;
	const json_t *targets;
	long status;

	if (!get(scenario, step, path, until_mono_ms, &status, &answer, err))
		return false;
	targets = json_object_get(json_object_get(answer, "data"), "activeTargets");
	for (size_t i = 0; i < json_array_size(targets); i++)
		count_target(prometheus, &step->prometheus, json_array_get(targets, i));
	/* A job that nobody scrapes is not up because nothing says that it is down. */
	for (char *const *job = step->prometheus.jobs; *job; job++)
		if (!has_target(targets, *job))
			note_problem(prometheus, *job, "has no target");
	return true;
}

/* ---- query --------------------------------------------------------------------------------- */

static bool ask_query(struct scenario *scenario, const struct check_step *step,
		      int64_t until_mono_ms, struct seen_prometheus *prometheus, struct error *err)
{
	AUTO(json_decref) json_t *answer = NULL;
	AUTO(free) char *query = NULL;
	AUTO(free) char *path = NULL;
	char *escaped;
	long status;

	if (!step->prometheus.query)
		return true;
	if (!scope_fill(scenario->scope, step->prometheus.query, &query, err))
		return false;
	escaped = curl_easy_escape(scenario->exchange->curl, query, (int)strlen(query));
	path = xasprintf("/api/v1/query?query=%s", escaped);
	curl_free(escaped);
	if (!get(scenario, step, path, until_mono_ms, &status, &answer, err))
		return false;
	prometheus->query = json_incref(json_object_get(answer, "data"));
	return true;
}

/* Samples of a vector are {"metric":{...},"value":[time,"1"]}; a scalar is [time,"1"]. */
static bool sample_value(const json_t *sample, double *value)
{
	const json_t *pair = json_is_array(sample) ? sample : json_object_get(sample, "value");
	const char *text = json_string_value(json_array_get(pair, 1));
	char *end;

	if (!text)
		return false;
	*value = strtod(text, &end);
	return *text && !*end;
}

static struct observed look_query(const struct seen_prometheus *prometheus, const char *what)
{
	const json_t *result = json_object_get(prometheus->query, "result");
	bool is_scalar = text_equal(json_get_string(prometheus->query, "resultType", ""), "scalar");
	size_t count = is_scalar ? 1 : json_array_size(result);
	AUTO(free) char *text = NULL;
	double chosen = 0;
	size_t used = 0;
	struct observed seen;

	if (!prometheus->query)
		return observed_nothing("the step has no query");
	if (strcmp(what, "count") == 0)
		return observed_number((int64_t)count);
	for (size_t i = 0; i < count; i++) {
		const json_t *sample = is_scalar ? result : json_array_get(result, i);
		double value;

		if (!sample_value(sample, &value))
			continue;
		if (!used || (strcmp(what, "min") == 0 && value < chosen) ||
		    (strcmp(what, "max") == 0 && value > chosen))
			chosen = value;
		used++;
	}
	if (!used)
		return observed_nothing("the query has no result");
	text = xasprintf("%.9f", chosen);
	seen = observed_text(text);
	seen.kind = OBSERVED_NUMBER;
	return seen;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static bool perform(struct scenario *scenario, const struct check_step *step, int64_t time_limit_ms,
		    void **seen, struct error *err)
{
	AUTO(release) struct seen_prometheus *prometheus = xcalloc(1, sizeof(*prometheus));
	int64_t start_us = clock_mono_us(), until_mono_ms = clock_mono_ms() + time_limit_ms;
	char ready[] = "/-/ready";
	long status;

	if (!get(scenario, step, ready, until_mono_ms, &status, NULL, err))
		return false;
	prometheus->is_ready = status == 200;
	if (!ask_targets(scenario, step, until_mono_ms, prometheus, err) ||
	    !ask_query(scenario, step, until_mono_ms, prometheus, err))
		return false;
	prometheus->duration_us = clock_mono_us() - start_us;
	*seen = TAKE(prometheus);
	return true;
}

static struct observed look_targets(const struct seen_prometheus *prometheus, const char *what)
{
	struct observed seen;

	if (strcmp(what, "total") == 0)
		return observed_number(prometheus->up + prometheus->down);
	seen = observed_number(strcmp(what, "up") == 0 ? prometheus->up : prometheus->down);
	if (prometheus->problems.length)
		seen.note = xstrdup(text_get(&prometheus->problems));
	return seen;
}

static struct observed look(const void *seen, const char *subject)
{
	const struct seen_prometheus *prometheus = seen;

	if (text_starts_with(subject, "targets."))
		return look_targets(prometheus, subject + strlen("targets."));
	if (text_starts_with(subject, "query."))
		return look_query(prometheus, subject + strlen("query."));
	if (strcmp(subject, "duration") == 0)
		return observed_duration(prometheus->duration_us);
	return observed_boolean(prometheus->is_ready);
}

const struct step_kind step_prometheus = { perform, look, release };
