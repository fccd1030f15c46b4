#include <stdint.h>
#include <string.h>

#include "base/files.h"
#include "worker/snapshot.h"
#include "worker/task.h"

static bool take_snapshot(const struct request *request, struct error *err)
{
	if (!request->source_folder)
		return error_set(err, ERR_INVALID,
				 "request: an environment cannot be created without "
				 "a template");
	return folder_make(request->engine_request.folder, 0700, err) &&
	       snapshot_make(&(struct snapshot_request){ .from = request->source_folder,
							 .to = request->snapshot_folder,
							 .digest = request->template_digest },
			     err);
}

static bool write_lock(const struct request *request, const json_t *lock, struct error *err)
{
	AUTO(free) char *path = path_join(request->engine_request.folder, REQUEST_LOCK);
	AUTO(free) char *text = json_to_text(lock);

	return file_write_atomically(path, text, strlen(text), 0600, err);
}

/* Which commit of which repository the template was, where it came from one. */
static void add_source(const struct request *request, const json_t *lock)
{
	json_t *source = json_object_get(json_object_get(request->json, "template"), "source");

	if (source && lock)
		json_object_set((json_t *)(uintptr_t)lock, "source", source);
}

/* What will be built, and in which order: into the history, where people look. */
static void say_layers(struct worker_lines *lines, const json_t *layers)
{
	size_t count = json_array_size(layers);
	AUTO(free) char *message = xasprintf("planned: %zu layer%s", count, count == 1 ? "" : "s");
	AUTO(json_decref)
	json_t *line =
	    json_pack("{s:s, s:s, s:O}", "type", "progress", "message", message, "layers", layers);

	if (count && line)
		worker_say(lines, line);
}

/* Resolved once, before anything is made: a later attempt builds the very same thing. */
static bool resolve(const struct request *request, struct engine_request *engine_request,
		    struct worker_lines *lines, json_t **lock, struct error *err)
{
	AUTO(json_decref) json_t *plan = NULL;

	if (engine_request->lock) {
		*lock = json_deep_copy(engine_request->lock);
		return true;
	}
	if (!request->engine->plan(engine_request, lines, &plan, err))
		return false;
	*lock = json_incref(json_object_get(plan, "lock"));
	if (!*lock)
		return error_set(err, ERR_INTERNAL, "engine \"%s\" made a plan without a lock",
				 request->engine->name);
	say_layers(lines, json_object_get(plan, "layers"));
	add_source(request, *lock);
	engine_request->lock = *lock;
	return write_lock(request, *lock, err);
}

bool task_create(const struct request *request, struct worker_lines *lines, json_t **data,
		 struct error *err)
{
	struct engine_request engine_request = request->engine_request;
	AUTO(json_decref) json_t *lock = NULL;
	const json_t *built;

	if (!take_snapshot(request, err))
		return false;
	engine_request.template_folder = request->snapshot_folder;
	if (!resolve(request, &engine_request, lines, &lock, err) ||
	    !request->engine->create(&engine_request, lines, data, err))
		return false;
	built = json_object_get(*data, "lock");
	add_source(request, built);
	return !built || json_equal(built, lock) || write_lock(request, built, err);
}
