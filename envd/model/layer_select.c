#include "model/layer_select.h"

#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

/* ---- conditions ---- */

static char *text_of(const json_t *value)
{
	return json_is_string(value) ? xstrdup(json_string_value(value)) : json_to_text(value);
}

static bool is_among(const json_t *values, const char *text)
{
	size_t i;
	json_t *value;

	json_array_foreach((json_t *)(uintptr_t)values, i, value)
		if (text_equal(json_string_value(value), text))
			return true;
	return false;
}

bool layer_when_holds(const json_t *when, const json_t *parameters, bool *holds, struct error *err)
{
	const char *name;
	json_t *values;

	*holds = true;
	json_object_foreach_const(when, name, values) {
		const json_t *value = json_object_get(parameters, name);
		AUTO(free) char *text = NULL;

		if (!value)
			return error_set_as(err, ERR_INVALID, "template_invalid",
					    "\"when\": there is no parameter \"%.60s\"", name);
		text = text_of(value);
		if (!is_among(values, text))
			*holds = false;
	}
	return true;
}

/* ---- what is not wanted goes ---- */

static bool fill_project(struct layer_spec *layer, const struct layer_choice *choice,
			 struct error *err)
{
	char *filled;

	if (!layer->project)
		return true;
	if (!choice->fill(choice->arg, layer->project, &filled, err))
		return error_wrap(err, "layer \"%s\"", layer->name);
	free(layer->project);
	layer->project = filled;
	return layer_path_stays_inside(filled) ||
	       error_set_as(err, ERR_INVALID, "template_invalid",
			    "layer \"%s\": \"%.100s\" is not inside of the checkout", layer->name,
			    filled);
}

static void add_word(char ***words, const char *word)
{
	size_t count = 0;

	while (*words && (*words)[count])
		count++;
	*words = xrealloc(*words, count + 2, sizeof(**words));
	(*words)[count] = xstrdup(word);
	(*words)[count + 1] = NULL;
}

static bool is_wanted(struct layer_spec *layer, const struct layer_choice *choice, bool *is_wanted,
		      struct error *err)
{
	bool holds;

	if (!fill_project(layer, choice, err))
		return false;
	if (!layer_when_holds(layer->when, choice->parameters, &holds, err))
		return error_wrap(err, "layer \"%s\"", layer->name);
	*is_wanted =
	    holds &&
	    (!layer->project ||
	     (*layer->project && (!choice->order || is_among(choice->order, layer->project))));
	return true;
}

static bool keep_wanted(struct layer_list *list, const struct layer_choice *choice,
			struct error *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct layer_spec *layer = &list->layers[i];
		bool stays = false;

		if (!is_wanted(layer, choice, &stays, err)) {
			/* The rest is released with the list, each layer once. */
			memmove(&list->layers[kept], layer, (list->count - i) * sizeof(*layer));
			list->count = kept + list->count - i;
			return false;
		}
		if (!stays) {
			/* Its folder is known all the same: this environment does not build it. */
			if (layer->project && *layer->project)
				add_word(&list->ignored, layer->project);
			layer_spec_release(layer);
			continue;
		}
		layer_variables_add(&list->variables, &layer->variables);
		if (&list->layers[kept] != layer)
			list->layers[kept] = *layer;
		kept++;
	}
	list->count = kept;
	return true;
}

static size_t find_layer(const struct layer_list *list, const char *name)
{
	size_t i = 0;

	while (i < list->count && !text_equal(list->layers[i].name, name))
		i++;
	return i;
}

static void forget_needs(struct layer_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		char **to = list->layers[i].needs;

		for (char **from = to; from && *from; from++) {
			if (find_layer(list, *from) < list->count)
				*to++ = *from;
			else
				free(*from);
		}
		if (to)
			*to = NULL;
	}
}

/* ---- what nobody listed comes ---- */

static size_t find_project(const struct layer_list *list, const char *project)
{
	size_t i = 0;

	while (i < list->count && !text_equal(list->layers[i].project, project))
		i++;
	return i;
}

static bool is_ignored(const struct layer_list *list, const char *project)
{
	for (char **pattern = list->ignored; pattern && *pattern; pattern++)
		if (strcmp(*pattern, project) == 0)
			return true;
	return false;
}

