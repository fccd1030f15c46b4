/*
 * JUnit has no standard. What is written here is what Jenkins' junit plugin, GitLab and the GitHub
 * reporters all read: one level of suites, each with at least one case; at most one of failure,
 * error and skipped in a case; names that stay the same from run to run, because histories hang on
 * them (no times, hosts or ids).
 *
 * failure: the verdict is bad. error: it could not be judged, or the machinery broke.
 */
#include <string.h>

#include "base/duration.h"
#include "report/report_format.h"

enum outcome { PASSED, FAILED, ERRED, SKIPPED, OUTCOME_COUNT };

struct suite {
	const char *name;
	const char *started_at; /* NULL: not known */
	struct text cases;
	size_t count[OUTCOME_COUNT];
	int64_t elapsed_ms;
};

struct junit_case {
	const char *name;
	const char *kind; /* type= of a failure or an error */
	enum outcome outcome;
	int64_t elapsed_ms;
	const char *message;
	const char *details; /* may be NULL */
};

/* ---- XML ---- */

/* XML 1.0 has no control characters but tab, line feed and carriage return, and no U+FFFE, U+FFFF.
 */
static bool is_xml_byte(const char *at)
{
	unsigned char c = (unsigned char)*at;

	return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
}

static bool is_noncharacter(const char *at)
{
	return strncmp(at, "\xEF\xBF\xBE", 3) == 0 || strncmp(at, "\xEF\xBF\xBF", 3) == 0;
}

static void add_escaped(struct text *into, const char *words, bool is_attribute)
{
	for (; *words; words++) {
		if (is_noncharacter(words)) {
			text_add_char(into, '?');
			words += 2;
		} else if (!is_xml_byte(words)) {
			text_add_char(into, '?');
		} else if (*words == '&') {
			text_add(into, "&amp;");
		} else if (*words == '<') {
			text_add(into, "&lt;");
		} else if (*words == '>') { /* "]]>" may not stand in text */
			text_add(into, "&gt;");
		} else if (*words == '"' && is_attribute) {
			text_add(into, "&quot;");
		} else if (*words == '\n' && is_attribute) {
			text_add(into, "&#10;");
		} else {
			text_add_char(into, *words);
		}
	}
}

static void add_attribute(struct text *into, const char *name, const char *value)
{
	text_format(into, " %s=\"", name);
	add_escaped(into, value, true);
	text_add_char(into, '"');
}

static void add_seconds(struct text *into, int64_t ms)
{
	text_format(into, " time=\"%lld.%03lld\"", (long long)ms / 1000, (long long)ms % 1000);
}

/* ---- cases ---- */

static void add_outcome(struct text *into, const struct junit_case *one)
{
	const char *element = one->outcome == FAILED ? "failure" : "error";

	if (one->outcome == SKIPPED) {
		text_add(into, "      <skipped");
		add_attribute(into, "message", one->message);
		text_add(into, "/>\n");
		return;
	}
	text_format(into, "      <%s", element);
	add_attribute(into, "message", one->message);
	add_attribute(into, "type", one->kind);
	text_add_char(into, '>');
	add_escaped(into, one->details ? one->details : one->message, false);
	text_format(into, "</%s>\n", element);
}

static void add_case(struct suite *suite, const struct junit_case *one)
{
	suite->count[one->outcome]++;
	suite->elapsed_ms += one->elapsed_ms;
	text_add(&suite->cases, "    <testcase");
	add_attribute(&suite->cases, "classname", suite->name);
	add_attribute(&suite->cases, "name", one->name);
	add_seconds(&suite->cases, one->elapsed_ms);
	if (one->outcome == PASSED) {
		text_add(&suite->cases, "/>\n");
		return;
	}
	text_add(&suite->cases, ">\n");
	add_outcome(&suite->cases, one);
	text_add(&suite->cases, "    </testcase>\n");
}

/* ---- what becomes a case ---- */

/* The message and the service's own last lines; the caller frees. */
static char *layer_details(const json_t *report, const char *name, const char *message)
{
	const json_t *services = report_said_services(report);

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);
		AUTO(free) char *tail = report_log_tail(service);

		if (text_equal(json_get_string(service, "name", ""), name))
			return xasprintf("%s\n%s", message, tail);
	}
	return xstrdup(message);
}

static void add_layers(struct suite *suite, const json_t *report)
{
	const json_t *layers = json_object_get(report, "layers");
	size_t i;
	json_t *layer;

	json_array_foreach((json_t *)(uintptr_t)layers, i, layer) {
		const char *state = json_get_string(layer, "state", "");
		const char *message = json_get_string(layer, "message", "");
		AUTO(free)
		char *details = layer_details(report, json_get_string(layer, "name", "?"), message);
		struct junit_case one = {
			.name = json_get_string(layer, "name", "?"),
			.kind = "provisioning",
			.elapsed_ms = json_get_int64(layer, "elapsed_ms", 0),
			.message = *message ? message : "did not become ready",
			.details = *details ? details : NULL,
		};

		if (text_equal(state, "failed"))
			one.outcome = ERRED;
		else if (text_equal(state, "started"))
			one.outcome = SKIPPED;
		add_case(suite, &one);
	}
}

