/*
 * graph_view.h - the layers of an environment as a picture, or as the source of one. Pure.
 */
#ifndef CLI_GRAPH_VIEW_H
#define CLI_GRAPH_VIEW_H

#include "base/json_read.h"
#include "base/text.h"

struct graph_view {
	const char *name; /* of the environment */
	const char *state;
	const json_t *layers;   /* GET .../layers */
	const json_t *timeline; /* timeline.h */
};

/* A document of its own, light or dark as its reader has it. ERR_INVALID "layer_cycle". */
NODISCARD bool graph_svg(const struct graph_view *view, struct text *into, struct error *err);
void graph_dot(const struct graph_view *view, struct text *into);
void graph_mermaid(const struct graph_view *view, struct text *into);

/* "ready 20s", "building", "failed": the second line of a box. */
void graph_layer_words(const json_t *layer, struct text *into);

/* "queued 3s, layers 2m10s, ...": every part that is not 0. */
void graph_time_words(const json_t *timeline, struct text *into);

#endif
