#include "engine/pulumi/pulumi_listing.h"

#include <string.h>

#include "base/text.h"
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

static bool holds_word(char *const *words, const char *wanted)
{
	for (; words && *words; words++)
		if (strcmp(*words, wanted) == 0)
			return true;
	return false;
}

static bool refuse_unknown(const struct pulumi_place *place, const char *provider,
			   struct error *err)
{
	return error_set_as(
	    err, ERR_EXTERNAL, "inventory_unknown",
	    "provider \"%s\" has no inventory%s, so nobody can tell whether "
	    "something of it is left",
	    provider, holds_word(place->list->left_out, provider) ? " with these parameters" : "");
}

/* Only that everything is gone can be told, by others. */
static bool refuse_listless(const struct layer_inventory *inventory, struct error *err)
{
	AUTO(free)
	char *names = text_join((const char *const *)inventory->gone_with, ", ");

	return error_set_as(err, ERR_EXTERNAL, "inventory_unknown",
			    "what is left of \"%s\" nobody lists: it is gone when that is of "
			    "which it is part (%s)",
			    inventory->provider, names);
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
		return refuse_unknown(place, provider, err);
	if (inventory->adapter)
		return cloud_listing(place, question->record, inventory, question->suspects, items,
				     err);
	if (!inventory->list)
		return refuse_listless(inventory, err);
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

/* ---- what is gone with others ---- */

struct others {
	const struct pulumi_record *record;
	const json_t *found; /* {PROVIDER: items} of those whose listing was whole, in this round */
};

/* What of `provider` is in the way, as a sentence that the caller frees; NULL: it has nothing. */
static char *hindrance(const struct others *others, const char *provider)
{
	const json_t *items = json_object_get(others->found, provider);
	const json_t *first = json_array_get(items, 0);

	if (!items)
		return xasprintf("; nor could \"%s\" be listed, with which it would be gone",
				 provider);
	return first ? xasprintf("; it is not gone with \"%s\", which has %s %s: %s", provider,
				 json_get_string(first, "kind", "?"),
				 json_get_string(first, "name", json_get_string(first, "id", "?")),
				 json_get_string(first, "reason", "still there"))
		     : NULL;
}

/* Does nothing exist any more of that in which its things lay? Otherwise what is in the way is
 * added to `why`. One that was used and whose inventory is not to be had counts as there. */
static bool is_gone_with_others(const struct others *others,
				const struct layer_inventory *inventory, struct text *why)
{
	bool is_any_used = false;

	for (char **name = inventory ? inventory->gone_with : NULL; name && *name; name++) {
		AUTO(free) char *words = NULL;

		if (!json_object_get(record_providers(others->record), *name))
			continue;
		words = hindrance(others, *name);
		if (words) {
			text_add(why, words);
			return false;
		}
		is_any_used = true;
	}
	return is_any_used;
}

static void add_unknown(const struct pulumi_place *place, const struct others *others,
			const json_t *failed, json_t *unknown)
{
	const char *provider;
	const json_t *message;

	json_object_foreach_const(failed, provider, message) {
		AUTO(text_release) struct text why = TEXT_EMPTY;

		text_add(&why, json_string_value(message));
		if (!is_gone_with_others(others, layer_list_inventory(place->list, provider), &why))
			json_array_append_new(unknown, json_string(text_get(&why)));
	}
}

json_t *listing_inventory(const struct pulumi_place *place, struct pulumi_record *record)
{
	json_t *items = json_array(), *unknown = json_array();
	AUTO(json_decref) json_t *found = json_object();
	AUTO(json_decref) json_t *failed = json_object(); /* {PROVIDER: why} */
	const char *provider;
	json_t *value;
	void *next;

	json_object_foreach_safe((json_t *)(uintptr_t)record_providers(record), next, provider,
				 value) {
		json_t *listed;
		struct error err;

		if (listing_of(&(struct listing_question){ place, record, provider, NULL }, &listed,
			       &err)) {
			add_items(place, listed, items);
			json_object_set_new(found, provider, listed);
		} else {
			json_object_set_new(failed, provider, json_string(err.message));
		}
	}
	add_unknown(place, &(struct others){ record, found }, failed, unknown);
	return json_pack("{s:b, s:o, s:o, s:I}", "complete", json_array_size(unknown) == 0, "items",
			 items, "unknown", unknown, "settle_ms",
			 (json_int_t)cloud_settle_ms(place, record));
}
