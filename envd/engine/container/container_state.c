#include "engine/container/container_state.h"

#include <string.h>

#include "engine/container/container_inventory.h"

enum { LOOK_LIMIT_MS = 5000 };

/* Which question about which kind of thing, and where its answers go. */
static const struct {
	const char *kind, *section, *before_id, *after_id;
} looks[] = {
	{ "container", "containers", "/containers/", "/json" },
	{ "container", "processes", "/containers/", "/top" },
	{ "network", "networks", "/networks/", "" },
	{ "volume", "volumes", "/volumes/", "" },
};

static json_t *answer_of(const struct docker_call *call)
{
	struct error err;
	json_t *json;

	if (docker_json(call, &json, &err))
		return json;
	return json_pack("{s:s}", "error", err.message);
}

static struct docker_call *call_about(size_t look, const json_t *item)
{
	/* A volume has no id but its name. */
	const char *id = json_get_string(item, "id", json_get_string(item, "name", ""));
	struct docker_call *call =
	    docker_call_new("GET", "%s%s%s", looks[look].before_id, id, looks[look].after_id);

	call->time_limit_ms = LOOK_LIMIT_MS;
	return call;
}

static json_t *look_at(struct runtime *runtime, const json_t *items, size_t look)
{
	size_t all = json_array_size(items), i;
	AUTO(free) struct docker_call **calls = xcalloc(all + 1, sizeof(*calls));
	json_t *section = json_object();
	const json_t *item;

	json_array_foreach(items, i, item)
		if (strcmp(json_get_string(item, "kind", ""), looks[look].kind) == 0)
			calls[i] = call_about(look, item);
	docker_run_all(runtime->docker, calls, all);
	json_array_foreach(items, i, item)
		if (calls[i])
			json_object_set_new(section, json_get_string(item, "name", "?"),
					    answer_of(calls[i]));
	for (i = 0; i < all; i++)
		docker_call_free(calls[i]);
	return section;
}

bool container_state(const struct engine_request *request, struct worker_lines *lines,
		     json_t **data, struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(json_decref) json_t *items = NULL;
	struct error listing;

	(void)lines;
	if (!runtime_open(request, &runtime, err))
		return false;
	*data =
	    json_pack("{s:s, s:s}", "runtime", runtime_name(&runtime), "version", runtime.version);
	if (!inventory_take(&runtime, request->instance, &request->environment, &items, &listing))
		json_object_set_new(*data, "error", json_string(listing.message));
	json_object_set(*data, "items", items ? items : json_null());
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		json_object_set_new(*data, looks[i].section, look_at(&runtime, items, i));
	return true;
}
