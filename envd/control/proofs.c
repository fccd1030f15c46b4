#include "control/proofs.h"

#include <string.h>

#include "control/engine_traits.h"

enum { BLOCKED_MAX = 50 };

static void add_blocked(json_t *blocked, const json_t *item)
{
	const char *reason = json_get_string(item, "reason", NULL);
	const char *id = json_get_string(item, "id", "?"),
		   *name = json_get_string(item, "name", id);

	if (json_array_size(blocked) < BLOCKED_MAX)
		json_array_append_new(
		    blocked, json_sprintf("%s %s%s%s", json_get_string(item, "kind", "thing"), name,
					  reason ? ": " : "", reason ? reason : ""));
}

/* Why a listing is not complete, where the engine can say it. */
static bool is_incomplete(const json_t *inventory, json_t *blocked, struct error *err)
{
	const json_t *unknown = json_object_get(inventory, "unknown");
	const char *first = json_string_value(json_array_get(unknown, 0));
	size_t i;
	json_t *reason;

	json_array_foreach((json_t *)(uintptr_t)unknown, i, reason)
		if (json_array_size(blocked) < BLOCKED_MAX && json_is_string(reason))
			json_array_append(blocked, reason);
	return error_set_as(err, ERR_EXTERNAL, "inventory_incomplete",
			    "what is left could not be listed completely%s%s", first ? ": " : "",
			    first ? first : "");
}

static bool holds_nothing(const json_t *inventory, struct env_id environment, json_t *blocked,
			  struct error *err)
{
	const json_t *items = json_object_get(inventory, "items");
	size_t found = 0, i;
	json_t *item;

	if (!json_get_bool(inventory, "complete", false) || !json_is_array(items))
		return is_incomplete(inventory, blocked, err);
	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		if (strcmp(json_get_string(item, "environment", ""), environment.text) != 0)
			continue;
		found++;
		add_blocked(blocked, item);
	}
	return !found ||
	       error_set_as(err, ERR_EXTERNAL, "left_over", "%zu things are still there", found);
}

static bool judge_inventories(const json_t *inventories, const char *engine,
			      struct env_id environment, json_t *blocked, struct error *err)
{
	const json_t *first = json_array_get(inventories, 0),
		     *second = json_array_get(inventories, 1);
	int64_t apart = json_get_int64(second, "at_ms", 0) - json_get_int64(first, "at_ms", 0);
	int64_t settle_ms; /* the clouds' own, where it is longer than the engine's */

	if (json_array_size(inventories) != 2)
		return error_set_as(err, ERR_EXTERNAL, "inventory_missing",
				    "there are not two inventories");
	if (!holds_nothing(second, environment, blocked, err) ||
	    !holds_nothing(first, environment, blocked, err))
		return false;
	settle_ms = json_get_int64(first, "settle_ms", 0);
	if (settle_ms < engine_traits_of(engine)->settle_ms)
		settle_ms = engine_traits_of(engine)->settle_ms;
	return apart >= settle_ms ||
	       error_set_as(err, ERR_EXTERNAL, "inventory_too_soon",
			    "the two inventories are only %lld ms apart", (long long)apart);
}

bool proofs_judge(const json_t *data, const char *engine, struct env_id environment,
		  json_t **blocked_by, struct error *err)
{
	const json_t *left = json_object_get(data, "left");
	json_t *blocked = json_array();
	size_t i;
	json_t *item;

	*blocked_by = blocked;
	if (!json_get_bool(data, "state_empty", false) ||
	    json_get_int64(data, "pending", -1) != 0) {
		json_array_foreach((json_t *)(uintptr_t)left, i, item)
			add_blocked(blocked, item);
		return error_set_as(err, ERR_EXTERNAL, "state_not_empty",
				    "the engine's own state is not empty");
	}
	return judge_inventories(json_object_get(data, "inventories"), engine, environment, blocked,
				 err);
}
