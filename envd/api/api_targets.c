#include "api/api_targets.h"

#include <string.h>

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_view.h"
#include "base/clock.h"
#include "http/http_response.h"
#include "store/store_targets.h"
#include "wire/environment_json.h"

enum { HOLDERS_SHOWN_MAX = 20 };

/* ---- who has it ---- */

json_t *api_target_holder(struct api *api, const char *target, const struct holder *holder)
{
	struct error ignored; /* then it is somebody else's, and what it is called is not told */
	bool is_known = permission_check(&api->caller, MAY_READ, holder->project, &ignored);

	return json_pack("{s:s, s:s?, s:s?, s:s, s:o, s:o}", "target", target, "environment",
			 is_known ? holder->name : NULL, "owner", is_known ? holder->owner : NULL,
			 "state", holder->state, "since", time_json(holder->claimed_at_ms), "until",
			 time_json(holder->until_ms));
}

static bool holders_json(struct api *api, const char *target, json_t **json, struct error *err)
{
	AUTO(holder_list_release) struct holder_list list = { NULL, 0 };

	if (!store_target_holders(api->control->store, target, HOLDERS_SHOWN_MAX, &list, err))
		return false;
	*json = json_array();
	for (size_t i = 0; i < list.count; i++)
		json_array_append_new(*json, api_target_holder(api, target, &list.items[i]));
	return true;
}

/* ---- list ---- */

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static void add_standing(json_t *json, const struct target *target, const struct target_row *row,
			 int64_t memory)
{
	int64_t now = clock_wall_ms();

	json_object_set_new(json, "environments", json_integer(row->holders));
	json_object_set_new(json, "environments_max", json_integer(target->environments_max));
	json_object_set_new(json, "memory_bytes", json_integer(memory));
	json_object_set_new(json, "memory_bytes_max",
			    target->memory_bytes_max ? json_integer(target->memory_bytes_max)
						     : json_null());
	json_object_set_new(json, "state",
			    json_string(target_state_name(row->condition, row->holders)));
	json_object_set_new(json, "since", time_json(row->since_ms));
	json_object_set_new(json, "why", text_or_null(row->why));
	json_object_set_new(json, "attempts", json_integer(row->attempts));
	json_object_set_new(json, "next_try_at", time_json(row->next_try_at_ms));
	json_object_set_new(json, "no_room_until",
			    time_json(row->no_room_until_ms > now ? row->no_room_until_ms : 0));
}

/* Where its socket, its kubeconfig and its credentials lie is the operator's business, not the
 * clients'. */
static bool target_json(struct api *api, const struct target *target, json_t **made,
			struct error *err)
{
	AUTO(json_decref) json_t *holders = NULL;
	struct target_use use = { 0 };
	struct target_row row;
	json_t *json;

	if (!store_target_read(api->control->store, target->name, &row, err) ||
	    !store_tally_target(api->control->store, target->name, &use, err) ||
	    !holders_json(api, target->name, &holders, err))
		return false;
	json = json_pack("{s:s, s:s, s:s, s:O}", "name", target->name, "engine", target->engine,
			 "publish_address", target->publish_address, "holders", holders);
	if (target->advertised)
		json_object_set_new(json, "advertised", json_string(target->advertised));
	json_object_set_new(json, "labels",
			    target->labels ? json_incref(target->labels) : json_object());
	json_object_set_new(json, "listed", json_boolean(target->is_listed));
	json_object_set_new(json, "cleans_itself",
			    json_boolean(target->is_listed && target->inventory));
	add_standing(json, target, &row, use.memory_bytes);
	*made = json;
	return true;
}

void api_list_targets(void *arg, struct http_request *request)
{
	AUTO(json_decref) json_t *items = json_array();
	struct api *api = arg;
	const struct settings *settings = api->control->settings;

	for (size_t i = 0; i < settings->target_count; i++) {
		struct error err;
		json_t *item;

		if (!target_json(api, &settings->targets[i], &item, &err)) {
			api_answer_error(request, &err);
			return;
		}
		json_array_append_new(items, item);
	}
	api_answer_page(request, TAKE(items), 0);
}

/* ---- mark ---- */

static bool find(const struct api_change *change, const struct target **target, struct error *err)
{
	const char *name = http_request_param(change->request, "target");

	*target = settings_target_named(change->api->control->settings, name);
	if (*target)
		return true;
	error_set_as(err, ERR_NOT_FOUND, "target_not_found", "there is no target \"%.60s\"", name);
	return error_hint(err, "envctl targets shows what there is");
}

static bool mark(struct store_tx *tx, const struct target *target, bool is_dirty, const char *why,
		 bool *done, struct error *err)
{
	struct target_row row;

	if (is_dirty)
		return store_target_soil(tx, target->name, why, clock_wall_ms(), done, err);
	if (!store_target_read(store_of(tx), target->name, &row, err))
		return false;
	/* What empties it would go on, and empty what is built there next. */
	if (row.condition == TARGET_CLEANING)
		return error_set_as(err, ERR_CONFLICT, "target_cleaning",
				    "target \"%s\" is being cleaned right now", target->name);
	return store_target_cleaned(tx, target->name, clock_wall_ms(), done, err);
}

static bool apply_mark(struct api_change *change, struct store_tx *tx, struct error *err)
{
	const char *state = json_get_string(change->body, "state", "");
	const char *why = json_get_string(change->body, "why", NULL);
	AUTO(free) char *reason = NULL;
	const struct target *target;
	bool done;

	if (!find(change, &target, err))
		return false;
	reason =
	    xasprintf("marked by %s%s%s", change->caller.name, why ? ": " : "", why ? why : "");
	if (!mark(tx, target, strcmp(state, "dirty") == 0, reason, &done, err))
		return false;
	change->subject = http_request_param(change->request, "target");
	change->was_there = !done;
	change->detail = json_pack("{s:s, s:s?}", "state", state, "why", why);
	turn_want_pass(change->api->control->turn);
	return true;
}

static void answer_mark(struct api_change *change)
{
	AUTO(json_decref) json_t *json = NULL;
	const struct target *target;
	struct error err;

	if (!find(change, &target, &err) || !target_json(change->api, target, &json, &err))
		api_answer_error(change->request, &err);
	else
		http_answer_json(change->request, 200, json);
}

static bool read_mark(struct api_change *change, struct error *err)
{
	static const char *const known[] = { "state", "why", NULL };
	const char *state, *why;

	if (!http_request_json(change->request, &change->body, err) ||
	    !json_only_keys(change->body, known, err) ||
	    !json_read_string(change->body, "state", &state, err))
		return false;
	if (strcmp(state, "dirty") != 0 && strcmp(state, "clean") != 0)
		return error_set(err, ERR_INVALID,
				 "\"state\" must be \"dirty\" or \"clean\" (got \"%.20s\")", state);
	if (!json_has(change->body, "why"))
		return true;
	return json_read_string(change->body, "why", &why, err) &&
	       (strlen(why) <= 200 ||
		error_set(err, ERR_INVALID, "\"why\" must be at most 200 bytes"));
}

void api_mark_target(void *api, struct http_request *request)
{
	AUTO(api_change_free) struct api_change *change = api_change_new(api, request, "target");
	struct error err;

	change->apply = apply_mark;
	change->answer = answer_mark;
	if (!read_mark(change, &err))
		api_answer_error(request, &err);
	else
		api_change_submit(TAKE(change));
}