static void add_need(struct layer_spec *layer, const char *need)
{
	size_t count = 0;

	for (; layer->needs && layer->needs[count]; count++)
		if (strcmp(layer->needs[count], need) == 0)
			return;
	layer->needs = xrealloc(layer->needs, count + 2, sizeof(*layer->needs));
	layer->needs[count] = xstrdup(need);
	layer->needs[count + 1] = NULL;
}

static char *name_of(const char *project)
{
	char *name = xstrdup(project);

	for (char *at = name; (at = strchr(at, '/'));)
		*at = '-';
	return name;
}

static void add_layer(struct layer_list *list, const char *project)
{
	struct layer_spec *layer;

	list->layers = xrealloc(list->layers, list->count + 1, sizeof(*list->layers));
	layer = &list->layers[list->count++];
	*layer = (struct layer_spec){ .name = name_of(project), .project = xstrdup(project) };
	layer->config.plain = json_object();
	layer->config.optional = json_object();
	layer->variables.plain = json_object();
	layer->is_found = true;
}

static bool check_order(const json_t *order, struct error *err)
{
	size_t i;
	json_t *project;

	json_array_foreach((json_t *)(uintptr_t)order, i, project) {
		const char *text = json_string_value(project);

		if (!text || !*text || strlen(text) > 60 || *text == '.' ||
		    strspn(text,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/") !=
			strlen(text) ||
		    !layer_path_stays_inside(text))
			return error_set_as(err, ERR_INVALID, "order_invalid",
					    "the order of the checkout has \"%.60s\", which is no "
					    "folder of a project",
					    text ? text : "(no text)");
	}
	return json_array_size(order) <= LAYERS_FOUND_MAX ||
	       error_set_as(err, ERR_INVALID, "order_invalid",
			    "the order of the checkout has more than %d projects",
			    LAYERS_FOUND_MAX);
}

static void add_found(struct layer_list *list, const json_t *order)
{
	size_t i;
	json_t *project;

	json_array_foreach((json_t *)(uintptr_t)order, i, project) {
		const char *text = json_string_value(project);

		if (find_project(list, text) == list->count && !is_ignored(list, text))
			add_layer(list, text);
	}
}

/* A layer that nobody listed stands between those before it and those after it. */
static void order_found(struct layer_list *list, const json_t *order)
{
	size_t count = json_array_size(order);

	for (size_t i = 0; i < count; i++) {
		size_t found = find_project(list, json_string_value(json_array_get(order, i)));

		for (size_t j = 0; found < list->count && j < count; j++) {
			size_t other =
			    find_project(list, json_string_value(json_array_get(order, j)));

			if (!list->layers[found].is_found || other == list->count || i == j)
				continue;
			if (j < i)
				add_need(&list->layers[found], list->layers[other].name);
			else
				add_need(&list->layers[other], list->layers[found].name);
		}
	}
}

bool layer_list_select(struct layer_list *list, const struct layer_choice *choice,
		       struct error *err)
{
	if (!check_order(choice->order, err) || !keep_wanted(list, choice, err))
		return false;
	forget_needs(list);
	add_found(list, choice->order);
	order_found(list, choice->order);
	list->is_selected = true;
	if (!list->count)
		return error_set_as(err, ERR_INVALID, "template_invalid",
				    "none of its layers is wanted with these parameters");
	return layer_list_connect(list, err);
}

/* ---- who can tell ---- */

bool layer_list_choose_inventories(struct layer_list *list, const json_t *parameters,
				   struct error *err)
{
	bool *holds = xcalloc(list->inventory_count + 1, sizeof(*holds));
	bool is_good = true;
	size_t kept = 0;

	for (size_t i = 0; is_good && i < list->inventory_count; i++)
		is_good = layer_when_holds(list->inventories[i].when, parameters, &holds[i], err) ||
			  error_wrap(err, "inventory \"%s\"", list->inventories[i].provider);
	for (size_t i = 0; is_good && i < list->inventory_count; i++) {
		struct layer_inventory *inventory = &list->inventories[i];

		if (holds[i]) {
			list->inventories[kept++] = *inventory;
			continue;
		}
		add_word(&list->left_out, inventory->provider);
		layer_inventory_release(inventory);
	}
	if (is_good)
		list->inventory_count = kept;
	free(holds);
	return is_good;
}