/* The environment as a whole, so that there is a case even when no layer was reached. */
static void add_environment(struct suite *suite, const json_t *report)
{
	const json_t *environment = json_object_get(report, "environment");
	const json_t *error = json_object_get(environment, "error");
	const char *reason = json_get_string(environment, "reason", "");
	bool was_built = json_has(environment, "ready_at") || text_equal(reason, "check_failed") ||
			 text_equal(reason, "check_inconclusive");
	struct junit_case one = {
		.name = "whole environment", /* no service can be called so */
		.kind = "provisioning",
		.message = json_get_string(error, "message",
					   json_get_string(environment, "message", "not ready")),
	};

	if (!was_built && (json_is_object(error) || text_equal(reason, "create_failed")))
		one.outcome = ERRED;
	else if (!was_built)
		one.outcome = SKIPPED;
	if (!*one.message)
		one.message = "not ready";
	add_case(suite, &one);
}

static enum outcome outcome_of(const char *status)
{
	static const struct {
		const char *status;
		enum outcome outcome;
	} all[] = {
		{ "passed", PASSED },      { "warned", PASSED }, { "failed", FAILED },
		{ "skipped", SKIPPED },    { "error", ERRED },   { "inconclusive", ERRED },
		{ "insufficient", ERRED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (text_equal(all[i].status, status))
			return all[i].outcome;
	return ERRED;
}

static void add_smoke(struct suite *suite, const json_t *run)
{
	size_t i;
	json_t *check;

	json_array_foreach(json_object_get(run, "smoke"), i, check) {
		AUTO(free) char *seen = report_seen(check);
		struct junit_case one = {
			.name = json_get_string(check, "name", "?"),
			.kind = "check",
			.outcome = outcome_of(json_get_string(check, "status", "")),
			.elapsed_ms = json_get_int64(check, "duration_ms", 0),
			.message = *seen ? seen : "no reason given",
		};

		add_case(suite, &one);
	}
}

/* Slow where the generator was not well says nothing about the product. */
static enum outcome outcome_of_threshold(const json_t *load, const json_t *threshold)
{
	enum outcome outcome = outcome_of(json_get_string(threshold, "status", ""));

	if (outcome == FAILED && text_equal(json_get_string(threshold, "kind", ""), "warn"))
		return PASSED;
	if (outcome == FAILED && (text_equal(json_get_string(threshold, "kind", ""), "validity") ||
				  text_equal(json_get_string(load, "verdict", ""), "inconclusive")))
		return ERRED;
	return outcome;
}

static void add_thresholds(struct suite *suite, const json_t *load)
{
	const char *name = json_get_string(load, "name", "?");
	size_t i;
	json_t *threshold;

	json_array_foreach(json_object_get(load, "thresholds"), i, threshold) {
		AUTO(free)
		char *full = xasprintf("%s: %s", name, json_get_string(threshold, "text", "?"));
		AUTO(free)
		char *message =
		    xasprintf("%s: saw %s", full, json_get_string(threshold, "saw", "nothing"));
		struct junit_case one = {
			.name = full,
			.kind = "threshold",
			.outcome = outcome_of_threshold(load, threshold),
			.elapsed_ms = i ? 0 : json_get_int64(load, "duration_ms", 0),
			.message = message,
		};

		add_case(suite, &one);
	}
}

/* A load check without thresholds is a case too, and so is a generator that was not well. */
static void add_load(struct suite *suite, const json_t *run)
{
	size_t i;
	json_t *load;

	json_array_foreach(json_object_get(run, "load"), i, load) {
		const json_t *generator = json_object_get(load, "generator");
		const char *why = json_get_string(generator, "why", "");
		struct junit_case one = {
			.name = json_get_string(load, "name", "?"),
			.kind = "generator",
			.outcome = json_get_bool(generator, "healthy", true) ? PASSED : ERRED,
			.message = *why ? why : "the load generator was not healthy",
		};

		add_case(suite, &one);
		add_thresholds(suite, load);
	}
}

/* One case, by the proofs; only once it was to go. */
static void add_teardown(struct suite *suite, const json_t *report)
{
	const json_t *environment = json_object_get(report, "environment");
	const char *state = json_get_string(environment, "state", "");
	AUTO(free) char *blocked_by = report_blocked_by(report);
	size_t i;
	json_t *proof;
	struct junit_case gone = {
		.name = "proved gone",
		.kind = "teardown",
		.message = *blocked_by ? blocked_by : "it is not proved yet that nothing is left",
	};

	if (!text_equal(state, "destroyed") && !text_equal(state, "destroying"))
		return;
	if (text_equal(state, "destroying"))
		gone.outcome = json_get_bool(environment, "quarantined", false) ? ERRED : SKIPPED;
	else if (!report_is_proved_gone(report))
		gone.outcome = ERRED;
	add_case(suite, &gone);
	json_array_foreach((json_t *)(uintptr_t)report_proofs(report), i, proof) {
		struct junit_case one = { .name = json_get_string(proof, "kind", "?"),
					  .kind = "teardown" };

		add_case(suite, &one);
	}
}

/* ---- suites ---- */

static void add_counts(struct text *into, const size_t *count, int64_t elapsed_ms)
{
	text_format(into, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
		    count[PASSED] + count[FAILED] + count[ERRED] + count[SKIPPED], count[FAILED],
		    count[ERRED], count[SKIPPED]);
	add_seconds(into, elapsed_ms);
}

static void add_property(struct text *into, const char *name, const char *value)
{
	if (!*value)
		return;
	text_add(into, "      <property");
	add_attribute(into, "name", name);
	add_attribute(into, "value", value);
	text_add(into, "/>\n");
}

static void add_properties(struct text *into, const json_t *environment)
{
	static const char *const fields[] = {
		"id", "name", "template", "engine", "target", "owner"
	};
	const char *component;
	json_t *version;

	text_add(into, "    <properties>\n");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		add_property(into, fields[i], json_get_string(environment, fields[i], ""));
	json_object_foreach(json_object_get(environment, "pins"), component, version) {
		AUTO(free) char *name = xasprintf("pin.%s", component);

		add_property(into, name,
			     json_string_value(version) ? json_string_value(version) : "");
	}
	text_add(into, "    </properties>\n");
}

/* Readers take local time without an offset, so milliseconds and zone are cut off. */
static void add_timestamp(struct text *into, const char *at)
{
	AUTO(free) char *seconds = at && strlen(at) >= 19 ? xstrndup(at, 19) : NULL;

	if (seconds)
		add_attribute(into, "timestamp", seconds);
}

static void add_suite(struct text *into, const struct suite *suite, const json_t *environment)
{
	text_add(into, "  <testsuite");
	add_attribute(into, "name", suite->name);
	add_counts(into, suite->count, suite->elapsed_ms);
	add_timestamp(into, suite->started_at);
	text_add(into, ">\n");
	add_properties(into, environment);
	text_add(into, text_get(&suite->cases));
	text_add(into, "  </testsuite>\n");
}

enum { PROVISIONING, SMOKE, LOAD, TEARDOWN, SUITE_COUNT };

static void fill(struct suite *suites, const json_t *report)
{
	const json_t *environment = json_object_get(report, "environment");
	const json_t *smoke = report_newest_run(report, "smoke");
	const json_t *load = report_newest_run(report, "load");

	suites[PROVISIONING].started_at = json_get_string(environment, "created_at", NULL);
	suites[SMOKE].started_at = json_get_string(smoke, "started_at", NULL);
	suites[LOAD].started_at = json_get_string(load, "started_at", NULL);
	suites[TEARDOWN].started_at = json_get_string(environment, "ended_at", NULL);
	add_environment(&suites[PROVISIONING], report);
	add_layers(&suites[PROVISIONING], report);
	add_smoke(&suites[SMOKE], smoke);
	add_load(&suites[LOAD], load);
	add_teardown(&suites[TEARDOWN], report);
}

static void render(const json_t *report, struct text *into)
{
	static const char *const names[] = { "provisioning", "smoke", "load", "teardown" };
	const json_t *environment = json_object_get(report, "environment");
	const char *template = json_get_string(environment, "template", "template");
	struct suite suites[SUITE_COUNT] = { 0 };
	char *full[SUITE_COUNT];
	size_t total[OUTCOME_COUNT] = { 0 };
	int64_t elapsed_ms = 0;

	for (int i = 0; i < SUITE_COUNT; i++)
		suites[i].name = full[i] = xasprintf("env.%s.%s", template, names[i]);
	fill(suites, report);
	for (int i = 0; i < SUITE_COUNT; i++) {
		for (int j = 0; j < OUTCOME_COUNT; j++)
			total[j] += suites[i].count[j];
		elapsed_ms += suites[i].elapsed_ms;
	}
	text_add(into, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	add_attribute(into, "name", template);
	add_counts(into, total, elapsed_ms);
	text_add(into, ">\n");
	for (int i = 0; i < SUITE_COUNT; i++) {
		if (suites[i].cases.length)
			add_suite(into, &suites[i], environment);
		text_release(&suites[i].cases);
		free(full[i]);
	}
	text_add(into, "</testsuites>\n");
}

const struct report_format report_junit = {
	.name = "junit",
	.content_type = "application/xml",
	.render = render,
};
