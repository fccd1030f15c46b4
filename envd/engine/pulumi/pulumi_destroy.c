#include "engine/pulumi/pulumi_destroy.h"

#include <unistd.h>

#include "base/files.h"
#include "engine/pulumi/pulumi_build.h"
#include "engine/pulumi/pulumi_cli.h"
#include "engine/pulumi/pulumi_cloud.h"
#include "engine/pulumi/pulumi_listing.h"
#include "engine/pulumi/pulumi_settle.h"
#include "engine/pulumi/pulumi_state.h"
#include "engine/pulumi/pulumi_survivors.h"

/* ---- what is left in the books ---- */

struct left_over {
	json_t *items;
	int64_t pending;
	bool is_empty;
};

static bool look_what_is_left(const struct pulumi_place *place, struct left_over *left,
			      struct error *err)
{
	*left = (struct left_over){ .items = json_array(), .is_empty = true };
	for (size_t i = 0; i < place->list->count; i++) {
		AUTO(state_release) struct pulumi_state state = { .exists = false };

		if (!state_read(place, i, &state, err)) {
			json_decref(left->items);
			return false;
		}
		left->pending += (int64_t)state.pending_count;
		left->is_empty = left->is_empty && !state_has_anything(&state);
		state_add_left(&state, place->list->layers[i].name, left->items);
	}
	return true;
}

/* ---- the stacks themselves ---- */

/* Those that are there, each with its books empty. */
static bool remove_each(const struct pulumi_place *place, struct error *err)
{
	/* Projects may share one file of configuration. */
	static const char *const words[] = { "stack", "rm", "--yes", "--preserve-config", NULL };
	AUTO(free) struct cli_call *calls = xcalloc(place->list->count, sizeof(*calls));
	size_t count = 0;

	for (size_t i = 0; i < place->list->count; i++) {
		AUTO(state_release) struct pulumi_state state = { .exists = false };

		if (!state_read(place, i, &state, err))
			return error_wrap(err, "layer \"%s\"", place->list->layers[i].name);
		if (state.exists)
			calls[count++] = (struct cli_call){ place, i, words, NULL };
	}
	return cli_run_all(calls, count, err);
}

/* With them goes what opens their states, the token that the CLI wrote down, and every value that
 * was in the states: programs put secrets there in clear, too. What there was stays. */
static bool remove_stacks(const struct pulumi_place *place, struct error *err)
{
	static const char *const goes[] = { "passphrase", "plugins-home/credentials.json",
					    "backend/.pulumi/history", "backend/.pulumi/backups" };

	if (!remove_each(place, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(goes); i++) {
		AUTO(free) char *path = place_path(place, goes[i]);

		if (!folder_remove(path, err))
			return false;
	}
	for (size_t i = 0; i < place->list->count; i++)
		if (!state_strike_values(place, i, err))
			return false;
	return true;
}

static bool is_proved_empty(const struct pulumi_place *place, struct pulumi_record *record)
{
	AUTO(json_decref) json_t *inventory = listing_inventory(place, record);

	return json_get_bool(inventory, "complete", false) &&
	       json_array_size(json_object_get(inventory, "items")) == 0;
}

/* ---- the verb ---- */

static bool finish(const struct walk_spec *spec, int64_t removed, json_t **data, struct error *err)
{
	struct left_over left;

	if (!look_what_is_left(spec->place, &left, err))
		return false;
	*data = json_pack("{s:I, s:b, s:I, s:o}", "removed", (json_int_t)removed, "state_empty",
			  left.is_empty, "pending", (json_int_t)left.pending, "left", left.items);
	return !left.is_empty || left.pending || !is_proved_empty(spec->place, spec->record) ||
	       remove_stacks(spec->place, err);
}

static bool take_down(const struct walk_spec *spec, json_t **data, struct error *err)
{
	int64_t found, removed = 0;
	struct error unsettled = { .code = ERR_NONE }, ignored;

	/* What could not be settled stays; what can be removed is removed all the same. */
	if (!settle_layers(spec, &found, &unsettled))
		worker_say_log(spec->lines, "warn", "%s", unsettled.message);
	cloud_look_before(spec->place, spec->record);
	if (!walk_layers(spec, &removed, err)) {
		(void)!finish(spec, removed, data, &ignored); /* the first failure is the one */
		if (unsettled.code != ERR_NONE)
			*err = unsettled; /* what followed is what comes of it */
		return false;
	}
	if (!finish(spec, removed, data, err))
		return false;
	if (unsettled.code == ERR_NONE)
		return true;
	*err = unsettled;
	return false;
}

bool pulumi_destroy(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		    struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };
	AUTO(record_release) struct pulumi_record record = { NULL, NULL };
	bool is_there;

	if (!request->folder)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "without its folder, what Pulumi made cannot be removed");
	if (!survivors_end(request, err) || !place_reopen(request, lines, &place, &is_there, err))
		return false;
	if (!is_there) {
		*data = json_pack("{s:i, s:b, s:i, s:[]}", "removed", 0, "state_empty", 1,
				  "pending", 0, "left");
		return true;
	}
	return record_open(&place, &record, err) &&
	       take_down(&(struct walk_spec){ &place, &record, lines, true }, data, err);
}
