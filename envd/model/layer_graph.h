/*
 * layer_graph.h - layers and what each needs: in which order they can be built, and what at once.
 *
 * A layer is one step of building: a compose service, a Pulumi project. Its level is 0 if it needs
 * nothing, otherwise one more than the highest level among its needs; layers of one level can be
 * built at the same time. (Better still, start a layer when its own needs are met.) Destroying goes
 * through the levels backwards.
 */
#ifndef ENVD_MODEL_LAYER_GRAPH_H
#define ENVD_MODEL_LAYER_GRAPH_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

#define LAYERS_MAX 1000

struct layer {
	char *name;
	size_t *needs; /* indexes into layer_graph.layers, each once, in the order of adding */
	size_t need_count;
	size_t level; /* after layer_graph_sort() */
};

struct layer_graph {
	struct layer *layers; /* in the order of adding: an index stays what it is */
	size_t count;
	size_t level_count; /* after layer_graph_sort() */
	size_t *order; /* after layer_graph_sort(): indexes by level, then by order of adding */
};

struct layer_graph *layer_graph_new(void);
void layer_graph_free(struct layer_graph *graph);
DEFINE_AUTO(struct layer_graph *, layer_graph_free)

/* Error: ERR_INVALID for a name that is there already, ERR_LIMIT over LAYERS_MAX. */
NODISCARD bool layer_graph_add(struct layer_graph *graph, const char *name, struct error *err);

/* `name` needs `need`; both were added. Saying it twice is fine. Error: ERR_INVALID, naming what is
 * unknown. */
NODISCARD bool layer_graph_need(struct layer_graph *graph, const char *name, const char *need,
				struct error *err);

/* False if there is none; else its index. */
bool layer_graph_find(const struct layer_graph *graph, const char *name, size_t *index);

/* Fill in levels and order. Error: ERR_INVALID, slug "layer_cycle": layers need each other in a
 * circle: "a" → "b" → "a". */
NODISCARD bool layer_graph_sort(struct layer_graph *graph, struct error *err);

/* [{"name","needs":[...],"level":0}] in order: what an engine's plan answers. New reference. */
json_t *layer_graph_to_json(const struct layer_graph *graph);

#endif
