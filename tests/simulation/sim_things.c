/*
 * sim_things.c - what exists in the simulated world: made by workers, or by nobody who is known.
 */
#include "tests/simulation/sim.h"

#include <string.h>

void sim_thing_make(const struct sim_thing *like)
{
	struct sim_thing *thing = xcalloc(1, sizeof(*thing));

	*thing = *like;
	thing->made_wall_ms = sim_wall_ms();
	if (thing->appears_at_ms < sim->now_ms)
		thing->appears_at_ms = sim->now_ms;
	thing->next = sim->things;
	sim->things = thing;
}

static bool is_of(const struct sim_thing *thing, struct env_id id)
{
	return strcmp(thing->environment.text, id.text) == 0;
}

size_t sim_things_of(struct env_id id)
{
	size_t count = 0;

	for (const struct sim_thing *at = sim->things; at; at = at->next)
		count += is_of(at, id);
	return count;
}

bool sim_has_thing(struct env_id id, int64_t number)
{
	for (const struct sim_thing *at = sim->things; at; at = at->next)
		if (is_of(at, id) && at->number == number)
			return true;
	return false;
}

bool sim_thing_remove(struct env_id id)
{
	for (struct sim_thing **at = &sim->things; *at; at = &(*at)->next) {
		struct sim_thing *thing = *at;

		if (!is_of(thing, id) || thing->appears_at_ms > sim->now_ms)
			continue;
		*at = thing->next;
		free(thing);
		return true;
	}
	return false;
}

/* Made by the wall clock of that moment, as a runtime notes it. */
static json_t *item_of(const struct sim_thing *thing)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "kind", "thing", "id", "x",
			 "environment", thing->environment.text, "instance", thing->instance,
			 "sequence", (json_int_t)thing->sequence, "hard_wall_s",
			 (json_int_t)thing->hard_wall_s, "created_at_s",
			 (json_int_t)thing->made_wall_ms / 1000);
}

json_t *sim_things_list(bool is_complete)
{
	json_t *items = json_array();

	for (const struct sim_thing *at = sim->things; at; at = at->next)
		if (at->appears_at_ms <= sim->now_ms)
			json_array_append_new(items, item_of(at));
	return json_pack("{s:b, s:I, s:o}", "complete", is_complete, "at_ms",
			 (json_int_t)sim_wall_ms(), "items", items);
}

void sim_things_free(void)
{
	while (sim->things) {
		struct sim_thing *thing = sim->things;

		sim->things = thing->next;
		free(thing);
	}
}
