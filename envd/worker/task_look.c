/*
 * task_look.c - the tasks that look into an environment for people: resources, what was changed,
 * and what leads to its cluster.
 */
#include "worker/task.h"

static struct engine_page page_of(const struct request *request)
{
	const json_t *page = json_object_get(request->json, "page");

	return (struct engine_page){ .after = json_get_int64(page, "after", 0),
				     .limit = json_get_int64(page, "limit", 100),
				     .layer = json_get_string(page, "layer", NULL) };
}

/* What an inventory answers, as a list of one page. */
static bool list_inventory(const struct request *request, struct worker_lines *lines, json_t **data,
			   struct error *err)
{
	AUTO(json_decref) json_t *inventory = NULL;
	json_t *items, *item;
	size_t i;

	if (!request->engine->inventory(&request->engine_request,
					&request->engine_request.environment, lines, &inventory,
					err))
		return false;
	items = json_array();
	json_array_foreach(json_object_get(inventory, "items"), i, item)
		json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:n}", "type",
						       json_get_string(item, "kind", ""), "name",
						       json_get_string(item, "name", ""), "id",
						       json_get_string(item, "id", ""), "link"));
	*data = json_pack("{s:o, s:i}", "items", items, "next", 0);
	return true;
}

bool task_resources(const struct request *request, struct worker_lines *lines, json_t **data,
		    struct error *err)
{
	struct engine_page page = page_of(request);

	if (!request->engine->resources)
		return list_inventory(request, lines, data, err);
	return request->engine->resources(&request->engine_request, &page, lines, data, err);
}

bool task_updates(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err)
{
	struct engine_page page = page_of(request);

	(void)lines;
	if (!request->engine->updates)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "engine \"%s\" keeps no account of what it changed",
				    request->engine->name);
	return request->engine->updates(&request->engine_request, &page, data, err);
}
bool task_kubeconfig(const struct request *request, struct worker_lines *lines, json_t **data,
		     struct error *err)
{
	(void)lines;
	if (!request->engine->kubeconfig)
		return error_set_as(err, ERR_INVALID, "not_supported",
				    "environments of engine \"%s\" have no cluster",
				    request->engine->name);
	return request->engine->kubeconfig(&request->engine_request, data, err);
}
