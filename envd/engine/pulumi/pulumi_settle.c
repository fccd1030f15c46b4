#include "engine/pulumi/pulumi_settle.h"

#include <string.h>

#include "base/text.h"
#include "engine/pulumi/pulumi_backend.h"
#include "engine/pulumi/pulumi_cli.h"
#include "engine/pulumi/pulumi_listing.h"
#include "engine/pulumi/pulumi_state.h"

/* ---- is it in somebody's books? ---- */

static bool state_has_id(const struct pulumi_state *state, const char *id)
{
	size_t i;
	json_t *resource;

	json_array_foreach((json_t *)(uintptr_t)state->resources, i, resource)
		if (text_equal(json_get_string(resource, "id", NULL), id))
			return true;
	return false;
}

static bool is_accounted_for(const struct pulumi_place *place, const char *id, bool *is,
			     struct error *err)
{
	*is = false;
	for (size_t i = 0; i < place->list->count && !*is; i++) {
		AUTO(state_release) struct pulumi_state state = { .exists = false };

		if (!state_read(place, i, &state, err))
			return false;
		*is = state_has_id(&state, id);
	}
	return true;
}

/* By its URN where the inventory knows it; else by name: what Pulumi names by itself begins with
 * the resource's own name. */
static bool may_be(const json_t *item, const json_t *resource)
{
	const char *urn = json_get_string(resource, "urn", "?"), *own = strrchr(urn, ':');
	const char *known_urn = json_get_string(item, "urn", NULL);
	const char *name = json_get_string(item, "name", json_get_string(item, "id", ""));
	const json_t *inputs = json_object_get(resource, "inputs");

	if (known_urn && *known_urn)
		return strcmp(known_urn, urn) == 0;
	return (own && text_starts_with(name, own + 1)) ||
	       text_equal(json_get_string(inputs, "name", NULL), name);
}

/* ---- one interrupted create ---- */

static bool remove_it(const struct walk_spec *spec, const char *provider, const json_t *item,
		      const char *urn, struct error *err)
{
	const struct layer_inventory *inventory = layer_list_inventory(spec->place->list, provider);
	const char *id = json_get_string(item, "id", "");

	if (!inventory->remove)
		return error_set_as(
		    err, ERR_EXTERNAL, "pending_exists",
		    "\"%.100s\" was being made when it was interrupted, exists as "
		    "\"%.100s\" and is in no state; \"%s\" has no command to remove "
		    "it",
		    urn, id, provider);
	worker_say_log(spec->lines, "info",
		       "%s \"%s\" was half made by an interrupted run: removed",
		       json_get_string(item, "kind", "thing"), id);
	return hook_run(spec->place, inventory->remove, id, NULL, err);
}

static bool look_for(const struct walk_spec *spec, const char *provider, const json_t *resource,
		     bool removes, size_t *seen, struct error *err)
{
	const char *urn = json_get_string(resource, "urn", "?"), *own = strrchr(urn, ':');
	AUTO(json_decref) json_t *suspects = json_pack("[s]", own ? own + 1 : urn);
	AUTO(json_decref) json_t *items = NULL;
	size_t i;
	json_t *item;

	*seen = 0;
	if (!listing_of(&(struct listing_question){ spec->place, spec->record, provider, suspects },
			&items, err))
		return false;
	json_array_foreach(items, i, item) {
		bool is_known;

		if (!may_be(item, resource))
			continue;
		if (!is_accounted_for(spec->place, json_get_string(item, "id", ""), &is_known, err))
			return false;
		if (is_known)
			continue;
		++*seen;
		if (removes && !remove_it(spec, provider, item, urn, err))
			return false;
	}
	return true;
}

