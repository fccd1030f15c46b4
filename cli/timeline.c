#include "cli/timeline.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/env_state.h"

/* A stretch of time on one layer. */
struct stretch {
	char *layer;
	int64_t from_ms, to_ms;
	char *state;
	bool is_over;
};

/* A stretch of time in one state. */
struct phase {
	char *state;
	int64_t from_ms, to_ms;
	bool is_over;
	struct stretch *stretches;
	size_t count;
};

struct life {
	struct phase *phases;
	size_t count;
};

/* ---- reading ---- */

static void close_open_stretches(struct phase *phase, int64_t at_ms, const char *state)
{
	for (size_t i = 0; i < phase->count; i++) {
		struct stretch *stretch = &phase->stretches[i];

		if (stretch->is_over)
			continue;
		stretch->is_over = true;
		stretch->to_ms = at_ms;
		free(stretch->state);
		stretch->state = xstrdup(state);
	}
}

static struct phase *last_phase(struct life *life)
{
	return life->count ? &life->phases[life->count - 1] : NULL;
}

static void begin_phase(struct life *life, const char *state, int64_t at_ms)
{
	struct phase *before = last_phase(life);

	if (before && text_equal(before->state, state))
		return;
	if (before) {
		before->to_ms = at_ms;
		before->is_over = true;
		close_open_stretches(before, at_ms, "interrupted");
	}
	life->phases = xrealloc(life->phases, life->count + 1, sizeof(*life->phases));
	life->phases[life->count++] =
	    (struct phase){ .state = xstrdup(state), .from_ms = at_ms, .to_ms = at_ms };
}

static struct stretch *open_stretch(struct phase *phase, const char *layer)
{
	for (size_t i = 0; i < phase->count; i++)
		if (!phase->stretches[i].is_over && text_equal(phase->stretches[i].layer, layer))
			return &phase->stretches[i];
	return NULL;
}

static void begin_stretch(struct phase *phase, const char *layer, int64_t at_ms)
{
	phase->stretches = xrealloc(phase->stretches, phase->count + 1, sizeof(*phase->stretches));
	phase->stretches[phase->count++] = (struct stretch){
		.layer = xstrdup(layer), .from_ms = at_ms, .to_ms = at_ms, .state = xstrdup("")
	};
}

static void end_stretch(struct stretch *stretch, const char *state, int64_t at_ms)
{
	stretch->is_over = true;
	stretch->to_ms = at_ms;
	free(stretch->state);
	stretch->state = xstrdup(state);
}

static void read_layer(struct phase *phase, const json_t *data, int64_t at_ms)
{
	const char *layer = json_get_string(data, "name", "");
	const char *state = json_get_string(data, "state", "");
	struct stretch *stretch = open_stretch(phase, layer);

	if (text_equal(state, "started")) {
		if (stretch)
			end_stretch(stretch, "interrupted", at_ms);
		begin_stretch(phase, layer, at_ms);
	} else if (stretch) {
		end_stretch(stretch, state, at_ms);
	}
}

static void read_row(struct life *life, const json_t *row)
{
	const char *state = json_get_string(row, "state", NULL);
	const char *kind = json_get_string(row, "kind", "");
	struct phase *phase;
	struct error ignored; /* a row without a time is none of ours */
	int64_t at_ms;

	if (!clock_parse(json_get_string(row, "at", ""), &at_ms, &ignored))
		return;
	if (text_equal(kind, "state") && state)
		begin_phase(life, state, at_ms);
	phase = last_phase(life);
	if (!phase)
		return;
	if (text_equal(kind, "layer"))
		read_layer(phase, json_object_get(row, "data"), at_ms);
	else if (text_equal(kind, "job"))
		/* The work is over; what did not say so itself was cut off. */
		close_open_stretches(phase, at_ms, "interrupted");
}

static void end_life(struct life *life, int64_t now_ms)
{
	struct phase *phase = last_phase(life);

	if (!phase)
		return;
	if (text_equal(phase->state, env_state_name(ENV_DESTROYED))) {
		phase->is_over = true;
		return;
	}
	phase->to_ms = now_ms > phase->from_ms ? now_ms : phase->from_ms;
	for (size_t i = 0; i < phase->count; i++)
		if (!phase->stretches[i].is_over)
			phase->stretches[i].to_ms = phase->to_ms;
}

