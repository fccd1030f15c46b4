#include "cli/graph_view.h"

#include <string.h>

#include "base/duration.h"

/* ---- words ---- */

void graph_layer_words(const json_t *layer, struct text *into)
{
	const json_t *elapsed = json_object_get(layer, "elapsed_ms");
	char time[DURATION_TEXT_SIZE];

	text_add(into, json_get_string(layer, "state", "?"));
	if (json_is_integer(elapsed))
		text_format(into, " %s", duration_format(json_integer_value(elapsed), time));
}

void graph_time_words(const json_t *timeline, struct text *into)
{
	static const struct {
		const char *key, *name;
	} parts[] = {
		{ "queued_ms", "queued" },     { "layers_ms", "layers" },
		{ "checks_ms", "checks" },     { "in_use_ms", "in use" },
		{ "kept_ms", "kept, failed" }, { "unattributed_ms", "unattributed" },
	};
	char time[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int64_t ms = json_get_int64(timeline, parts[i].key, 0);

		if (ms)
			text_format(into, "%s%s %s", into->length ? ", " : "", parts[i].name,
				    duration_format(ms, time));
	}
}

/* ---- DOT ---- */

static void add_dot(struct text *into, const char *words)
{
	text_add_char(into, '"');
	for (const char *at = words; *at; at++) {
		if (*at == '"' || *at == '\\')
			text_add_char(into, '\\');
		text_add_char(into, *at == '\n' ? ' ' : *at);
	}
	text_add_char(into, '"');
}

static const char *colour_of(const char *state)
{
	static const struct {
		const char *state, *colour;
	} colours[] = {
		{ "ready", "#1a7f37" },    { "building", "#0969da" }, { "failed", "#cf222e" },
		{ "removing", "#9a6700" }, { "removed", "#6e7781" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (strcmp(colours[i].state, state) == 0)
			return colours[i].colour;
	return "#6e7781";
}

static void add_dot_layer(struct text *into, const json_t *layer)
{
	AUTO(text_release) struct text words = TEXT_EMPTY;
	const char *name = json_get_string(layer, "name", "?");
	AUTO(text_release) struct text label = TEXT_EMPTY;

	graph_layer_words(layer, &words);
	add_dot(&label, name);
	/* The line break of DOT goes between what was quoted one by one. */
	label.bytes[--label.length] = '\0';
	text_add(&label, "\\n");
	text_format(&label, "%s\"", text_get(&words));
	text_add(into, "  ");
	add_dot(into, name);
	text_format(into, " [label=%s, color=\"%s\"%s];\n", text_get(&label),
		    colour_of(json_get_string(layer, "state", "")),
		    strcmp(json_get_string(layer, "state", ""), "waiting") == 0 ? ", style=dashed"
										: "");
}

void graph_dot(const struct graph_view *view, struct text *into)
{
	const json_t *layer, *need;
	size_t i, n;

	text_add(into, "digraph ");
	add_dot(into, view->name);
	text_add(into, " {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];\n");
	json_array_foreach((json_t *)(uintptr_t)view->layers, i, layer)
		add_dot_layer(into, layer);
	json_array_foreach((json_t *)(uintptr_t)view->layers, i, layer) {
		json_array_foreach(json_object_get(layer, "needs"), n, need) {
			text_add(into, "  ");
			add_dot(into, json_string_value(need) ? json_string_value(need) : "?");
			text_add(into, " -> ");
			add_dot(into, json_get_string(layer, "name", "?"));
			text_add(into, ";\n");
		}
	}
	text_add(into, "}\n");
}

/* ---- Mermaid ---- */

static void add_mermaid(struct text *into, const char *words)
{
	for (const char *at = words; *at; at++)
		if (strchr("\"#<>&;\n", *at))
			text_format(into, "#%d;", *at);
		else
			text_add_char(into, *at);
}

static size_t index_of(const json_t *layers, const char *name)
{
	const json_t *layer;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)layers, i, layer)
		if (name && strcmp(json_get_string(layer, "name", ""), name) == 0)
			return i;
	return SIZE_MAX;
}

static void add_mermaid_needs(struct text *into, const json_t *layers, size_t index)
{
	const json_t *need;
	size_t n;

	json_array_foreach(json_object_get(json_array_get(layers, index), "needs"), n, need) {
		size_t from = index_of(layers, json_string_value(need));

		if (from != SIZE_MAX)
			text_format(into, "  l%zu --> l%zu\n", from, index);
	}
}

void graph_mermaid(const struct graph_view *view, struct text *into)
{
	static const char *const states[] = { "waiting", "building", "ready",
					      "failed",  "removing", "removed" };
	const json_t *layer;
	size_t i;

	text_add(into, "flowchart LR\n");
	json_array_foreach((json_t *)(uintptr_t)view->layers, i, layer) {
		AUTO(text_release) struct text words = TEXT_EMPTY;

		graph_layer_words(layer, &words);
		text_format(into, "  l%zu[\"", i);
		add_mermaid(into, json_get_string(layer, "name", "?"));
		text_format(into, "<br/>%s\"]:::%s\n", text_get(&words),
			    json_get_string(layer, "state", "waiting"));
	}
	for (i = 0; i < json_array_size(view->layers); i++)
		add_mermaid_needs(into, view->layers, i);
	for (i = 0; i < ARRAY_SIZE(states); i++)
		text_format(into, "  classDef %s stroke:%s,stroke-width:2px%s\n", states[i],
			    colour_of(states[i]), i == 0 ? ",stroke-dasharray:4" : "");
}
