/*
 * graph_layout.h - layers as boxes and lines in the plane: what needs nothing is on the left, each
 * other one right of all that it needs. Pure.
 *
 * Lines that others imply are left out; those that pass a column go through a gap between its
 * boxes. The same layers always give the same picture.
 */
#ifndef CLI_GRAPH_LAYOUT_H
#define CLI_GRAPH_LAYOUT_H

#include "base/json_read.h"

enum { GRAPH_NAME_COLUMNS = 34 }; /* a longer name is cut */

struct graph_box {
	const json_t *layer; /* borrowed */
	size_t level;
	double x, y, width, height;
};

struct graph_point {
	double x, y;
};

/* From the right side of what is needed to the left side of what needs it. */
struct graph_line {
	size_t from, to;
	struct graph_point *points; /* two at least */
	size_t count;
};

struct graph_layout {
	struct graph_box *boxes; /* in the order of the layers */
	size_t box_count;
	struct graph_line *lines;
	size_t line_count;
	double width, height;
};

/* `layers` are those of GET .../layers. ERR_INVALID "layer_cycle". */
NODISCARD bool graph_layout_make(const json_t *layers, struct graph_layout *layout,
				 struct error *err);
void graph_layout_release(struct graph_layout *layout);

static inline void auto_graph_layout_release(struct graph_layout *layout)
{
	graph_layout_release(layout);
}

#endif
