#include "model/layer_graph.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

struct layer_graph *layer_graph_new(void)
{
	return xcalloc(1, sizeof(struct layer_graph));
}

void layer_graph_free(struct layer_graph *graph)
{
	if (!graph)
		return;
	for (size_t i = 0; i < graph->count; i++) {
		free(graph->layers[i].name);
		free(graph->layers[i].needs);
	}
	free(graph->layers);
	free(graph->order);
	free(graph);
}

bool layer_graph_find(const struct layer_graph *graph, const char *name, size_t *index)
{
	for (size_t i = 0; i < graph->count; i++) {
		if (strcmp(graph->layers[i].name, name) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

bool layer_graph_add(struct layer_graph *graph, const char *name, struct error *err)
{
	size_t there;

	if (layer_graph_find(graph, name, &there))
		return error_set(err, ERR_INVALID, "layer \"%s\" is there twice", name);
	if (graph->count == LAYERS_MAX)
		return error_set(err, ERR_LIMIT, "more than %d layers", LAYERS_MAX);
	graph->layers = xrealloc(graph->layers, graph->count + 1, sizeof(*graph->layers));
	graph->layers[graph->count++] = (struct layer){ .name = xstrdup(name) };
	return true;
}

bool layer_graph_need(struct layer_graph *graph, const char *name, const char *need,
		      struct error *err)
{
	struct layer *layer;
	size_t from, to;

	if (!layer_graph_find(graph, name, &from))
		return error_set(err, ERR_INVALID, "there is no layer \"%s\"", name);
	if (!layer_graph_find(graph, need, &to))
		return error_set(err, ERR_INVALID, "layer \"%s\" needs \"%s\", which is not there",
				 name, need);
	layer = &graph->layers[from];
	for (size_t i = 0; i < layer->need_count; i++)
		if (layer->needs[i] == to)
			return true;
	layer->needs = xrealloc(layer->needs, layer->need_count + 1, sizeof(*layer->needs));
	layer->needs[layer->need_count++] = to;
	return true;
}

enum mark { UNSEEN, ON_PATH, DONE };

/* A walk from layers to their needs; `path` is how it came to where it is. */
struct walk {
	struct layer_graph *graph;
	unsigned char *marks;
	size_t *path;
	size_t depth;
};

static bool refuse_cycle(const struct walk *walk, size_t index, struct error *err)
{
	AUTO(text_release) struct text circle = TEXT_EMPTY;
	size_t from = walk->depth;

	while (walk->path[--from] != index)
		;
	for (size_t i = from; i < walk->depth; i++)
		text_format(&circle, "\"%s\" → ", walk->graph->layers[walk->path[i]].name);
	return error_set_as(err, ERR_INVALID, "layer_cycle",
			    "layers need each other in a circle: %s\"%s\"", text_get(&circle),
			    walk->graph->layers[index].name);
}

/* As deep as the longest chain of needs, so at most LAYERS_MAX. */
static bool visit(struct walk *walk, size_t index, struct error *err)
{
	struct layer *layer = &walk->graph->layers[index];

	if (walk->marks[index] == DONE)
		return true;
	if (walk->marks[index] == ON_PATH)
		return refuse_cycle(walk, index, err);
	walk->marks[index] = ON_PATH;
	walk->path[walk->depth++] = index;
	layer->level = 0;
	for (size_t i = 0; i < layer->need_count; i++) {
		const struct layer *need = &walk->graph->layers[layer->needs[i]];

		if (!visit(walk, layer->needs[i], err))
			return false;
		if (layer->level <= need->level)
			layer->level = need->level + 1;
	}
	walk->depth--;
	walk->marks[index] = DONE;
	return true;
}

static void fill_order(struct layer_graph *graph)
{
	size_t filled = 0;

	graph->order = xrealloc(graph->order, graph->count + 1, sizeof(*graph->order));
	for (graph->level_count = 0; filled < graph->count; graph->level_count++)
		for (size_t i = 0; i < graph->count; i++)
			if (graph->layers[i].level == graph->level_count)
				graph->order[filled++] = i;
}

bool layer_graph_sort(struct layer_graph *graph, struct error *err)
{
	AUTO(free) unsigned char *marks = xcalloc(graph->count + 1, 1);
	AUTO(free) size_t *path = xcalloc(graph->count + 1, sizeof(*path));
	struct walk walk = { .graph = graph, .marks = marks, .path = path };

	for (size_t i = 0; i < graph->count; i++)
		if (!visit(&walk, i, err))
			return false;
	fill_order(graph);
	return true;
}

json_t *layer_graph_to_json(const struct layer_graph *graph)
{
	json_t *list = json_array();

	for (size_t i = 0; i < graph->count; i++) {
		const struct layer *layer = &graph->layers[graph->order[i]];
		json_t *needs = json_array();

		for (size_t j = 0; j < layer->need_count; j++)
			json_array_append_new(needs,
					      json_string(graph->layers[layer->needs[j]].name));
		json_array_append_new(list,
				      json_pack("{s:s, s:o, s:I}", "name", layer->name, "needs",
						needs, "level", (json_int_t)layer->level));
	}
	return list;
}
