#include <string.h>

#include "base/duration.h"
#include "model/proof.h"
#include "report/report_format.h"

static void add_field(struct text *into, const char *name, const char *value)
{
	if (value && *value && !strchr(value, '\n'))
		text_format(into, "  %-11s %s\n", name, value);
	else if (value && *value)
		text_format(into, "  %-11s (several lines)\n", name);
}

static void add_map(struct text *into, const char *name, const json_t *map)
{
	AUTO(free) char *words = report_map(map, " ");

	add_field(into, name, words);
}

static void add_outputs(struct text *into, const json_t *outputs)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)outputs, key, value) {

		add_field(into, key, json_string_value(value));
	}
}

static void add_summary(struct text *into, const json_t *report)
{
	const json_t *environment = json_object_get(report, "environment");
	static const char *const fields[] = { "id",       "template",   "owner",
					      "reason",   "message",    "created_at",
					      "ready_at", "expires_at", "ended_at" };

	text_format(into, "%s: %s\n", json_get_string(environment, "name", "?"),
		    report_verdict(report));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		add_field(into, fields[i], json_get_string(environment, fields[i], ""));
	add_outputs(into, json_object_get(environment, "outputs"));
	add_map(into, "pins", json_object_get(environment, "pins"));
	add_map(into, "parameters", json_object_get(environment, "parameters"));
	add_map(into, "labels", json_object_get(environment, "labels"));

	AUTO(free) char *kept = report_kept(report);
	AUTO(free) char *evidence = report_evidence(report);
	AUTO(free) char *cost = report_cost(report);
	AUTO(free) char *blocked_by = report_blocked_by(report);

	add_field(into, "kept", kept);
	add_field(into, "evidence", evidence);
	add_field(into, "cost", cost);
	add_field(into, "blocked by", blocked_by);
}

static int name_width(const json_t *items)
{
	size_t widest = 12;

	for (size_t i = 0; i < json_array_size(items); i++) {
		size_t length = strlen(json_get_string(json_array_get(items, i), "name", "?"));

		widest = length > widest && length < 60 ? length : widest;
	}
	return (int)widest;
}

/* Every line of it two columns in. */
static void add_indented(struct text *into, const char *words)
{
	text_add(into, "  ");
	for (; *words; words++) {
		text_add_char(into, *words);
		if (*words == '\n' && words[1])
			text_add(into, "  ");
	}
}

static void add_log_tails(struct text *into, const json_t *report)
{
	const json_t *services = report_said_services(report);

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);
		AUTO(free) char *tail = report_log_tail(service);

		if (!*tail)
			continue;
		text_format(into, "\nlast lines of %s\n", json_get_string(service, "name", "?"));
		add_indented(into, tail);
	}
}

static void add_failure(struct text *into, const json_t *report)
{
	const json_t *error = json_object_get(json_object_get(report, "environment"), "error");
	const char *message = json_get_string(error, "message", "");

	if (!*message)
		return;
	text_add(into, "\nwhat went wrong\n");
	add_indented(into, message);
	text_add(into, "\n");
	if (*json_get_string(error, "hint", ""))
		text_format(into, "  hint: %s\n", json_get_string(error, "hint", ""));
	add_log_tails(into, report);
}

static void add_layers(struct text *into, const json_t *report)
{
	const json_t *layers = json_object_get(report, "layers");
	size_t i;
	json_t *layer;

	if (json_array_size(layers))
		text_add(into, "\nlayers\n");
	json_array_foreach((json_t *)(uintptr_t)layers, i, layer) {
		char took[DURATION_TEXT_SIZE];

		text_format(into, "  %-*s %-8s %s%s%s\n", name_width(layers),
			    json_get_string(layer, "name", "?"),
			    json_get_string(layer, "state", "?"),
			    duration_format(json_get_int64(layer, "elapsed_ms", 0), took),
			    *json_get_string(layer, "message", "") ? "  " : "",
			    json_get_string(layer, "message", ""));
	}
}

static void add_smoke(struct text *into, const json_t *report)
{
	const json_t *run = report_newest_run(report, "smoke");
	size_t i;
	json_t *check;

	if (!run)
		return;
	text_format(into, "\nsmoke checks: %s\n", json_get_string(run, "verdict", "no verdict"));
	json_array_foreach(json_object_get(run, "smoke"), i, check) {
		AUTO(free) char *seen = report_seen(check);
		char took[DURATION_TEXT_SIZE];

		text_format(
		    into, "  %-8s %-14s %-20s %8s  %s\n", json_get_string(check, "status", "?"),
		    json_get_string(check, "stage", ""), json_get_string(check, "name", "?"),
		    duration_format(json_get_int64(check, "duration_ms", 0), took), seen);
	}
}

static void add_one_load(struct text *into, const json_t *load)
{
	const json_t *latency = json_object_get(load, "latency_ms");
	const json_t *generator = json_object_get(load, "generator");
	size_t i;
	json_t *threshold;

	text_format(into,
		    "  %-12s %s: %.1f of %.1f requests/s, %lld errors, p50 %.1f ms, p95 %.1f ms, "
		    "p99 %.1f ms\n",
		    json_get_string(load, "verdict", "?"), json_get_string(load, "name", "?"),
		    json_get_number(load, "achieved_per_second", 0),
		    json_get_number(load, "planned_per_second", 0),
		    (long long)json_get_int64(load, "errors", 0),
		    json_get_number(latency, "p50", 0), json_get_number(latency, "p95", 0),
		    json_get_number(latency, "p99", 0));
	json_array_foreach(json_object_get(load, "thresholds"), i, threshold) {

		text_format(into, "    %-12s %s: saw %s\n",
			    json_get_string(threshold, "status", "?"),
			    json_get_string(threshold, "text", "?"),
			    json_get_string(threshold, "saw", "?"));
	}
	if (!json_get_bool(generator, "healthy", true))
		text_format(into, "    the load generator was not healthy: %s\n",
			    json_get_string(generator, "why", "?"));
}

static void add_load(struct text *into, const json_t *report)
{
	const json_t *run = report_newest_run(report, "load");
	size_t i;
	json_t *load;

	if (!run)
		return;
	text_format(into, "\nload checks: %s\n", json_get_string(run, "verdict", "no verdict"));
	json_array_foreach(json_object_get(run, "load"), i, load) {

		add_one_load(into, load);
	}
}

static void add_proofs(struct text *into, const json_t *report)
{
	const json_t *proofs = report_proofs(report);
	size_t i;
	json_t *proof;

	if (json_array_size(proofs))
		text_add(into, "\nproofs that it is gone\n");
	json_array_foreach((json_t *)(uintptr_t)proofs, i, proof) {
		const char *kind = json_get_string(proof, "kind", "?");

		text_format(into, "  %-16s %s  %s\n", kind, json_get_string(proof, "at", ""),
			    proof_words(kind));
	}
}

static void render(const json_t *report, struct text *into)
{
	add_summary(into, report);
	add_failure(into, report);
	add_layers(into, report);
	add_smoke(into, report);
	add_load(into, report);
	add_proofs(into, report);
	report_make_printable(into);
}

const struct report_format report_text = {
	.name = "text",
	.content_type = "text/plain; charset=utf-8",
	.render = render,
};
