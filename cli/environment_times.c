#include "cli/environment_times.h"

#include <string.h>

#include "base/clock.h"
#include "model/env_state.h"

static const struct {
	enum env_state state;
	const char *key;
} timed[] = {
	{ ENV_QUEUED, "queued_ms" },
	{ ENV_PROVISIONING, "provisioning_ms" },
	{ ENV_CHECKING, "checking_ms" },
};

static const char *key_of(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(timed); i++)
		if (strcmp(env_state_name(timed[i].state), state) == 0)
			return timed[i].key;
	return NULL;
}

/* A second try is a second time in the same state. */
static void add_ms(json_t *times, const char *state, int64_t ms)
{
	const char *key = key_of(state);

	if (key && ms >= 0)
		json_object_set_new(times, key,
				    json_integer((json_int_t)(json_get_int64(times, key, 0) + ms)));
}

static bool read_time(const json_t *json, const char *key, int64_t *at_ms)
{
	struct error ignored; /* no time: it is left out */

	return clock_parse(json_get_string(json, key, ""), at_ms, &ignored);
}

static void add_states(json_t *times, const json_t *report)
{
	const json_t *row;
	const char *state = "";
	int64_t since_ms = 0, at_ms;
	size_t i;

	json_array_foreach(json_object_get(report, "history"), i, row) {
		const char *next = json_get_string(row, "state", NULL);

		if (strcmp(json_get_string(row, "kind", ""), "state") != 0 || !next ||
		    !read_time(row, "at", &at_ms))
			continue;
		add_ms(times, state, at_ms - since_ms);
		state = next;
		since_ms = at_ms;
	}
	if (read_time(report, "generated_at", &at_ms))
		add_ms(times, state, at_ms - since_ms);
}

static json_t *layers_of(const json_t *report)
{
	json_t *layers = json_object();
	const json_t *layer;
	size_t i;

	json_array_foreach(json_object_get(report, "layers"), i, layer)
		if (strcmp(json_get_string(layer, "state", ""), "ready") == 0)
			json_object_set(layers, json_get_string(layer, "name", ""),
					json_object_get(layer, "elapsed_ms"));
	return layers;
}

json_t *environment_times(const json_t *report)
{
	json_t *times = json_object();

	add_states(times, report);
	json_object_set_new(times, "layers", layers_of(report));
	return times;
}
