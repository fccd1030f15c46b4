#include "api/api_plan.h"

#include <string.h>

#include "model/cost.h"
#include "model/pins.h"
#include "model/quote.h"
#include "settings/settings.h"
#include "store/store_environments.h"
#include "store/store_tally.h"
#include "wire/quote_json.h"

/* The high end, as what is counted. */
static json_t *price(const struct environment *env)
{
	int64_t per_hour = env->price_microcents_per_hour;

	return json_pack("{s:s, s:f, s:f}", "currency", env->currency, "per_hour",
			 cost_to_units(per_hour), "for_the_lease",
			 cost_to_units(cost_for(per_hour, env->lease_ms)));
}

/* An amount an hour was not kept on paper: it is all there is to say. */
static bool quote_of(struct api *api, const struct environment *env, json_t **quote,
		     struct error *err)
{
	const struct quote flat = { .currency = env->currency,
				    .low_microcents_per_hour = env->price_low_microcents_per_hour,
				    .high_microcents_per_hour = env->price_microcents_per_hour };
	const struct quote_time time = { env->lease_ms, env->provision_limit_ms };

	if (!store_environment_quote(api->control->store, env->id, quote, err))
		return false;
	if (!*quote)
		*quote = quote_json(&flat, &time, NULL);
	return true;
}

static json_t *target(const struct api *api, const struct environment *env)
{
	const struct target *found = settings_target_named(api->control->settings, env->target);

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
	AUTO(json_decref) json_t *versions = NULL, *quote = NULL;
	int64_t open;

	if (!store_environment_read(api->control->store, id, &env, err) ||
	    !quote_of(api, env, &quote, err) || !versions_of(api, request, env, &versions, err) ||
	    !store_tally_open(api->control->store, &open, err))
		return false;
	*plan = json_pack(
	    "{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:O?, s:O, s:O?, s:I, s:o, s:O, s:o, s:{s:I, "
	    "s:I}, "
	    "s:o}",
	    "apiVersion", "envd/v1", "kind", "Plan", "would", is_replay ? "nothing" : "create",
	    "exists", is_replay ? id.text : NULL, "name", is_replay ? env->name : request->name,
	    "template", env->template_name, "template_digest", env->template_digest, "pins",
	    env->pins, "versions", versions, "parameters", env->parameters, "lease_seconds",
	    (json_int_t)(env->lease_ms / 1000), "price", price(env), "quote", quote, "target",
	    target(api, env), "quota", "environments_then", (json_int_t)open, "environments_max",
	    (json_int_t)api->control->settings->open_max, "not_checked", not_checked());
	return *plan || error_set(err, ERR_INTERNAL, "a plan could not be written");
}
