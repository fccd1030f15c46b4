#include <poll.h>

#include "base/clock.h"
#include "worker/task.h"

/* A listing that failed is one that is not complete; the destroy itself has happened all the same.
 */
static json_t *take_inventory(const struct request *request, struct worker_lines *lines)
{
	const struct engine_request *engine_request = &request->engine_request;
	int64_t at_ms = clock_wall_ms();
	json_t *data = NULL;
	struct error failure;

	if (!request->engine->inventory(engine_request, &engine_request->environment, lines, &data,
					&failure)) {
		json_decref(data);
		data = json_pack("{s:b, s:[], s:o}", "complete", 0, "items", "error",
				 error_to_json(&failure));
		worker_say_log(lines, "warn", "inventory: %s", failure.message);
	}
	json_object_set_new(data, "at_ms", json_integer(at_ms));
	return data;
}

/* A cloud needs longer than the engine does. A first one that proves nothing needs no wait. */
static int settle_ms(const struct request *request, const json_t *first)
{
	int64_t own_ms = json_get_int64(first, "settle_ms", 0);
	bool is_proof = json_get_bool(first, "complete", false) &&
			json_array_size(json_object_get(first, "items")) == 0;

	return (int)(is_proof && own_ms > request->engine->settle_ms ? own_ms
								     : request->engine->settle_ms);
}

bool task_destroy(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err)
{
	json_t *inventories;

	if (!request->engine->destroy(&request->engine_request, lines, data, err))
		return false;
	if (!*data)
		*data = json_object();
	inventories = json_array();
	json_array_append_new(inventories, take_inventory(request, lines));
	/* What was still on its way when the first was taken has to show in the second. */
	poll(NULL, 0, settle_ms(request, json_array_get(inventories, 0)));
	json_array_append_new(inventories, take_inventory(request, lines));
	json_object_set_new(*data, "inventories", inventories);
	return true;
}
