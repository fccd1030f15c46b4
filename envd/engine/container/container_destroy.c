#include "engine/container/container_destroy.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "compose/compose.h"
#include "engine/container/container_guard.h"
#include "engine/container/container_inventory.h"
#include "engine/container/container_names.h"

#define STOP_GRACE_S 1
#define STOP_GRACE_MAX_S (COMPOSE_STOP_GRACE_MAX_MS / 1000)
#define STOP_CALL_LIMIT_MS 30000
#define ROUNDS 3
#define ROUND_WAIT_MS 200
#define QUIET_MS 500
#define YOUNG_S 15
#define QUIET_LIMIT_MS 10000

struct removal {
	struct runtime runtime;
	struct worker_lines *lines;
	json_t *items; /* of the inventory */
	struct docker_call **calls;
	size_t removed;
	json_t *left;
};

/*
 * Who asked may be dead, and the runtime still at work on what was asked: what appears later than
 * we looked would be nobody's. So look until two inventories are the same.
 */
static bool wait_for_quiet(struct runtime *runtime, const struct engine_request *request,
			   json_t **items, struct error *err)
{
	int64_t until_mono_ms = clock_mono_ms() + QUIET_LIMIT_MS;
	bool is_same = false;

	if (!inventory_take(runtime, request->instance, &request->environment, items, err))
		return false;
	while (!is_same && clock_mono_ms() < until_mono_ms) {
		AUTO(json_decref) json_t *before = TAKE(*items);

		docker_turn(runtime->docker, QUIET_MS);
		if (!inventory_take(runtime, request->instance, &request->environment, items, err))
			return false;
		is_same = json_equal(before, *items);
	}
	return true;
}

/* What was made a moment ago, or not yet at all, may have been asked for by a create that was ended
 * in the middle. */
static bool may_be_growing(const json_t *items)
{
	int64_t now_s = clock_wall_ms() / 1000;
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
		if (json_get_int64(item, "created_at_s", 0) > now_s - YOUNG_S)
			return true;
	return json_array_size(items) == 0;
}

/* `*items` is set in any case, as inventory_take() does. */
static bool list_for_removal(struct runtime *runtime, const struct engine_request *request,
			     json_t **items, struct error *err)
{
	if (!inventory_take(runtime, request->instance, &request->environment, items, err))
		return false;
	if (!may_be_growing(*items))
		return true;
	json_decref(TAKE(*items));
	return wait_for_quiet(runtime, request, items, err);
}

static bool is_kind(const json_t *item, const char *kind)
{
	return strcmp(json_get_string(item, "kind", ""), kind) == 0;
}

static struct docker_call *removal_call(const struct removal *removal, const json_t *item)
{
	AUTO(free) char *id = docker_encode(json_get_string(item, "id", ""));

	if (is_kind(item, "container"))
		return docker_call_new("DELETE", "/containers/%s?force=1&v=1", id);
	if (is_kind(item, "volume"))
		return docker_call_new("DELETE", "/volumes/%s?force=1", id);
	/* Without force: Podman's would remove whatever is connected, ours or not. */
	return docker_call_new("DELETE",
			       removal->runtime.is_podman ? LIBPOD "/networks/%s" : "/networks/%s",
			       removal->runtime.is_podman ? json_get_string(item, "name", "") : id);
}

/* As long as the file says, or hardly at all: what is destroyed has nothing left to lose. */
static int64_t grace_s(const json_t *item)
{
	const char *text = json_get_string(json_object_get(item, "labels"), LABEL_STOP_GRACE, "");
	int64_t seconds;

	if (!text_to_int64(text, &seconds) || seconds < STOP_GRACE_S)
		return STOP_GRACE_S;
	return seconds < STOP_GRACE_MAX_S ? seconds : STOP_GRACE_MAX_S;
}

static struct docker_call *stop_call(const json_t *item)
{
	int64_t seconds = grace_s(item);
	struct docker_call *call = docker_call_new("POST", "/containers/%s/stop?t=%" PRId64,
						   json_get_string(item, "id", ""), seconds);

	call->time_limit_ms = STOP_CALL_LIMIT_MS + seconds * 1000;
	return call;
}

/* Asked first, all at once, so that who wants to can end in order. */
static void stop_containers(struct removal *removal)
{
	size_t count = json_array_size(removal->items), i;
	AUTO(free) struct docker_call **calls = xcalloc(count + 1, sizeof(*calls));
	const json_t *item;

	json_array_foreach(removal->items, i, item)
		if (is_kind(item, "container") &&
		    strcmp(json_get_string(item, "state", ""), "running") == 0)
			calls[i] = stop_call(item);
	docker_run_all(removal->runtime.docker, calls, count);
	/* Who did not stop is removed by force; how this went says nothing of that. */
	for (i = 0; i < count; i++)
		docker_call_free(calls[i]);
}

static bool is_gone(const struct docker_call *call)
{
	return docker_succeeded(call) || call->status == 404;
}

