#include "engine/pulumi/pulumi_listing.h"

#include <string.h>

#include "engine/pulumi/pulumi_cli.h"
#include "engine/pulumi/pulumi_cloud.h"

static bool check_items(const json_t *items, const char *provider, struct error *err)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		const char *text;

		if (!json_read_string(item, "kind", &text, err) ||
		    !json_read_string(item, "id", &text, err))
			return error_set_as(err, ERR_EXTERNAL, "inventory_invalid",
					    "item %zu of the inventory of \"%s\" has no \"kind\" "
					    "and \"id\"",
					    i, provider);
	}
	return true;
}

bool listing_of(const struct listing_question *question, json_t **items, struct error *err)
{
	const struct pulumi_place *place = question->place;
	const char *provider = question->provider;
	const struct layer_inventory *inventory = layer_list_inventory(place->list, provider);
	AUTO(free) char *output = NULL;
	AUTO(json_decref) json_t *read = NULL;
	json_error_t wrong;

	if (!inventory)
		return error_set_as(err, ERR_EXTERNAL, "inventory_unknown",
				    "provider \"%s\" has no inventory, so nobody can tell whether "
				    "something of it is left",
				    provider);
	if (inventory->adapter)
		return cloud_listing(place, question->record, inventory, question->suspects, items,
				     err);
	if (!hook_run(place, inventory->list, NULL, &output, err))
		return error_wrap(err, "inventory of \"%s\"", provider);
	read = json_loads(output, 0, &wrong);
	if (!json_is_array(read))
		return error_set_as(err, ERR_EXTERNAL, "inventory_invalid",
				    "the inventory of \"%s\" did not print a JSON list", provider);
	if (!check_items(read, provider, err))
		return false;
	*items = TAKE(read);
	return true;
}

static void add_items(const struct pulumi_place *place, const json_t *from, json_t *items)
{
	const struct engine_request *request = place->request;
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)from, i, item) {
		json_t *copy = json_copy(item);

		json_object_set_new(copy, "instance", json_string(request->instance));
		json_object_set_new(copy, "environment", json_string(request->environment.text));
		json_object_set_new(copy, "sequence", json_integer(request->sequence));
		json_object_set_new(copy, "hard_wall_s", json_integer(request->hard_wall_s));
		json_array_append_new(items, copy);
	}
}

json_t *listing_inventory(const struct pulumi_place *place, struct pulumi_record *record)
{
	json_t *items = json_array(), *unknown = json_array();
	const char *provider;
	json_t *value;
	void *next;

	json_object_foreach_safe((json_t *)(uintptr_t)record_providers(record), next, provider,
				 value) {
		AUTO(json_decref) json_t *found = NULL;
		struct error err;

		if (listing_of(&(struct listing_question){ place, record, provider, NULL }, &found,
			       &err))
			add_items(place, found, items);
		else
			json_array_append_new(unknown, json_string(err.message));
	}
	return json_pack("{s:b, s:o, s:o, s:I}", "complete", json_array_size(unknown) == 0, "items",
			 items, "unknown", unknown, "settle_ms",
			 (json_int_t)cloud_settle_ms(place, record));
}
