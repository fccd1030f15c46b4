#include <string.h>

#include "base/duration.h"
#include "model/proof.h"
#include "report/report_format.h"

/* A cell is one line, and '|' would end it; '<' and friends would be HTML. */
static void add_cell(struct text *into, const char *words)
{
	for (; *words; words++) {
		if (*words == '\n' || *words == '\r')
			text_add_char(into, ' ');
		else if (*words == '|')
			text_add(into, "\\|");
		else if (*words == '<')
			text_add(into, "&lt;");
		else if (*words == '&')
			text_add(into, "&amp;");
		else if (*words == '`')
			text_add(into, "\\`");
		else
			text_add_char(into, *words);
	}
}

/* `cells` ends with NULL. */
static void add_row(struct text *into, const char *const *cells)
{
	text_add_char(into, '|');
	for (; *cells; cells++) {
		text_add_char(into, ' ');
		add_cell(into, *cells);
		text_add(into, " |");
	}
	text_add_char(into, '\n');
}

#define ADD_ROW(into, ...) add_row(into, (const char *const[]){ __VA_ARGS__, NULL })

static const char *glyph(const char *status)
{
	static const struct {
		const char *status, *glyph;
	} all[] = {
		{ "passed", "✔ passed" },
		{ "ready", "✔ ready" },
		{ "failed", "✘ failed" },
		{ "error", "▲ error" },
		{ "inconclusive", "▲ inconclusive" },
		{ "insufficient", "▲ too few" },
		{ "warned", "! warned" },
		{ "skipped", "· skipped" },
		{ "removed", "· removed" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (text_equal(all[i].status, status))
			return all[i].glyph;
	return status;
}

static void add_field(struct text *into, const char *name, const char *value)
{
	if (value && *value)
		ADD_ROW(into, name, value);
}

static void add_map(struct text *into, const char *name, const json_t *map)
{
	AUTO(free) char *words = report_map(map, ", ");

	add_field(into, name, words);
}

static void add_outputs(struct text *into, const json_t *outputs)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)outputs, key, value) {
		const char *text = json_string_value(value);

		add_field(into, key, text && strchr(text, '\n') ? "(several lines)" : text);
	}
}

static void add_summary(struct text *into, const json_t *report)
{
	const json_t *environment = json_object_get(report, "environment");

	text_add(into, "## Environment ");
	add_cell(into, json_get_string(environment, "name", "?"));
	text_format(into, ": %s\n\n| | |\n|---|---|\n", report_verdict(report));
	add_field(into, "template", json_get_string(environment, "template", ""));
	add_field(into, "owner", json_get_string(environment, "owner", ""));
	add_field(into, "id", json_get_string(environment, "id", ""));
	add_field(into, "reason", json_get_string(environment, "reason", ""));
	add_field(into, "message", json_get_string(environment, "message", ""));
	add_outputs(into, json_object_get(environment, "outputs"));
	add_map(into, "pins", json_object_get(environment, "pins"));
	add_map(into, "parameters", json_object_get(environment, "parameters"));
	add_map(into, "labels", json_object_get(environment, "labels"));
	add_field(into, "created", json_get_string(environment, "created_at", ""));
	add_field(into, "ready", json_get_string(environment, "ready_at", ""));
	add_field(into, "expires", json_get_string(environment, "expires_at", ""));
	add_field(into, "ended", json_get_string(environment, "ended_at", ""));
	add_field(into, "checks",
		  json_get_string(json_object_get(environment, "checks"), "verdict", ""));

	AUTO(free) char *kept = report_kept(report);
	AUTO(free) char *evidence = report_evidence(report);
	AUTO(free) char *cost = report_cost(report);
	AUTO(free) char *blocked_by = report_blocked_by(report);

	add_field(into, "kept", kept);
	add_field(into, "evidence", evidence);
	add_field(into, "cost", cost);
	add_field(into, "blocked by", blocked_by);
}

