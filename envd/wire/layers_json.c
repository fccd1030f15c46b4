#include "wire/layers_json.h"

#include <string.h>

#include "base/json_read.h"

struct reading {
	json_t *by_name; /* in order */
	bool is_ending;  /* what is said from now on is about removing */
};

static json_t *layer_named(struct reading *reading, const char *name)
{
	json_t *layer = json_object_get(reading->by_name, name);

	if (layer)
		return layer;
	layer = json_pack("{s:s, s:[], s:n, s:s, s:n, s:n, s:n, s:i, s:n, s:s}", "name", name,
			  "needs", "level", "state", "waiting", "started_at", "ended_at",
			  "elapsed_ms", "attempts", 0, "removed_at", "message", "");
	if (layer)
		json_object_set_new(reading->by_name, name, layer);
	return layer;
}

static void read_plan(struct reading *reading, const json_t *planned)
{
	const json_t *row;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)planned, i, row) {
		json_t *layer = layer_named(reading, json_get_string(row, "name", ""));
		json_t *needs = json_object_get(row, "needs"), *level;

		level = json_object_get(row, "level");
		if (json_is_array(needs))
			json_object_set(layer, "needs", needs);
		if (json_is_integer(level))
			json_object_set(layer, "level", level);
	}
}

static void set_text(json_t *layer, const char *key, const char *value)
{
	json_object_set_new(layer, key, json_string(value));
}

static void begin(json_t *layer, const char *at)
{
	int64_t attempts = json_get_int64(layer, "attempts", 0);

	set_text(layer, "state", "building");
	set_text(layer, "started_at", at);
	set_text(layer, "message", "");
	json_object_set_new(layer, "ended_at", json_null());
	json_object_set_new(layer, "elapsed_ms", json_null());
	json_object_set_new(layer, "attempts", json_integer((json_int_t)attempts + 1));
}

/* That it was there already is no news: its times are those of when it was built. */
static bool is_repeated(const json_t *layer, const char *state)
{
	return strcmp(state, "ready") == 0 &&
	       strcmp(json_get_string(layer, "state", ""), "ready") == 0;
}

static void end(json_t *layer, const char *state, const char *at, const json_t *data)
{
	json_t *elapsed = json_object_get(data, "elapsed_ms");

	if (is_repeated(layer, state))
		return;
	set_text(layer, "state", state);
	set_text(layer, "ended_at", at);
	set_text(layer, "message", json_get_string(data, "message", ""));
	if (json_is_integer(elapsed))
		json_object_set(layer, "elapsed_ms", elapsed);
}

static void end_removal(json_t *layer, const char *state, const char *at, const json_t *data)
{
	if (strcmp(state, "started") == 0)
		set_text(layer, "state", "removing");
	else
		set_text(layer, "state", state);
	if (strcmp(state, "removed") == 0)
		set_text(layer, "removed_at", at);
	set_text(layer, "message", json_get_string(data, "message", ""));
}

static void read_layer(struct reading *reading, const json_t *row)
{
	const json_t *data = json_object_get(row, "data");
	const char *name = json_get_string(data, "name", ""), *at = json_get_string(row, "at", "");
	const char *state = json_get_string(data, "state", "");
	json_t *layer = *name ? layer_named(reading, name) : NULL;

	if (!layer)
		return;
	if (reading->is_ending || strcmp(state, "removed") == 0)
		end_removal(layer, state, at, data);
	else if (strcmp(state, "started") == 0)
		begin(layer, at);
	else
		end(layer, state, at, data);
}

static void read_row(struct reading *reading, const json_t *row)
{
	const char *kind = json_get_string(row, "kind", "");
	const char *state = json_get_string(row, "state", NULL);

	if (state)
		reading->is_ending =
		    strcmp(state, "destroying") == 0 || strcmp(state, "destroyed") == 0;
	if (strcmp(kind, "layer") == 0)
		read_layer(reading, row);
	else
		read_plan(reading, json_object_get(json_object_get(row, "data"), "layers"));
}

json_t *layers_json(const json_t *history)
{
	struct reading reading = { .by_name = json_object() };
	json_t *layers = json_array(), *item;
	const char *name;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)history, i, item)
		read_row(&reading, item);
	json_object_foreach(reading.by_name, name, item)
		json_array_append(layers, item);
	json_decref(reading.by_name);
	return layers;
}
