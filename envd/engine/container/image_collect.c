#include "engine/container/image_collect.h"

#include <string.h>

#include "engine/container/container_runtime.h"
#include "engine/container/image_marks.h"

/* One image of ours that no container uses. */
struct unused {
	const json_t *image; /* the runtime's listing of it */
	const char *id;
	int64_t bytes;
	int64_t since_ms;
};

struct collection {
	const struct engine_request *request;
	const json_t *wish;
	struct runtime runtime;
	json_t *images;
	json_t *containers;
	struct unused *items; /* oldest first */
	size_t count;
	int64_t now_ms;
};

static bool is_ours(const struct collection *collection, const json_t *image)
{
	const json_t *tag;
	size_t i;

	json_array_foreach(json_object_get(image, "RepoTags"), i, tag) {
		AUTO(free) char *pulled = NULL;

		if (json_is_string(tag) &&
		    image_mark_read(collection->request->instance, json_string_value(tag), &pulled))
			return true;
	}
	return false;
}

static bool is_used(const struct collection *collection, const char *id)
{
	const json_t *container;
	size_t i;

	json_array_foreach(collection->containers, i, container)
		if (strcmp(runtime_image_id(json_get_string(container, "ImageID", "")),
			   runtime_image_id(id)) == 0)
			return true;
	return false;
}

static int by_age(const void *a, const void *b)
{
	const struct unused *first = a, *second = b;

	return first->since_ms < second->since_ms ? -1 : first->since_ms > second->since_ms;
}

static bool look(struct collection *collection, struct error *err)
{
	const json_t *before = json_object_get(collection->wish, "unused");
	const json_t *image;
	size_t i;

	if (!docker_get(collection->runtime.docker, &collection->images, err, "/images/json") ||
	    !docker_get(collection->runtime.docker, &collection->containers, err,
			"/containers/json?all=1"))
		return false;
	collection->items =
	    xcalloc(json_array_size(collection->images) + 1, sizeof(*collection->items));
	json_array_foreach(collection->images, i, image) {
		const char *id = json_get_string(image, "Id", "");

		if (!is_ours(collection, image) || is_used(collection, id))
			continue;
		collection->items[collection->count++] = (struct unused){
			.image = image,
			.id = id,
			.bytes = json_get_int64(image, "Size", 0),
			.since_ms = json_get_int64(before, id, collection->now_ms),
		};
	}
	qsort(collection->items, collection->count, sizeof(*collection->items), by_age);
	return true;
}

static bool remove_name(struct collection *collection, const char *name, struct error *err)
{
	AUTO(docker_call_free)
	struct docker_call *call = docker_call_new("DELETE", "/images/%s", name);

	/* 409, and 500 on Podman: somebody uses it by now, so it stays. */
	return docker_run(collection->runtime.docker, call, err) &&
	       (docker_succeeded(call) || call->status == 404 ||
		(docker_refusal(call, err) && false));
}

/* Our names of it, and those that our pulls made. */
static bool remove_image(struct collection *collection, const struct unused *item,
			 struct error *err)
{
	const json_t *tag;
	size_t i;

	json_array_foreach(json_object_get(item->image, "RepoTags"), i, tag) {
		const char *name = json_string_value(tag);
		AUTO(free) char *pulled = NULL;

		if (!name || !image_mark_read(collection->request->instance, name, &pulled))
			continue;
		if ((pulled && !remove_name(collection, pulled, err)) ||
		    !remove_name(collection, name, err))
			return false;
	}
	return true;
}

static bool is_due(const struct collection *collection, const struct unused *item, int64_t bytes)
{
	int64_t unused_ms = collection->now_ms - item->since_ms;

	if (unused_ms >= json_get_int64(collection->wish, "keep_ms", INT64_MAX))
		return unused_ms > 0;
	return bytes > json_get_int64(collection->wish, "keep_bytes", INT64_MAX) &&
	       unused_ms >= IMAGE_UNUSED_MIN_MS;
}

static const char *shown_name(const struct unused *item)
{
	const char *name =
	    json_string_value(json_array_get(json_object_get(item->image, "RepoTags"), 0));

	return name ? name : item->id;
}

static json_t *collect(struct collection *collection, struct worker_lines *lines)
{
	bool is_dry = json_get_bool(collection->wish, "dry_run", false);
	json_t *unused = json_object(), *removed = json_array();
	int64_t bytes = 0;

	for (size_t i = 0; i < collection->count; i++)
		bytes += collection->items[i].bytes;
	for (size_t i = 0; i < collection->count; i++) {
		const struct unused *item = &collection->items[i];
		struct error err;

		if (is_due(collection, item, bytes) &&
		    (is_dry || remove_image(collection, item, &err))) {
			bytes -= item->bytes;
			json_array_append_new(removed,
					      json_pack("{s:s, s:I}", "image", shown_name(item),
							"bytes", (json_int_t)item->bytes));
			continue;
		}
		if (is_due(collection, item, bytes))
			worker_say_log(lines, "info", "image %s stays: %s", shown_name(item),
				       err.message);
		json_object_set_new(unused, item->id, json_integer(item->since_ms));
	}
	return json_pack("{s:o, s:o}", "unused", unused, "removed", removed);
}

bool container_images(const struct engine_request *request, struct worker_lines *lines,
		      json_t **data, struct error *err)
{
	struct collection collection = { .request = request,
					 .wish = json_object_get(request->whole, "images") };
	bool is_good;

	collection.now_ms = json_get_int64(collection.wish, "now_ms", 0);
	if (!runtime_open(request, &collection.runtime, err))
		return false;
	is_good = look(&collection, err);
	if (is_good)
		*data = collect(&collection, lines);
	json_decref(collection.images);
	json_decref(collection.containers);
	free(collection.items);
	runtime_release(&collection.runtime);
	return is_good;
}
