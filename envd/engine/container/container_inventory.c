#include "engine/container/container_inventory.h"

#include <string.h>

#include "base/clock.h"
#include "engine/container/container_names.h"

#define LISTING_TRIES 4

static int64_t label_number(const json_t *labels, const char *label)
{
	int64_t number = 0;

	/* A label that is no number stays 0: the thing is still ours, and still listed. */
	if (!text_to_int64(json_get_string(labels, label, "0"), &number))
		return 0;
	return number;
}

static int64_t created_at_s(const json_t *created)
{
	struct error ignored; /* a time that cannot be read is not known: 0 */
	int64_t at_ms;

	if (json_is_integer(created))
		return json_integer_value(created);
	if (!json_is_string(created) || !clock_parse(json_string_value(created), &at_ms, &ignored))
		return 0;
	return at_ms / 1000;
}

static json_t *make_item(const char *kind, const char *id, const char *name, const json_t *labels,
			 const json_t *created)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:O}", "kind", kind, "id", id,
			 "name", name, "instance", json_get_string(labels, LABEL_INSTANCE, ""),
			 "environment", json_get_string(labels, LABEL_ENVIRONMENT, ""), "sequence",
			 (json_int_t)label_number(labels, LABEL_SEQUENCE), "hard_wall_s",
			 (json_int_t)label_number(labels, LABEL_HARD_WALL), "created_at_s",
			 (json_int_t)created_at_s(created), "labels", labels);
}

static json_t *container_item(const json_t *container)
{
	const json_t *names = json_object_get(container, "Names");
	const char *name = json_string_value(json_array_get(names, 0));
	json_t *item = make_item(
	    "container", json_get_string(container, "Id", ""), name ? name + strspn(name, "/") : "",
	    json_object_get(container, "Labels"), json_object_get(container, "Created"));

	json_object_set_new(item, "state", json_string(json_get_string(container, "State", "")));
	return item;
}

static json_t *docker_network_item(const json_t *network)
{
	return make_item("network", json_get_string(network, "Id", ""),
			 json_get_string(network, "Name", ""), json_object_get(network, "Labels"),
			 json_object_get(network, "Created"));
}

static json_t *podman_network_item(const json_t *network)
{
	return make_item("network", json_get_string(network, "id", ""),
			 json_get_string(network, "name", ""), json_object_get(network, "labels"),
			 json_object_get(network, "created"));
}

static json_t *volume_item(const json_t *volume)
{
	const char *name = json_get_string(volume, "Name", "");

	return make_item("volume", name, name, json_object_get(volume, "Labels"),
			 json_object_get(volume, "CreatedAt"));
}

struct listing {
	const char *path;
	const char *list;   /* key of the list in the answer; NULL: the answer is the list */
	const char *labels; /* key of the labels in a thing */
	json_t *(*item)(const json_t *thing);
};

/* Never Podman's imitation of GET /networks: it makes the service forget that a network is
 * isolated, for every container started on it afterwards. */
static const struct listing podman_listings[] = {
	{ "/containers/json?all=1&filters=%s", NULL, "Labels", container_item },
	{ LIBPOD "/networks/json?filters=%s", NULL, "labels", podman_network_item },
	{ "/volumes?filters=%s", "Volumes", "Labels", volume_item },
};
static const struct listing docker_listings[] = {
	{ "/containers/json?all=1&filters=%s", NULL, "Labels", container_item },
	{ "/networks?filters=%s", NULL, "Labels", docker_network_item },
	{ "/volumes?filters=%s", "Volumes", "Labels", volume_item },
};
#define LISTING_COUNT ARRAY_SIZE(podman_listings)

struct inventory {
	const char *instance;
	const struct env_id *environment;
	const struct listing *listings;
	struct docker_call *calls[LISTING_COUNT];
	json_t *items;
};

static bool take_listing(struct inventory *inventory, size_t which, struct error *err)
{
	const struct listing *listing = &inventory->listings[which];
	AUTO(json_decref) json_t *answer = NULL;
	const json_t *list, *thing;
	size_t i;

	if (!docker_json(inventory->calls[which], &answer, err))
		return false;
	list = listing->list ? json_object_get(answer, listing->list) : answer;
	if (!json_is_array(list) && !json_is_null(list))
		return error_set_as(err, ERR_EXTERNAL, "runtime_strange", "%s is not a list",
				    inventory->calls[which]->path);
	json_array_foreach(list, i, thing)
		if (container_labels_match(json_object_get(thing, listing->labels),
					   inventory->instance, inventory->environment))
			json_array_append_new(inventory->items, listing->item(thing));
	return true;
}

static void make_calls(struct inventory *inventory)
{
	AUTO(free)
	char *filter = container_label_filter(inventory->instance, inventory->environment);

	for (size_t i = 0; i < LISTING_COUNT; i++) {
		struct text path = TEXT_EMPTY;
		const char *mark = strstr(inventory->listings[i].path, "%s");

		text_add_bytes(&path, inventory->listings[i].path,
			       (size_t)(mark - inventory->listings[i].path));
		text_add(&path, filter);
		inventory->calls[i] = docker_call_new("GET", "%s", text_get(&path));
		text_release(&path);
	}
}

/* Podman's listings fail as a whole when something of anybody is being removed just then. */
static void run_calls(struct docker *docker, struct inventory *inventory)
{
	for (int try = 0; try < LISTING_TRIES; try++) {
		struct docker_call *again[LISTING_COUNT] = { NULL };
		size_t count = 0;

		for (size_t i = 0; i < LISTING_COUNT; i++)
			if (try == 0 || inventory->calls[i]->status >= 400)
				again[count++] = inventory->calls[i];
		docker_run_all(docker, again, count);
	}
}

bool inventory_take(struct runtime *runtime, const char *instance, const struct env_id *environment,
		    json_t **items, struct error *err)
{
	struct inventory inventory = {
		.instance = instance,
		.environment = environment,
		.listings = runtime->is_podman ? podman_listings : docker_listings,
		.items = json_array(),
	};
	bool is_complete = true;

	make_calls(&inventory);
	run_calls(runtime->docker, &inventory);
	for (size_t i = 0; i < LISTING_COUNT; i++) {
		if (!take_listing(&inventory, i, err))
			is_complete = false;
		docker_call_free(inventory.calls[i]);
	}
	*items = inventory.items;
	return is_complete;
}

const json_t *inventory_find(const json_t *items, const char *kind, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
		if (strcmp(json_get_string(item, "kind", ""), kind) == 0 &&
		    strcmp(json_get_string(item, "name", ""), name) == 0)
			return item;
	return NULL;
}

/* What only this engine needs does not leave it. */
static void strip_items(json_t *items)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item) {
		json_object_del(item, "labels");
		json_object_del(item, "state");
	}
}

bool container_inventory(const struct engine_request *request, const struct env_id *environment,
			 struct worker_lines *lines, json_t **data, struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(json_decref) json_t *items = NULL;
	struct error failure;
	bool is_complete;

	if (!runtime_open(request, &runtime, err))
		return false;
	is_complete = inventory_take(&runtime, request->instance, environment, &items, &failure);
	if (!is_complete)
		worker_say_log(lines, "warn", "the inventory is not complete: %s", failure.message);
	strip_items(items);
	*data = json_pack("{s:b, s:O}", "complete", is_complete, "items", items);
	return true;
}
