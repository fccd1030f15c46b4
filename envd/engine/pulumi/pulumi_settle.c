#include "engine/pulumi/pulumi_settle.h"

#include <poll.h>
#include <string.h>

#include "base/text.h"
#include "engine/pulumi/pulumi_adopt.h"
#include "engine/pulumi/pulumi_backend.h"
#include "engine/pulumi/pulumi_cli.h"
#include "engine/pulumi/pulumi_listing.h"
#include "engine/pulumi/pulumi_state.h"
#include "engine/pulumi/pulumi_updates.h"
#include "engine/pulumi/tool_set.h"

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

/* ---- one interrupted create, where an adapter of ours tells ---- */

/* What is looked for, and where what was found is noted: {URN: id}. */
struct search {
	const struct walk_spec *spec;
	const struct layer_inventory *inventory;
	const json_t *resource;
	bool is_only_one; /* of its type that is under way in its stack */
	json_t *adopted;
};

/* A cloud knows no URNs: by name, or as the only thing of its type that is ours and in no book.
 * What a dynamic provider makes may be of any type. */
static bool may_be_in_cloud(const struct search *search, const json_t *item)
{
	const char *wanted = json_get_string(search->resource, "type", "");
	const char *type = json_get_string(item, "type", "");
	bool is_same_type = strcmp(type, wanted) == 0;
	bool is_same_provider = *type && strncmp(type, wanted, strcspn(type, ":") + 1) == 0;

	if (is_same_provider && !is_same_type)
		return false;
	return may_be(item, search->resource) ||
	       (is_same_type && search->is_only_one && json_get_bool(item, "is_certain", false));
}

static bool find_in_cloud(const struct search *search, json_t **found, struct error *err)
{
	const char *urn = json_get_string(search->resource, "urn", "?"), *own = strrchr(urn, ':');
	AUTO(json_decref) json_t *suspects = json_pack("[s]", own ? own + 1 : urn);
	AUTO(json_decref) json_t *items = NULL;
	AUTO(json_decref) json_t *candidates = json_array();
	size_t i;
	json_t *item;

	if (!listing_of(&(struct listing_question){ search->spec->place, search->spec->record,
						    search->inventory->provider, suspects },
			&items, err))
		return false;
	json_array_foreach(items, i, item) {
		bool is_known;

		if (!may_be_in_cloud(search, item))
			continue;
		if (!is_accounted_for(search->spec->place, json_get_string(item, "id", ""),
				      &is_known, err))
			return false;
		if (!is_known)
			json_array_append(candidates, item);
	}
	*found = TAKE(candidates);
	return true;
}

static bool wait_for_cloud(const struct search *search, struct error *err)
{
	for (int64_t slept_ms = 0; slept_ms < search->inventory->settle_ms; slept_ms += 500) {
		if (!tools_may_start(err))
			return false;
		poll(NULL, 0, 500);
	}
	return true;
}

static bool take_candidate(const struct search *search, const json_t *candidates, struct error *err)
{
	const char *urn = json_get_string(search->resource, "urn", "?");
	const json_t *item = json_array_get(candidates, 0);

	if (json_array_size(candidates) == 1 && json_get_bool(item, "is_certain", false)) {
		json_object_set(search->adopted, urn, json_object_get(item, "id"));
		worker_say_progress(search->spec->lines,
				    "%s %s was made by an interrupted run: taken into the state",
				    json_get_string(item, "kind", "thing"),
				    json_get_string(item, "id", ""));
		return true;
	}
	error_set_as(err, ERR_EXTERNAL, "pending_exists",
		     "\"%.150s\" was being made when it was interrupted, and %zu things may be it "
		     "(%s \"%.80s\" is one)",
		     urn, json_array_size(candidates), json_get_string(item, "kind", "thing"),
		     json_get_string(item, "id", ""));
	return error_hint(err, "remove what is nobody's by hand");
}

/* Gone is what two looks do not see: a cloud may tell late of what is there. */
static bool resolve_in_cloud(const struct search *search, struct error *err)
{
	for (int look = 0; look < 2; look++) {
		AUTO(json_decref) json_t *candidates = NULL;

		if ((look && !wait_for_cloud(search, err)) ||
		    !find_in_cloud(search, &candidates, err))
			return false;
		if (json_array_size(candidates))
			return take_candidate(search, candidates, err);
	}
	return true;
}

/* ---- one interrupted create, where commands of the template tell ---- */

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
	const char *urn = json_get_string(resource, "urn", "?");
	AUTO(json_decref) json_t *items = NULL;
	size_t i;
	json_t *item;

	*seen = 0;
	if (!listing_of(&(struct listing_question){ spec->place, spec->record, provider, NULL },
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

static bool is_create(const json_t *operation)
{
	const char *type = json_get_string(operation, "type", "");

	/* What was being changed or removed is in the state, so a refresh finds out. */
	return strcmp(type, "updating") != 0 && strcmp(type, "deleting") != 0 &&
	       strcmp(type, "reading") != 0;
}

static bool is_only_one(const struct pulumi_state *state, const char *type)
{
	size_t i, count = 0;
	json_t *operation;

	json_array_foreach((json_t *)(uintptr_t)state->pending, i, operation)
		count += is_create(operation) &&
			 strcmp(json_get_string(json_object_get(operation, "resource"), "type", ""),
				type) == 0;
	return count == 1;
}

static bool resolve_create(const struct walk_spec *spec, const struct pulumi_state *state,
			   const json_t *resource, json_t *adopted, struct error *err)
{
	const char *type = json_get_string(resource, "type", "");
	const char *urn = json_get_string(resource, "urn", "?");
	AUTO(free) char *provider = xstrndup(type, strcspn(type, ":"));
	const struct layer_inventory *inventory = layer_list_inventory(spec->place->list, provider);
	size_t seen;

	if (!json_get_bool(resource, "custom", false) || strcmp(provider, "pulumi") == 0)
		return true;
	if (inventory && inventory->adapter)
		return resolve_in_cloud(&(struct search){ spec, inventory, resource,
							  is_only_one(state, type), adopted },
					err);
	if (!inventory) {
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
			    json_t *adopted, struct error *err)
{
	size_t i;
	json_t *operation;

	json_array_foreach((json_t *)(uintptr_t)state->pending, i, operation)
		if (is_create(operation) &&
		    !resolve_create(spec, state, json_object_get(operation, "resource"), adopted,
				    err))
			return false;
	return true;
}

static bool adopt_found(const struct walk_spec *spec, size_t layer, const json_t *adopted,
			struct error *err)
{
	return !json_object_size(adopted) || adopt(spec->place, layer, adopted, err);
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

	AUTO(json_decref) json_t *adopted = json_object();

	return record_add_providers(spec->record, spec->place, layer, err) &&
	       state_keep(spec->place, layer, err) && break_lock(spec, layer, err) &&
	       resolve_creates(spec, state, adopted, err) &&
	       adopt_found(spec, layer, adopted, err) && walk_one(spec, layer, words, err);
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
	updates_settle(spec->place);
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
