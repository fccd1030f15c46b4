#include "cli/graph_layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/terminal.h"
#include "model/layer_graph.h"

/* In the units of the picture. */
#define COLUMN_WIDTH 7.25 /* of one character, monospaced */
#define BOX_HEIGHT 46.0
#define BOX_PADDING 34.0
#define BOX_WIDTH_MIN 120.0
#define GAP_ACROSS 64.0
#define GAP_BETWEEN 18.0
#define PASSAGE_HEIGHT 8.0

enum { ORDER_SWEEPS = 12, ALIGN_SWEEPS = 24 };

/* What has a place in a column: a box, or where a line passes it. */
struct item {
	size_t box; /* SIZE_MAX: a passage */
	size_t level;
	size_t *left, *right; /* items of the columns beside it */
	size_t left_count, right_count;
	double weight; /* by what it is sorted */
	double y, height;
};

struct drawing {
	const struct layer_graph *graph;
	struct item *items;
	size_t item_count;
	size_t **columns; /* items, in order */
	size_t *column_counts;
	struct graph_layout *layout;
};

/* ---- which lines there are ---- */

static bool reaches(const struct layer_graph *graph, size_t from, size_t to, bool *seen)
{
	const struct layer *layer = &graph->layers[from];

	if (seen[from])
		return false;
	seen[from] = true;
	for (size_t i = 0; i < layer->need_count; i++)
		if (layer->needs[i] == to || reaches(graph, layer->needs[i], to, seen))
			return true;
	return false;
}

/* Some other need of `index` needs it, too. */
static bool is_implied(const struct layer_graph *graph, size_t index, size_t need)
{
	const struct layer *layer = &graph->layers[index];
	AUTO(free) bool *seen = xcalloc(graph->count, sizeof(*seen));

	for (size_t i = 0; i < layer->need_count; i++)
		if (layer->needs[i] != need && reaches(graph, layer->needs[i], need, seen))
			return true;
	return false;
}

static size_t add_item(struct drawing *drawing, size_t box, size_t level)
{
	drawing->items = xrealloc(drawing->items, drawing->item_count + 1, sizeof(*drawing->items));
	drawing->items[drawing->item_count] = (struct item){
		.box = box,
		.level = level,
		.height = box == SIZE_MAX ? PASSAGE_HEIGHT : BOX_HEIGHT,
	};
	return drawing->item_count++;
}

static void append(size_t **list, size_t *count, size_t item)
{
	*list = xrealloc(*list, *count + 1, sizeof(**list));
	(*list)[(*count)++] = item;
}

static void join(struct drawing *drawing, size_t left, size_t right)
{
	append(&drawing->items[left].right, &drawing->items[left].right_count, right);
	append(&drawing->items[right].left, &drawing->items[right].left_count, left);
}

/* A line's points hold its items until their places are known; a passage is two of them, so that
 * the line is level where it passes boxes. */
static void add_line(struct drawing *drawing, size_t from, size_t to)
{
	struct graph_layout *layout = drawing->layout;
	const struct layer *layers = drawing->graph->layers;
	struct graph_line line = { .from = from, .to = to };
	size_t at = from;

	line.points = xcalloc(2 * (layers[to].level - layers[from].level), sizeof(*line.points));
	line.points[line.count++].x = (double)from;
	for (size_t level = layers[from].level + 1; level < layers[to].level; level++) {
		size_t passage = add_item(drawing, SIZE_MAX, level);

		join(drawing, at, passage);
		line.points[line.count++].x = (double)passage;
		line.points[line.count++].x = (double)passage;
		at = passage;
	}
	join(drawing, at, to);
	line.points[line.count++].x = (double)to;
	layout->lines = xrealloc(layout->lines, layout->line_count + 1, sizeof(line));
	layout->lines[layout->line_count++] = line;
}

static void add_lines(struct drawing *drawing)
{
	const struct layer_graph *graph = drawing->graph;

	for (size_t i = 0; i < graph->count; i++)
		for (size_t n = 0; n < graph->layers[i].need_count; n++)
			if (!is_implied(graph, i, graph->layers[i].needs[n]))
				add_line(drawing, graph->layers[i].needs[n], i);
}

/* ---- in which order ---- */

static void fill_columns(struct drawing *drawing)
{
	drawing->columns = xcalloc(drawing->graph->level_count, sizeof(*drawing->columns));
	drawing->column_counts =
	    xcalloc(drawing->graph->level_count, sizeof(*drawing->column_counts));
	for (size_t i = 0; i < drawing->item_count; i++) {
		size_t level = drawing->items[i].level;

		append(&drawing->columns[level], &drawing->column_counts[level], i);
	}
}