static void life_release(struct life *life)
{
	for (size_t p = 0; p < life->count; p++) {
		for (size_t i = 0; i < life->phases[p].count; i++) {
			free(life->phases[p].stretches[i].layer);
			free(life->phases[p].stretches[i].state);
		}
		free(life->phases[p].stretches);
		free(life->phases[p].state);
	}
	free(life->phases);
}

/* ---- adding up ---- */

/* In how much of it at least one layer was worked on. They are in the order of their beginning. */
static int64_t covered_ms(const struct phase *phase)
{
	int64_t sum = 0, until = phase->from_ms;

	for (size_t i = 0; i < phase->count; i++) {
		const struct stretch *stretch = &phase->stretches[i];
		int64_t from = stretch->from_ms > until ? stretch->from_ms : until;

		if (stretch->to_ms <= from)
			continue;
		sum += stretch->to_ms - from;
		until = stretch->to_ms;
	}
	return sum;
}

static void add_ms(json_t *timeline, const char *key, int64_t ms)
{
	json_object_set_new(timeline, key,
			    json_integer((json_int_t)(json_get_int64(timeline, key, 0) + ms)));
}

static const struct {
	enum env_state state;
	const char *key; /* NULL: that of its layers, and the rest is unattributed */
	const char *name;
} parts[] = {
	{ ENV_QUEUED, "queued_ms", "queued" },     { ENV_PROVISIONING, NULL, "built" },
	{ ENV_CHECKING, "checks_ms", "checked" },  { ENV_READY, "in_use_ms", "in use" },
	{ ENV_FAILED, "kept_ms", "kept, failed" }, { ENV_DESTROYING, NULL, "destroyed" },
};

static void add_step(json_t *timeline, const char *name, const char *kind, const char *state,
		     int64_t start_ms, int64_t duration_ms, bool is_over)
{
	json_array_append_new(json_object_get(timeline, "steps"),
			      json_pack("{s:s, s:s, s:s, s:I, s:I, s:b}", "name", name, "kind",
					kind, "state", state, "start_ms", (json_int_t)start_ms,
					"duration_ms", (json_int_t)duration_ms, "is_over",
					is_over));
}

static void add_layers(json_t *timeline, const struct phase *phase, int64_t born_ms)
{
	int64_t covered = covered_ms(phase), rest = phase->to_ms - phase->from_ms - covered;

	for (size_t i = 0; i < phase->count; i++) {
		const struct stretch *stretch = &phase->stretches[i];

		add_step(timeline, stretch->layer, "layer",
			 stretch->is_over ? stretch->state : "running", stretch->from_ms - born_ms,
			 stretch->to_ms - stretch->from_ms, stretch->is_over);
	}
	add_step(timeline, "unattributed", "unattributed", "", phase->from_ms - born_ms, rest,
		 phase->is_over);
	add_ms(timeline, "layers_ms", covered);
	add_ms(timeline, "unattributed_ms", rest);
}

static void add_phase(json_t *timeline, const struct phase *phase, int64_t born_ms)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(parts) && !text_equal(env_state_name(parts[i].state), phase->state))
		i++;
	if (i == ARRAY_SIZE(parts))
		return; /* destroyed: it takes no time */
	add_step(timeline, parts[i].name, "phase", phase->state, phase->from_ms - born_ms,
		 phase->to_ms - phase->from_ms, phase->is_over);
	add_ms(timeline, "whole_ms", phase->to_ms - phase->from_ms);
	if (parts[i].key)
		add_ms(timeline, parts[i].key, phase->to_ms - phase->from_ms);
	else
		add_layers(timeline, phase, born_ms);
	if (parts[i].state == ENV_READY && !json_has(timeline, "until_ready_ms"))
		json_object_set_new(timeline, "until_ready_ms",
				    json_integer((json_int_t)(phase->from_ms - born_ms)));
}

json_t *timeline_make(const json_t *history, int64_t now_ms)
{
	json_t *timeline =
	    json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:n, s:[]}", "whole_ms", 0, "queued_ms",
		      0, "layers_ms", 0, "checks_ms", 0, "in_use_ms", 0, "kept_ms", 0,
		      "unattributed_ms", 0, "until_ready_ms", "steps");
	struct life life = { NULL, 0 };
	const json_t *row;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)history, i, row)
		read_row(&life, row);
	end_life(&life, now_ms);
	for (i = 0; i < life.count; i++)
		add_phase(timeline, &life.phases[i], life.phases[0].from_ms);
	life_release(&life);
	return timeline;
}