static bool resolve_create(const struct walk_spec *spec, const json_t *resource, struct error *err)
{
	const char *type = json_get_string(resource, "type", "");
	const char *urn = json_get_string(resource, "urn", "?");
	AUTO(free) char *provider = xstrndup(type, strcspn(type, ":"));
	size_t seen;

	if (!json_get_bool(resource, "custom", false) || strcmp(provider, "pulumi") == 0)
		return true;
	if (!layer_list_inventory(spec->place->list, provider)) {
		error_set_as(err, ERR_EXTERNAL, "pending_unknown",
			     "\"%.200s\" was being made when it was interrupted, and provider "
			     "\"%s\" has no inventory that could tell whether it exists",
			     urn, provider);
		return error_hint(err, "look, remove it by hand if it is there, then acknowledge");
	}
	if (!look_for(spec, provider, resource, true, &seen, err))
		return false;
	/* Removed is what a second look does not see. */
	return !seen || (look_for(spec, provider, resource, false, &seen, err) &&
			 (!seen || error_set_as(err, ERR_EXTERNAL, "pending_exists",
						"\"%.200s\" is still there", urn)));
}

/* ---- one layer ---- */

static bool resolve_creates(const struct walk_spec *spec, const struct pulumi_state *state,
			    struct error *err)
{
	size_t i;
	json_t *operation;

	json_array_foreach((json_t *)(uintptr_t)state->pending, i, operation) {
		const char *type = json_get_string(operation, "type", "");

		/* What was being changed or removed is in the state, so a refresh finds out. */
		if (strcmp(type, "updating") == 0 || strcmp(type, "deleting") == 0 ||
		    strcmp(type, "reading") == 0)
			continue;
		if (!resolve_create(spec, json_object_get(operation, "resource"), err))
			return false;
	}
	return true;
}

static bool break_lock(const struct walk_spec *spec, size_t layer, struct error *err)
{
	static const char *const words[] = { "cancel", "--yes", NULL };

	size_t count;

	return backend_locks(spec->place, layer, &count, err) &&
	       (!count || cli_run(&(struct cli_call){ spec->place, layer, words, NULL }, err));
}

static bool settle(const struct walk_spec *spec, size_t layer, const struct pulumi_state *state,
		   struct error *err)
{
	static const char *const words[] = {
		"refresh", "--yes", "--skip-preview", "--json", "--clear-pending-creates", NULL
	};

	return record_add_providers(spec->record, spec->place, layer, err) &&
	       state_keep(spec->place, layer, err) && break_lock(spec, layer, err) &&
	       resolve_creates(spec, state, err) && walk_one(spec, layer, words, err);
}

/* A stack that a killed `stack init` left behind is as good as any. */
static bool needs_it(const struct walk_spec *spec, size_t layer, const struct pulumi_state *state,
		     bool *needs, struct error *err)
{
	size_t locks = 0;

	*needs = false;
	if (!state->exists)
		return true;
	if (!state->pending_count && !backend_locks(spec->place, layer, &locks, err))
		return false;
	*needs = state->pending_count || locks;
	return true;
}

bool settle_layers(const struct walk_spec *spec, int64_t *found, struct error *err)
{
	const struct layer_list *list = spec->place->list;
	bool is_good = true;

	*found = 0;
	for (size_t i = 0; i < list->count; i++) {
		AUTO(state_release) struct pulumi_state state = { .exists = false };
		struct error why;
		bool needs;

		state_mend(spec->place, i);
		if (!state_read(spec->place, i, &state, &why) ||
		    !needs_it(spec, i, &state, &needs, &why)) {
			is_good = false;
			*err = why;
			error_wrap(err, "layer \"%s\"", list->layers[i].name);
			continue;
		}
		if (!needs)
			continue;
		++*found;
		worker_say_progress(spec->lines, "layer %s was interrupted: looking",
				    list->layers[i].name);
		if (settle(spec, i, &state, &why))
			continue;
		is_good = false;
		*err = why;
		error_wrap(err, "layer \"%s\"", list->layers[i].name);
	}
	return is_good;
}