static double mean_of(const size_t *list, size_t count, const double *position, double otherwise)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += position[list[i]];
	return count ? sum / (double)count : otherwise;
}

/* Insertion: it is stable, and columns are short. */
static void sort_column(struct drawing *drawing, size_t level)
{
	size_t *column = drawing->columns[level];

	for (size_t i = 1; i < drawing->column_counts[level]; i++) {
		size_t moved = column[i], at = i;

		for (; at && drawing->items[column[at - 1]].weight > drawing->items[moved].weight;
		     at--)
			column[at] = column[at - 1];
		column[at] = moved;
	}
}

static void note_positions(const struct drawing *drawing, size_t level, double *position)
{
	for (size_t i = 0; i < drawing->column_counts[level]; i++)
		position[drawing->columns[level][i]] =
		    ((double)i + 0.5) / (double)drawing->column_counts[level];
}

static void order_column(struct drawing *drawing, size_t level, bool by_left, double *position)
{
	for (size_t i = 0; i < drawing->column_counts[level]; i++) {
		size_t index = drawing->columns[level][i];
		struct item *item = &drawing->items[index];

		item->weight =
		    by_left ? mean_of(item->left, item->left_count, position, position[index])
			    : mean_of(item->right, item->right_count, position, position[index]);
	}
	sort_column(drawing, level);
	note_positions(drawing, level, position);
}

/* Each column by where what its items are joined to lies, back and forth: fewer lines cross. */
static void order_columns(struct drawing *drawing)
{
	AUTO(free) double *position = xcalloc(drawing->item_count + 1, sizeof(*position));
	size_t levels = drawing->graph->level_count;

	for (size_t level = 0; level < levels; level++)
		note_positions(drawing, level, position);
	for (int sweep = 0; sweep < ORDER_SWEEPS; sweep++)
		for (size_t i = 1; i < levels; i++)
			order_column(drawing, sweep % 2 ? levels - 1 - i : i, sweep % 2 == 0,
				     position);
}

/* ---- where ---- */

static double center_of(const struct item *item)
{
	return item->y + item->height / 2;
}

static double wanted_center(const struct drawing *drawing, const struct item *item)
{
	double sum = 0;
	size_t count = item->left_count + item->right_count;

	for (size_t i = 0; i < item->left_count; i++)
		sum += center_of(&drawing->items[item->left[i]]);
	for (size_t i = 0; i < item->right_count; i++)
		sum += center_of(&drawing->items[item->right[i]]);
	return count ? sum / (double)count : center_of(item);
}

/* Where they want to be, as far as there is room: each pushes those below it down, then all of it
 * is moved so that it is right on average. */
static void align_column(struct drawing *drawing, size_t level)
{
	const size_t *column = drawing->columns[level];
	size_t count = drawing->column_counts[level];
	double shift = 0, floor = -1e9;

	for (size_t i = 0; i < count; i++) {
		struct item *item = &drawing->items[column[i]];
		double wanted = wanted_center(drawing, item) - item->height / 2;

		item->weight = wanted;
		item->y = wanted > floor ? wanted : floor;
		shift += item->y - wanted;
		floor = item->y + item->height + GAP_BETWEEN;
	}
	for (size_t i = 0; i < count; i++)
		drawing->items[column[i]].y -= shift / (double)count;
}

static void stack_column(struct drawing *drawing, size_t level)
{
	double y = 0;

	for (size_t i = 0; i < drawing->column_counts[level]; i++) {
		struct item *item = &drawing->items[drawing->columns[level][i]];

		item->y = y;
		y += item->height + GAP_BETWEEN;
	}
}

static void place_down(struct drawing *drawing)
{
	size_t levels = drawing->graph->level_count;
	double top = 1e9, bottom = 0;

	for (size_t level = 0; level < levels; level++)
		stack_column(drawing, level);
	for (int sweep = 0; sweep < ALIGN_SWEEPS; sweep++)
		for (size_t i = 0; i < levels; i++)
			align_column(drawing, sweep % 2 ? levels - 1 - i : i);
	for (size_t i = 0; i < drawing->item_count; i++)
		top = drawing->items[i].y < top ? drawing->items[i].y : top;
	for (size_t i = 0; i < drawing->item_count; i++) {
		struct item *item = &drawing->items[i];

		item->y -= top;
		bottom = item->y + item->height > bottom ? item->y + item->height : bottom;
	}
	drawing->layout->height = bottom;
}

