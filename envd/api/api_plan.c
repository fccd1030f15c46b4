#include "api/api_plan.h"

#include <string.h>

#include "api/api_view.h"
#include "model/pins.h"
#include "settings/settings.h"
#include "store/store_environments.h"
#include "store/store_tally.h"

static json_t *price(const json_t *view, int64_t lease_ms)
{
	const json_t *cost = json_object_get(view, "cost");
	double per_hour = json_get_number(cost, "per_hour", 0);

	return json_pack("{s:s, s:f, s:f}", "currency", json_get_string(cost, "currency", ""),
			 "per_hour", per_hour, "for_the_lease",
			 per_hour * (double)lease_ms / 3600000.0);
}

static json_t *target(const struct api *api, const struct environment *env)
{
	const struct target *found = settings_target_for(api->control->settings, env->engine);

	return json_pack("{s:s, s:s, s:I}", "name", env->target, "engine", env->engine,
			 "environments_max", (json_int_t)(found ? found->environments_max : 0));
}

static json_t *not_checked(void)
{
	return json_pack("[s, s, s]", "that images and sources exist, and their digests",
			 "that the engine accepts the template's own files",
			 "that the target has room right now: without, it waits in the queue");
}

static bool find_template(struct api *api, const struct create_request *request,
			  struct template_entry *entry, struct error *err)
{
	struct template_registry *templates = api->control->templates;

	if (request->checkout)
		return template_registry_find_in(templates, request->checkout,
						 request->template_name, entry, err);
	return template_registry_find(templates, request->template_name, entry, err);
}

static bool versions_of(struct api *api, const struct create_request *request,
			const struct environment *env, json_t **versions, struct error *err)
{
	struct template_entry entry;

	/* It is there already, and for that its source is not asked again. */
	if (env->source && !request->checkout) {
		*versions = env->pins ? json_copy(env->pins) : json_object();
		return true;
	}
	return find_template(api, request, &entry, err) &&
	       pins_resolve(entry.template, env->pins, versions, err);
}

bool api_plan(struct api *api, const struct create_request *request, struct env_id id,
	      bool is_replay, json_t **plan, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(json_decref) json_t *view = NULL, *versions = NULL;
	int64_t open;

	if (!store_environment_read(api->control->store, id, &env, err) ||
	    !api_view_environment(api, env, &view, err) ||
	    !versions_of(api, request, env, &versions, err) ||
	    !store_tally_open(api->control->store, &open, err))
		return false;
	*plan = json_pack(
	    "{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:O?, s:O, s:O?, s:I, s:o, s:o, s:{s:I, s:I}, "
	    "s:o}",
	    "apiVersion", "envd/v1", "kind", "Plan", "would", is_replay ? "nothing" : "create",
	    "exists", is_replay ? id.text : NULL, "name", is_replay ? env->name : request->name,
	    "template", env->template_name, "template_digest", env->template_digest, "pins",
	    env->pins, "versions", versions, "parameters", env->parameters, "lease_seconds",
	    (json_int_t)(env->lease_ms / 1000), "price", price(view, env->lease_ms), "target",
	    target(api, env), "quota", "environments_then", (json_int_t)open, "environments_max",
	    (json_int_t)api->control->settings->open_max, "not_checked", not_checked());
	return *plan || error_set(err, ERR_INTERNAL, "a plan could not be written");
}