/* A fence longer than any in the text, so that the text cannot close it. */
static void add_block(struct text *into, const char *words)
{
	size_t longest = 2, run = 0;

	for (const char *at = words; *at; at++) {
		run = *at == '`' ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (int end = 0; end < 2; end++) {
		for (size_t i = 0; i <= longest; i++)
			text_add_char(into, '`');
		text_add_char(into, '\n');
		if (!end)
			text_format(into, "%s%s", words, text_ends_with(words, "\n") ? "" : "\n");
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
		text_add(into, "\nLast lines of ");
		add_cell(into, json_get_string(service, "name", "?"));
		text_add(into, ":\n\n");
		add_block(into, tail);
	}
}

static void add_failure(struct text *into, const json_t *report)
{
	const json_t *error = json_object_get(json_object_get(report, "environment"), "error");

	if (!json_is_object(error))
		return;
	text_add(into, "\n### What went wrong\n\n");
	add_block(into, json_get_string(error, "message", "?"));
	if (*json_get_string(error, "hint", "")) {
		text_add(into, "\n");
		add_cell(into, json_get_string(error, "hint", ""));
		text_add(into, "\n");
	}
	add_log_tails(into, report);
}

static void add_smoke(struct text *into, const json_t *report)
{
	const json_t *run = report_newest_run(report, "smoke");
	size_t i;
	json_t *check;

	if (!run)
		return;
	text_format(into,
		    "\n### Smoke checks: %s\n\n| check | stage | verdict | took | seen |\n"
		    "|---|---|---|---:|---|\n",
		    json_get_string(run, "verdict", "no verdict"));
	json_array_foreach(json_object_get(run, "smoke"), i, check) {
		AUTO(free) char *seen = report_seen(check);
		char took[DURATION_TEXT_SIZE];

		ADD_ROW(into, json_get_string(check, "name", "?"),
			json_get_string(check, "stage", ""),
			glyph(json_get_string(check, "status", "?")),
			duration_format(json_get_int64(check, "duration_ms", 0), took), seen);
	}
}

static void add_one_load(struct text *into, const json_t *load)
{
	const json_t *latency = json_object_get(load, "latency_ms");
	const json_t *generator = json_object_get(load, "generator");
	size_t i;
	json_t *threshold;

	text_add(into, "\n**");
	add_cell(into, json_get_string(load, "name", "?"));
	text_format(into,
		    "**: %s. %.1f of %.1f requests a second, %lld errors; p50 %.1f ms, "
		    "p95 %.1f ms, p99 %.1f ms, longest %.1f ms.",
		    glyph(json_get_string(load, "verdict", "?")),
		    json_get_number(load, "achieved_per_second", 0),
		    json_get_number(load, "planned_per_second", 0),
		    (long long)json_get_int64(load, "errors", 0),
		    json_get_number(latency, "p50", 0), json_get_number(latency, "p95", 0),
		    json_get_number(latency, "p99", 0), json_get_number(latency, "max", 0));
	if (!json_get_bool(generator, "healthy", true)) {
		text_add(into, " The load generator was not healthy: ");
		add_cell(into, json_get_string(generator, "why", "?"));
	}
	text_add(into, "\n\n| threshold | kind | verdict | saw |\n|---|---|---|---|\n");
	json_array_foreach(json_object_get(load, "thresholds"), i, threshold) {

		ADD_ROW(into, json_get_string(threshold, "text", "?"),
			json_get_string(threshold, "kind", ""),
			glyph(json_get_string(threshold, "status", "?")),
			json_get_string(threshold, "saw", ""));
	}
}

static void add_load(struct text *into, const json_t *report)
{
	const json_t *run = report_newest_run(report, "load");
	size_t i;
	json_t *load;

	if (!run)
		return;
	text_format(into, "\n### Load checks: %s\n", json_get_string(run, "verdict", "no verdict"));
	json_array_foreach(json_object_get(run, "load"), i, load) {

		add_one_load(into, load);
	}
}

static void add_layers(struct text *into, const json_t *report)
{
	const json_t *layers = json_object_get(report, "layers");
	size_t i;
	json_t *layer;

	if (!json_array_size(layers))
		return;
	text_add(into, "\n### Layers\n\n| layer | state | took | |\n|---|---|---:|---|\n");
	json_array_foreach((json_t *)(uintptr_t)layers, i, layer) {
		char took[DURATION_TEXT_SIZE];

		ADD_ROW(into, json_get_string(layer, "name", "?"),
			glyph(json_get_string(layer, "state", "?")),
			duration_format(json_get_int64(layer, "elapsed_ms", 0), took),
			json_get_string(layer, "message", ""));
	}
}

static void add_proofs(struct text *into, const json_t *report)
{
	const json_t *proofs = report_proofs(report);
	size_t i;
	json_t *proof;

	if (!json_array_size(proofs))
		return;
	text_add(into, "\n### Proofs that it is gone\n\n| proof | at | |\n|---|---|---|\n");
	json_array_foreach((json_t *)(uintptr_t)proofs, i, proof) {
		const char *kind = json_get_string(proof, "kind", "?");

		ADD_ROW(into, kind, json_get_string(proof, "at", ""), proof_words(kind));
	}
}

static void add_history(struct text *into, const json_t *report)
{
	const json_t *history = json_object_get(report, "history");
	size_t i;
	json_t *row;

	if (!json_array_size(history))
		return;
	text_format(into,
		    "\n<details><summary>History (%zu)</summary>\n\n| at | kind | state | |\n"
		    "|---|---|---|---|\n",
		    json_array_size(history));
	json_array_foreach((json_t *)(uintptr_t)history, i, row) {

		ADD_ROW(into, json_get_string(row, "at", ""), json_get_string(row, "kind", ""),
			json_get_string(row, "state", ""), json_get_string(row, "message", ""));
	}
	text_add(into, "\n</details>\n");
}

/* Verdict and what failed come first: a summary that is cut keeps them. */
static void render(const json_t *report, struct text *into)
{
	add_summary(into, report);
	add_failure(into, report);
	add_smoke(into, report);
	add_load(into, report);
	add_layers(into, report);
	add_proofs(into, report);
	add_history(into, report);
	report_make_printable(into);
}

const struct report_format report_markdown = {
	.name = "markdown",
	.content_type = "text/markdown; charset=utf-8",
	.render = render,
};