static double width_of(const json_t *layer)
{
	size_t columns = text_columns(json_get_string(layer, "name", ""));
	double width;

	if (columns > GRAPH_NAME_COLUMNS)
		columns = GRAPH_NAME_COLUMNS;
	width = (double)columns * COLUMN_WIDTH + BOX_PADDING;
	return width > BOX_WIDTH_MIN ? width : BOX_WIDTH_MIN;
}

/* All boxes of a column are as wide as the widest. */
static void place_across(struct drawing *drawing)
{
	struct graph_layout *layout = drawing->layout;
	double x = 0;

	for (size_t level = 0; level < drawing->graph->level_count; level++) {
		double width = 0;

		for (size_t i = 0; i < layout->box_count; i++)
			if (layout->boxes[i].level == level &&
			    width_of(layout->boxes[i].layer) > width)
				width = width_of(layout->boxes[i].layer);
		for (size_t i = 0; i < layout->box_count; i++) {
			if (layout->boxes[i].level != level)
				continue;
			layout->boxes[i].x = x;
			layout->boxes[i].width = width;
		}
		layout->width = x + width;
		x += width + GAP_ACROSS;
	}
}

static void place_boxes(struct drawing *drawing)
{
	for (size_t i = 0; i < drawing->layout->box_count; i++) {
		drawing->layout->boxes[i].y = drawing->items[i].y;
		drawing->layout->boxes[i].height = drawing->items[i].height;
	}
}

/* The left side of a column, or its right one. */
static double side_of(const struct graph_layout *layout, size_t level, bool is_right)
{
	for (size_t i = 0; i < layout->box_count; i++)
		if (layout->boxes[i].level == level)
			return layout->boxes[i].x + (is_right ? layout->boxes[i].width : 0);
	return 0;
}

static void place_lines(struct drawing *drawing)
{
	struct graph_layout *layout = drawing->layout;

	for (size_t i = 0; i < layout->line_count; i++) {
		struct graph_line *line = &layout->lines[i];

		for (size_t p = 0; p < line->count; p++) {
			const struct item *item = &drawing->items[(size_t)line->points[p].x];

			/* Out on the right of the first, into each other one on its left. */
			line->points[p].x = side_of(layout, item->level, p % 2 == 0);
			line->points[p].y = center_of(item);
		}
	}
}

/* ---- all of it ---- */

static bool read_graph(const json_t *layers, struct layer_graph *graph, struct error *err)
{
	const json_t *layer, *need;
	size_t i, n, ignored;

	json_array_foreach((json_t *)(uintptr_t)layers, i, layer)
		if (!layer_graph_add(graph, json_get_string(layer, "name", "?"), err))
			return false;
	json_array_foreach((json_t *)(uintptr_t)layers, i, layer)
		json_array_foreach(json_object_get(layer, "needs"), n, need)
			/* One that no plan has named is no layer that could be drawn. */
			if (layer_graph_find(graph,
					     json_string_value(need) ? json_string_value(need) : "",
					     &ignored) &&
			    !layer_graph_need(graph, json_get_string(layer, "name", "?"),
					      json_string_value(need), err))
				return false;
	return layer_graph_sort(graph, err);
}

static void drawing_release(struct drawing *drawing)
{
	for (size_t i = 0; i < drawing->item_count; i++) {
		free(drawing->items[i].left);
		free(drawing->items[i].right);
	}
	for (size_t i = 0; drawing->columns && i < drawing->graph->level_count; i++)
		free(drawing->columns[i]);
	free(drawing->items);
	free(drawing->columns);
	free(drawing->column_counts);
}

bool graph_layout_make(const json_t *layers, struct graph_layout *layout, struct error *err)
{
	AUTO(layer_graph_free) struct layer_graph *graph = layer_graph_new();
	struct drawing drawing = { .graph = graph, .layout = layout };

	if (!read_graph(layers, graph, err))
		return false;
	*layout = (struct graph_layout){ .box_count = graph->count };
	layout->boxes = xcalloc(graph->count + 1, sizeof(*layout->boxes));
	for (size_t i = 0; i < graph->count; i++) {
		layout->boxes[i].layer = json_array_get(layers, i);
		layout->boxes[i].level = graph->layers[i].level;
		add_item(&drawing, i, graph->layers[i].level);
	}
	add_lines(&drawing);
	fill_columns(&drawing);
	order_columns(&drawing);
	if (graph->count)
		place_down(&drawing);
	place_across(&drawing);
	place_boxes(&drawing);
	place_lines(&drawing);
	drawing_release(&drawing);
	return true;
}

void graph_layout_release(struct graph_layout *layout)
{
	for (size_t i = 0; i < layout->line_count; i++)
		free(layout->lines[i].points);
	free(layout->lines);
	free(layout->boxes);
	*layout = (struct graph_layout){ .box_count = 0 };
}
