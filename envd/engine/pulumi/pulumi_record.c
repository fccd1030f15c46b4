#include "engine/pulumi/pulumi_record.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_state.h"

#define RECORD_BYTES_MAX (4 << 20)

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

bool record_add_providers(struct pulumi_record *record, const struct pulumi_place *place,
			  size_t index, struct error *err)
{
	json_t *providers = json_object_get(record->json, "providers");
	size_t before = json_object_size(providers);
	AUTO(state_release) struct pulumi_state state = { .exists = false };
	const struct layer_spec *layer = &place->list->layers[index];

	if (!state_read(place, index, &state, err))
		return false;
	state_add_providers(&state, providers);
	/* A hook that leaves something behind is one itself. */
	if (layer->down)
		json_object_set_new(providers, layer->name, json_true());
	return json_object_size(providers) == before || save(record, err);
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
