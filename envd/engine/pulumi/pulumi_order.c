#include "engine/pulumi/pulumi_order.h"

#include <string.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_cli.h"

static bool ask(const struct pulumi_place *place, json_t **order, struct error *err)
{
	AUTO(free) char *output = NULL;
	size_t i;
	json_t *project;

	if (!hook_run(place, place->list->order, NULL, &output, err)) {
		/* What it says is about what was asked for: its checkout, its parameters. */
		if (strcmp(err->slug, "hook_failed") == 0) {
			err->code = ERR_INVALID;
			err->slug = "order_failed";
		}
		return false;
	}
	*order = json_loads(output, 0, NULL);
	json_array_foreach(*order, i, project)
		if (!json_is_string(project))
			break;
	if (json_is_array(*order) && json_array_size(*order) && i == json_array_size(*order))
		return true;
	json_decref(*order);
	*order = NULL;
	return error_set_as(err, ERR_INVALID, "order_invalid",
			    "\"%s\" did not print a JSON list of folders of projects",
			    place->list->order[0]);
}

bool order_read(struct pulumi_place *place, struct error *err)
{
	AUTO(free) char *path = place_path(place, "order.json");
	AUTO(json_decref) json_t *order = NULL;
	AUTO(free) char *text = NULL;

	if (!place->list->order || file_exists(path))
		return place_choose_layers(place, err);
	if (!ask(place, &order, err))
		return false;
	text = json_to_text(order);
	return file_write_atomically(path, text, strlen(text), 0600, err) &&
	       place_choose_layers(place, err);
}
