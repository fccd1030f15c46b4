#include "engine/pulumi/pulumi_record.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_state.h"

#define RECORD_BYTES_MAX (4 << 20)
#define KNOWN_MAX 5000 /* ids of one provider */

static const char *const marks[] = {
	[LAYER_UNTOUCHED] = "untouched",
	[LAYER_BEGUN] = "begun",
	[LAYER_UP] = "up",
	[LAYER_GONE] = "gone",
};

bool record_open(const struct pulumi_place *place, struct pulumi_record *record, struct error *err)
{
	*record = (struct pulumi_record){ .path = place_path(place, "record.json") };
	if (file_exists(record->path))
		return json_read_file(record->path, RECORD_BYTES_MAX, &record->json, err);
	record->json = json_pack("{s:{}, s:{}, s:{}}", "layers", "providers", "facts");
	return true;
}

void record_release(struct pulumi_record *record)
{
	free(record->path);
	json_decref(record->json);
	*record = (struct pulumi_record){ NULL, NULL };
}

static bool save(const struct pulumi_record *record, struct error *err)
{
	AUTO(free) char *text = json_to_text(record->json);

	return file_write_atomically(record->path, text, strlen(text), 0600, err);
}

enum layer_mark record_mark(const struct pulumi_record *record, const char *layer)
{
	const char *mark = json_get_string(json_object_get(record->json, "layers"), layer, "");

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strcmp(marks[i], mark) == 0)
			return (enum layer_mark)i;
	return LAYER_UNTOUCHED;
}

bool record_set_mark(struct pulumi_record *record, const char *layer, enum layer_mark mark,
		     struct error *err)
{
	json_object_set_new(json_object_get(record->json, "layers"), layer,
			    json_string(marks[mark]));
	return save(record, err);
}

/* ---- what was seen ---- */

static bool add_id(json_t *known, const char *provider, const char *id, const char *type)
{
	json_t *ids = json_object_get(known, provider), *types;

	if (!ids) {
		json_object_set_new(known, provider, json_object());
		ids = json_object_get(known, provider);
	}
	types = json_object_get(ids, id);
	if (json_object_get(types, type) || (!types && json_object_size(ids) >= KNOWN_MAX))
		return false;
	if (!types) {
		json_object_set_new(ids, id, json_object());
		types = json_object_get(ids, id);
	}
	return json_object_set_new(types, type, json_true()) == 0;
}

static json_t *known_of(const struct pulumi_record *record)
{
	if (!json_object_get(record->json, "known"))
		json_object_set_new(record->json, "known", json_object());
	return json_object_get(record->json, "known");
}

/* What a program only looked up was there before, and is others': a registry that a whole account
 * shares. */
static bool is_made(const json_t *resource)
{
	const char *type = json_get_string(resource, "type", "");

	return json_get_bool(resource, "custom", false) &&
	       !json_get_bool(resource, "external", false) && !text_starts_with(type, "pulumi:");
}

/* True when one was new. */
static bool add_ids(const struct pulumi_record *record, const struct pulumi_state *state)
{
	json_t *known = known_of(record), *resource;
	bool is_new = false;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)state->resources, i, resource) {
		const char *type = json_get_string(resource, "type", "");
		const char *id = json_get_string(resource, "id", "");
		AUTO(free) char *provider = xstrndup(type, strcspn(type, ":"));

		if (*id && is_made(resource))
			is_new = add_id(known, provider, id, type) || is_new;
	}
	return is_new;
}

const json_t *record_known(const struct pulumi_record *record, const char *provider)
{
	return json_object_get(json_object_get(record->json, "known"), provider);
}

static bool add_types(json_t *known, const char *provider, const char *id, const json_t *types)
{
	const char *type;
	const json_t *value;
	bool is_new = false;

	json_object_foreach_const(types, type, value)
		is_new = add_id(known, provider, id, type) || is_new;
	return is_new;
}

bool record_add_known(struct pulumi_record *record, const char *provider, const json_t *found,
		      struct error *err)
{
	json_t *known = known_of(record);
	const char *id;
	const json_t *types;
	bool is_new = false;

	json_object_foreach_const(found, id, types)
		is_new = add_types(known, provider, id, types) || is_new;
	return !is_new || save(record, err);
}

static bool note_providers(const struct pulumi_record *record, const struct pulumi_place *place,
			   size_t index, bool *is_new, struct error *err)
{
	json_t *providers = json_object_get(record->json, "providers");
	size_t before = json_object_size(providers);
	AUTO(state_release) struct pulumi_state state = { .exists = false };
	const struct layer_spec *layer = &place->list->layers[index];

	if (!state_read(place, index, &state, err))
		return false;
	*is_new = add_ids(record, &state);
	state_add_providers(&state, providers);
	/* A hook that leaves something behind is one itself. */
	if (layer->down)
		json_object_set_new(providers, layer->name, json_true());
	*is_new = *is_new || json_object_size(providers) != before;
	return true;
}

bool record_add_providers(struct pulumi_record *record, const struct pulumi_place *place,
			  size_t index, struct error *err)
{
	bool is_new;

	return note_providers(record, place, index, &is_new, err) && (!is_new || save(record, err));
}

bool record_note_providers(struct pulumi_record *record, const struct pulumi_place *place,
			   size_t index, struct error *err)
{
	bool ignored; /* whoever sets a mark writes */

	return note_providers(record, place, index, &ignored, err);
}

const json_t *record_providers(const struct pulumi_record *record)
{
	return json_object_get(record->json, "providers");
}

const char *record_fact(const struct pulumi_record *record, const char *name)
{
	return json_get_string(json_object_get(record->json, "facts"), name, NULL);
}

bool record_set_fact(struct pulumi_record *record, const char *name, const char *value,
		     struct error *err)
{
	if (text_equal(record_fact(record, name), value))
		return true;
	json_object_set_new(json_object_get(record->json, "facts"), name, json_string(value));
	return save(record, err);
}

bool record_add_facts(struct pulumi_record *record, const json_t *facts, struct error *err)
{
	const char *name;
	const json_t *value;
	bool is_new = false;

	json_object_foreach_const(facts, name, value) {
		if (text_equal(record_fact(record, name), json_string_value(value)))
			continue;
		json_object_set_new(json_object_get(record->json, "facts"), name,
				    json_string(json_string_value(value)));
		is_new = true;
	}
	return !is_new || save(record, err);
}