static void say_removed(const struct removal *removal, const json_t *item)
{
	const char *service = json_get_string(json_object_get(item, "labels"), LABEL_SERVICE, NULL);

	if (service)
		worker_say_layer(removal->lines, service, "removed", 0, NULL);
}

static bool remove_round(struct removal *removal, const char *kind)
{
	size_t count = json_array_size(removal->items), i;
	struct docker_call **again = xcalloc(count + 1, sizeof(struct docker_call *));
	bool is_done = true;
	const json_t *item;

	json_array_foreach(removal->items, i, item) {
		if (!is_kind(item, kind) || (removal->calls[i] && is_gone(removal->calls[i])))
			continue;
		docker_call_free(removal->calls[i]);
		again[i] = removal->calls[i] = removal_call(removal, item);
	}
	docker_run_all(removal->runtime.docker, again, count);
	json_array_foreach(removal->items, i, item) {
		if (again[i] && is_gone(again[i]))
			say_removed(removal, item);
		else if (again[i])
			is_done = false;
	}
	free(again);
	return is_done;
}

/* A removal under way elsewhere, or a network whose last container is just leaving, is over soon.
 */
static void remove_kind(struct removal *removal, const char *kind)
{
	for (int round = 0; round < ROUNDS && !remove_round(removal, kind); round++)
		docker_turn(removal->runtime.docker, ROUND_WAIT_MS);
}

static void count_left(struct removal *removal)
{
	const json_t *item;
	size_t i;

	json_array_foreach(removal->items, i, item) {
		struct error why;
		json_t *left;

		if (is_gone(removal->calls[i])) {
			removal->removed++;
			continue;
		}
		docker_refusal(removal->calls[i], &why);
		left = json_copy((json_t *)(uintptr_t)item);
		json_object_del(left, "labels");
		json_object_del(left, "state");
		json_object_set_new(left, "why", json_string(why.message));
		json_array_append_new(removal->left, left);
	}
}

static bool refuse_left(const struct removal *removal, struct error *err)
{
	const json_t *first = json_array_get(removal->left, 0);

	return error_set_as(err, ERR_EXTERNAL, "not_all_removed",
			    "%zu of %zu things could not be removed; first %s \"%s\": %s",
			    json_array_size(removal->left), json_array_size(removal->items),
			    json_get_string(first, "kind", ""), json_get_string(first, "name", ""),
			    json_get_string(first, "why", ""));
}

static void removal_release(struct removal *removal)
{
	for (size_t i = 0; i < json_array_size(removal->items); i++)
		docker_call_free(removal->calls[i]);
	free(removal->calls);
	json_decref(removal->items);
	json_decref(removal->left);
	runtime_release(&removal->runtime);
}

bool container_destroy(const struct engine_request *request, struct worker_lines *lines,
		       json_t **data, struct error *err)
{
	struct removal removal = { .lines = lines };
	bool is_complete, is_empty;

	if (!runtime_open(request, &removal.runtime, err))
		return false;
	/* An incomplete list is worked off too: less is left then. */
	is_complete = list_for_removal(&removal.runtime, request, &removal.items, err);
	removal.calls = xcalloc(json_array_size(removal.items) + 1, sizeof(*removal.calls));
	removal.left = json_array();
	stop_containers(&removal);
	remove_kind(&removal, "container");
	remove_kind(&removal, "network");
	remove_kind(&removal, "volume");
	count_left(&removal);
	is_empty = json_array_size(removal.left) == 0;
	*data =
	    json_pack("{s:I, s:b, s:i, s:O}", "removed", (json_int_t)removal.removed, "state_empty",
		      is_complete && is_empty, "pending", 0, "left", removal.left);
	if (is_complete && !is_empty)
		refuse_left(&removal, err);
	guard_drop(&removal.runtime, request);
	removal_release(&removal);
	return is_complete && is_empty;
}

/* Podman says "initialized" or "stopping" where Docker has no word. */
static bool never_started(const json_t *item)
{
	const char *state = json_get_string(item, "state", "");

	return is_kind(item, "container") && strcmp(state, "running") != 0 &&
	       strcmp(state, "exited") != 0 && strcmp(state, "paused") != 0 &&
	       strcmp(state, "restarting") != 0;
}

bool container_recover(const struct engine_request *request, struct worker_lines *lines,
		       json_t **data, struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(json_decref) json_t *items = NULL;
	const json_t *item;
	size_t i;

	if (!runtime_open(request, &runtime, err) ||
	    !wait_for_quiet(&runtime, request, &items, err))
		return false;
	json_array_foreach(items, i, item) {
		AUTO(docker_call_free) struct docker_call *call = NULL;

		if (!never_started(item))
			continue;
		call = docker_call_new("DELETE", "/containers/%s?force=1&v=1",
				       json_get_string(item, "id", ""));
		if (!docker_run(runtime.docker, call, err))
			return false;
		if (!is_gone(call))
			return docker_refusal(call, err);
		worker_say_log(lines, "info", "removed %s, which never started",
			       json_get_string(item, "name", ""));
	}
	*data = json_pack("{s:I}", "found", (json_int_t)json_array_size(items));
	return true;
}
