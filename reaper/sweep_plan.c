#include "sweep_plan.h"

#include <string.h>

static struct sweep_item *item_of(struct sweep_plan *plan, const char *environment)
{
	for (size_t i = 0; i < plan->count; i++)
		if (strcmp(plan->items[i].environment.text, environment) == 0)
			return &plan->items[i];
	plan->items = xrealloc(plan->items, plan->count + 1, sizeof(*plan->items));
	plan->items[plan->count] = (struct sweep_item){ .environment = env_id_from(environment) };
	return &plan->items[plan->count++];
}

static void collect(struct sweep_plan *plan, const json_t *thing)
{
	struct sweep_item *item = item_of(plan, json_get_string(thing, "environment", ""));
	int64_t made = json_get_int64(thing, "created_at_s", 0),
		wall = json_get_int64(thing, "hard_wall_s", 0);

	item->things++;
	item->sequence = json_get_int64(thing, "sequence", 0);
	if (made > item->youngest_s)
		item->youngest_s = made;
	if (wall > item->hard_wall_s)
		item->hard_wall_s = wall;
}

static void drop_live(struct sweep_plan *plan, const struct sweep_knowledge *knowledge)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		plan->items[i].standing =
		    knowledge->standing(knowledge->arg, plan->items[i].environment);
		if (plan->items[i].standing != SWEEP_LIVE)
			plan->items[kept++] = plan->items[i];
	}
	plan->count = kept;
}

static const char *why_kept(const struct sweep_item *item, const struct sweep_rules *rules)
{
	if (item->is_overdue)
		return NULL;
	if (rules->newest_sequence < 0)
		return "before its hard wall, and there is no store to ask";
	if (item->youngest_s && rules->now_s - item->youngest_s < rules->min_age_s)
		return "too young";
	if (!item->was_sighted)
		return "seen for the first time, or too recently";
	return NULL;
}

static void judge(struct sweep_plan *plan, const struct sweep_rules *rules,
		  const struct sweep_knowledge *knowledge)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct sweep_item *item = &plan->items[i];

		item->is_overdue = item->hard_wall_s > 0 && item->hard_wall_s <= rules->now_s;
		item->was_sighted = knowledge->was_sighted(knowledge->arg, item->environment);
		item->why = why_kept(item, rules);
		item->may_be_destroyed = item->why == NULL;
		plan->destroyable += item->may_be_destroyed;
	}
}

/* Signs that it is the store that is wrong, not the world. */
static const char *why_halted(const struct sweep_plan *plan, const struct sweep_rules *rules)
{
	size_t most = rules->live_count / 5 > 5 ? rules->live_count / 5 : 5;

	if (rules->newest_sequence < 0)
		return NULL;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].sequence > rules->newest_sequence)
			return "something carries a sequence that this store has not reached: the "
			       "store was rolled back";
	return plan->count > most ? "more orphans than a healthy installation can have" : NULL;
}

void sweep_plan_make(const json_t *inventory, const struct sweep_rules *rules,
		     const struct sweep_knowledge *knowledge, struct sweep_plan *plan)
{
	size_t i;
	json_t *thing;

	memset(plan, 0, sizeof(*plan));
	if (!json_get_bool(inventory, "complete", false)) {
		plan->halted = "what exists could not be listed completely";
		return;
	}
	json_array_foreach(json_object_get(inventory, "items"), i, thing) {
		if (strcmp(json_get_string(thing, "instance", ""), rules->instance) == 0 &&
		    id_is_valid(json_get_string(thing, "environment", "")))
			collect(plan, thing);
	}
	drop_live(plan, knowledge);
	judge(plan, rules, knowledge);
	plan->halted = why_halted(plan, rules);
}

void sweep_plan_release(struct sweep_plan *plan)
{
	free(plan->items);
	memset(plan, 0, sizeof(*plan));
}
