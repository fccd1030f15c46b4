#include "engine/pulumi/pulumi_resources.h"

#include <string.h>

#include "base/text.h"
#include "engine/pulumi/pulumi_build.h"
#include "engine/pulumi/pulumi_state.h"
#include "model/console_link.h"

enum { PAGE_BYTES_MAX = 512 << 10 }; /* a worker's line holds twice as much */

/* ---- where it is ---- */

/* "arn:aws:eks:us-west-2:123456789012:cluster/x": its fourth part. The caller frees. */
static char *region_of_arn(const char *arn)
{
	const char *at = arn;

	for (int i = 0; i < 3 && at; i++)
		at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL;
	return xstrndup(at ? at : "", at ? strcspn(at, ":") : 0);
}

/* A resource says "URN::ID" of its provider. */
static const char *region_of_provider(const json_t *resource, const json_t *all)
{
	const char *provider = json_get_string(resource, "provider", "");
	size_t i;
	json_t *other;

	json_array_foreach((json_t *)(uintptr_t)all, i, other) {
		const char *urn = json_get_string(other, "urn", "?");

		if (text_starts_with(provider, urn) && provider[strlen(urn)] == ':')
			return json_get_string(json_object_get(other, "inputs"), "region", "");
	}
	return "";
}

static char *region_of(const json_t *resource, const json_t *all)
{
	const json_t *outputs = json_object_get(resource, "outputs");
	const char *arn = json_get_string(outputs, "arn", "");
	const char *region = json_get_string(outputs, "region", "");
	AUTO(free) char *of_arn = region_of_arn(arn);

	if (*region)
		return xstrdup(region);
	return *of_arn ? TAKE(of_arn) : xstrdup(region_of_provider(resource, all));
}

static char *link_of(const json_t *resource, const json_t *all)
{
	const json_t *outputs = json_object_get(resource, "outputs");
	AUTO(free) char *region = region_of(resource, all);
	AUTO(json_decref)
	json_t *subject =
	    json_pack("{s:s, s:s, s:s}", "id", json_get_string(resource, "id", ""), "region",
		      region, "domain", json_get_string(outputs, "domain", ""));

	return console_link(json_get_string(resource, "type", ""), subject);
}

/* ---- one ---- */

static const char *name_of(const char *urn)
{
	const char *last = urn;

	for (const char *at = urn; (at = strstr(at, "::")); at += 2)
		last = at + 2;
	return last;
}

json_t *resource_json(const json_t *resource, const json_t *all, const char *layer)
{
	const char *urn = json_get_string(resource, "urn", "");
	const char *parent = json_get_string(resource, "parent", "");
	AUTO(free) char *link = link_of(resource, all);

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}", "layer", layer, "type",
			 json_get_string(resource, "type", ""), "name", name_of(urn), "id",
			 json_get_string(resource, "id", ""), "urn", urn, "parent",
			 *parent ? parent : NULL, "link", link);
}

/* The stack itself and configurations of providers are nothing that exists. */
static bool is_bookkeeping(const json_t *resource)
{
	return text_starts_with(json_get_string(resource, "type", ""), "pulumi:");
}

/* ---- a page of them ---- */

struct listing {
	const struct engine_page *page;
	json_t *items;
	int64_t number; /* of the last one that was looked at */
	int64_t next;   /* not 0: the page is full, and this is its last */
	size_t bytes;
};

static void add(struct listing *listing, const json_t *resource, const json_t *all,
		const char *layer)
{
	AUTO(json_decref) json_t *item = NULL;

	if (listing->next || ++listing->number <= listing->page->after)
		return;
	item = resource_json(resource, all, layer);
	if (!item)
		return;
	listing->bytes += json_dumpb(item, NULL, 0, JSON_COMPACT);
	if ((int64_t)json_array_size(listing->items) >= listing->page->limit ||
	    (json_array_size(listing->items) && listing->bytes > PAGE_BYTES_MAX))
		listing->next = listing->number - 1;
	else
		json_array_append(listing->items, item);
}

static bool add_layer(struct listing *listing, const struct pulumi_place *place, size_t layer,
		      struct error *err)
{
	AUTO(state_release) struct pulumi_state state = { .exists = false };
	const char *name = place->list->layers[layer].name;
	size_t i;
	json_t *resource;

	if (listing->page->layer && strcmp(listing->page->layer, name) != 0)
		return true;
	if (!state_read(place, layer, &state, err))
		return error_wrap(err, "layer \"%s\"", name);
	json_array_foreach((json_t *)(uintptr_t)state.resources, i, resource)
		if (!is_bookkeeping(resource))
			add(listing, resource, state.resources, name);
	return true;
}

static bool list_layers(struct listing *listing, const struct pulumi_place *place,
			struct error *err)
{
	for (size_t i = 0; i < place->list->count; i++)
		if (!add_layer(listing, place, place->list->graph->order[i], err))
			return false;
	return true;
}

bool pulumi_resources(const struct engine_request *request, const struct engine_page *page,
		      struct worker_lines *lines, json_t **data, struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };
	struct listing listing = { .page = page, .items = json_array() };
	bool is_there;

	if (!place_reopen(request, lines, &place, &is_there, err) ||
	    (is_there && !list_layers(&listing, &place, err))) {
		json_decref(listing.items);
		return false;
	}
	*data = json_pack("{s:o, s:I}", "items", listing.items, "next", (json_int_t)listing.next);
	return true;
}
