#include "api/api_targets.h"

#include "api/api_errors.h"
#include "api/api_view.h"

/* Where its socket lies is the operator's business, not the clients'. */
static json_t *target_json(const struct target *target, int64_t live, int64_t memory)
{
	json_t *json = json_object();

	json_object_set_new(json, "name", json_string(target->name));
	json_object_set_new(json, "engine", json_string(target->engine));
	json_object_set_new(json, "publish_address", json_string(target->publish_address));
	if (target->advertised)
		json_object_set_new(json, "advertised", json_string(target->advertised));
	json_object_set_new(json, "environments", json_integer(live));
	json_object_set_new(json, "memory_bytes", json_integer(memory));
	json_object_set_new(json, "memory_bytes_max",
			    target->memory_bytes_max ? json_integer(target->memory_bytes_max)
						     : json_null());
	json_object_set_new(json, "environments_max", json_integer(target->environments_max));
	return json;
}

void api_list_targets(void *arg, struct http_request *request)
{
	AUTO(json_decref) json_t *items = json_array();
	struct api *api = arg;
	const struct settings *settings = api->control->settings;

	for (size_t i = 0; i < settings->target_count; i++) {
		const struct target *target = &settings->targets[i];
		struct error err;
		struct target_use use;

		if (!store_tally_target(api->control->store, target->name, &use, &err)) {
			api_answer_error(request, &err);
			return;
		}
		json_array_append_new(items,
				      target_json(target, use.environments, use.memory_bytes));
	}
	api_answer_page(request, TAKE(items), 0);
}
