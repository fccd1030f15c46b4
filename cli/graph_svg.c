#include <string.h>

#include "base/duration.h"
#include "cli/graph_layout.h"
#include "cli/graph_view.h"
#include "cli/terminal.h"

#define MARGIN 28.0
#define HEADER 66.0
#define STRIP 64.0 /* the bar of where the time went */
#define WIDTH_MIN 640.0

/* Not by CSS variables, which renderers other than browsers do not know: they take the light ones.
 * A state is never told by its colour alone. */
// clang-format off
static const struct {
	const char *selector, *property, *light, *dark;
} colours[] = {
	{ "text",            "fill",   "#1f2328", "#e6edf3" },
	{ ".faint",          "fill",   "#59636e", "#9198a1" },
	{ ".page",           "fill",   "#ffffff", "#0d1117" },
	{ ".box",            "fill",   "#f6f8fa", "#161b22" },
	{ ".line",           "stroke", "#8c959f", "#6e7681" },
	{ ".tip",            "fill",   "#8c959f", "#6e7681" },
	{ ".waiting .box",   "stroke", "#6e7781", "#8b949e" },
	{ ".waiting .word",  "fill",   "#6e7781", "#8b949e" },
	{ ".building .box",  "stroke", "#0969da", "#58a6ff" },
	{ ".building .word", "fill",   "#0969da", "#58a6ff" },
	{ ".ready .box",     "stroke", "#1a7f37", "#3fb950" },
	{ ".ready .word",    "fill",   "#1a7f37", "#3fb950" },
	{ ".failed .box",    "stroke", "#cf222e", "#f85149" },
	{ ".failed .word",   "fill",   "#cf222e", "#f85149" },
	{ ".removing .box",  "stroke", "#9a6700", "#d29922" },
	{ ".removing .word", "fill",   "#9a6700", "#d29922" },
	{ ".removed .box",   "stroke", "#6e7781", "#8b949e" },
	{ ".removed .word",  "fill",   "#6e7781", "#8b949e" },
	{ ".queue",          "fill",   "#bf8700", "#d29922" },
	{ ".layers",         "fill",   "#0969da", "#58a6ff" },
	{ ".rest",           "fill",   "#d0d7de", "#3d444d" },
	{ ".checks",         "fill",   "#8250df", "#a371f7" },
};
// clang-format on

static const char shapes[] =
    "text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
    ".title{font-size:16px;font-weight:700}.box{stroke-width:2}"
    ".waiting .box{stroke-dasharray:5 4}.line{fill:none;stroke-width:1.5}";

static void add_style(struct text *into)
{
	text_format(into, "<style>%s", shapes);
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		text_format(into, "%s{%s:%s}", colours[i].selector, colours[i].property,
			    colours[i].light);
	text_add(into, "@media(prefers-color-scheme:dark){");
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		text_format(into, "%s{%s:%s}", colours[i].selector, colours[i].property,
			    colours[i].dark);
	text_add(into, "}</style>\n");
}

static const struct {
	const char *state, *sign;
} signs[] = {
	{ "ready", "\xe2\x9c\x94" },    /* ✔ */
	{ "building", "\xe2\x96\xb6" }, /* ▶ */
	{ "failed", "\xe2\x9c\x98" },   /* ✘ */
	{ "removing", "\xe2\x97\x80" }, /* ◀ */
	{ "removed", "\xe2\x88\x85" },  /* ∅ */
};

static const char *sign_of(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (strcmp(signs[i].state, state) == 0)
			return signs[i].sign;
	return "\xe2\x80\xa6"; /* … */
}

static void add_escaped(struct text *into, const char *words, size_t length)
{
	for (const char *at = words; *at && at < words + length; at++) {
		if (*at == '<')
			text_add(into, "&lt;");
		else if (*at == '&')
			text_add(into, "&amp;");
		else if ((unsigned char)*at >= ' ')
			text_add_char(into, *at);
	}
}

/* Names are cut at their end; the whole one is the tooltip. */
static void add_name(struct text *into, const char *name)
{
	size_t columns = 0, length = 0;

	if (text_columns(name) <= GRAPH_NAME_COLUMNS) {
		add_escaped(into, name, strlen(name));
		return;
	}
	while (columns < GRAPH_NAME_COLUMNS - 1) {
		length++;
		while (((unsigned char)name[length] & 0xc0) == 0x80)
			length++;
		columns++;
	}
	add_escaped(into, name, length);
	text_add(into, "\xe2\x80\xa6");
}

/* ---- lines and boxes ---- */

static void add_line(struct text *into, const struct graph_line *line)
{
	text_format(into, "<path class=\"line\" d=\"M%.1f %.1f", line->points[0].x,
		    line->points[0].y);
	for (size_t i = 1; i < line->count; i++) {
		const struct graph_point *from = &line->points[i - 1], *to = &line->points[i];
		double middle = (from->x + to->x) / 2;

		text_format(into, " C%.1f %.1f %.1f %.1f %.1f %.1f", middle, from->y, middle, to->y,
			    to->x, to->y);
	}
	text_add(into, "\" marker-end=\"url(#tip)\"/>\n");
}

static void add_box(struct text *into, const struct graph_box *box)
{
	const char *name = json_get_string(box->layer, "name", "?");
	const char *state = json_get_string(box->layer, "state", "waiting");
	const char *message = json_get_string(box->layer, "message", "");
	int64_t attempts = json_get_int64(box->layer, "attempts", 0);
	AUTO(text_release) struct text words = TEXT_EMPTY;

	graph_layer_words(box->layer, &words);
	if (attempts > 1)
		text_format(&words, ", try %lld", (long long)attempts);
	text_format(into, "<g class=\"%s\" transform=\"translate(%.1f %.1f)\"><title>", state,
		    box->x, box->y);
	add_escaped(into, name, strlen(name));
	if (*message)
		text_add(into, ": ");
	add_escaped(into, message, strlen(message));
	text_format(into,
		    "</title><rect class=\"box\" width=\"%.1f\" height=\"%.1f\" rx=\"6\"/>"
		    "<text x=\"12\" y=\"20\">",
		    box->width, box->height);
	add_name(into, name);
	text_format(into, "</text><text class=\"word\" x=\"12\" y=\"37\">%s %s</text></g>\n",
		    sign_of(state), text_get(&words));
}

/* ---- where the time went ---- */

static const struct {
	const char *key, *name, *class;
} parts[] = {
	{ "queued_ms", "queued", "queue" },
	{ "layers_ms", "layers", "layers" },
	{ "unattributed_ms", "unattributed", "rest" },
	{ "checks_ms", "checks", "checks" },
};

/* What made it wait: the time that it was in use is another matter. */
static void add_strip(struct text *into, const json_t *timeline, double y, double width)
{
	int64_t whole = 0;
	double x = MARGIN;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		whole += json_get_int64(timeline, parts[i].key, 0);
	for (size_t i = 0; whole && i < ARRAY_SIZE(parts); i++) {
		int64_t ms = json_get_int64(timeline, parts[i].key, 0);
		double share = (width - 2 * MARGIN) * (double)ms / (double)whole;

		if (ms)
			text_format(into,
				    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"12\" "
				    "class=\"%s\"/>\n",
				    x, y, share, parts[i].class);
		x += share;
	}
	x = MARGIN;
	for (size_t i = 0; whole && i < ARRAY_SIZE(parts); i++) {
		char time[DURATION_TEXT_SIZE];
		int64_t ms = json_get_int64(timeline, parts[i].key, 0);

		duration_format(ms, time);
		text_format(into,
			    "<rect x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\" "
			    "class=\"%s\"/><text class=\"faint\" x=\"%.1f\" "
			    "y=\"%.1f\">%s %s</text>\n",
			    x, y + 24, parts[i].class, x + 15, y + 33, parts[i].name, time);
		x += 15 + 7.25 * (double)(strlen(parts[i].name) + 1 + strlen(time)) + 22;
	}
}

/* ---- all of it ---- */

static void add_header(struct text *into, const struct graph_view *view, size_t layers)
{
	int64_t ready_ms = json_get_int64(view->timeline, "until_ready_ms", 0);
	char time[DURATION_TEXT_SIZE];

	text_format(into, "<text class=\"title\" x=\"%.1f\" y=\"38\">", MARGIN);
	add_escaped(into, view->name, strlen(view->name));
	text_add(into, " is ");
	add_escaped(into, view->state, strlen(view->state));
	text_format(into, "</text><text class=\"faint\" x=\"%.1f\" y=\"58\">%zu layer%s", MARGIN,
		    layers, layers == 1 ? "" : "s");
	if (ready_ms)
		text_format(into, ", ready after %s", duration_format(ready_ms, time));
	text_add(into, "</text>\n");
}

bool graph_svg(const struct graph_view *view, struct text *into, struct error *err)
{
	AUTO(graph_layout_release) struct graph_layout layout = { .box_count = 0 };
	double width, height;

	if (!graph_layout_make(view->layers, &layout, err))
		return false;
	width = layout.width + 2 * MARGIN > WIDTH_MIN ? layout.width + 2 * MARGIN : WIDTH_MIN;
	height = HEADER + MARGIN + layout.height + MARGIN + STRIP;
	text_format(into,
		    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		    "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>",
		    width, height, width, height);
	add_escaped(into, view->name, strlen(view->name));
	text_add(into, ": layers</title>\n");
	add_style(into);
	text_format(into,
		    "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
		    "markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path class=\"tip\" "
		    "d=\"M0 0L8 4L0 8z\"/></marker></defs>\n"
		    "<rect class=\"page\" width=\"%.0f\" height=\"%.0f\"/>\n",
		    width, height);
	add_header(into, view, layout.box_count);
	text_format(into, "<g transform=\"translate(%.1f %.1f)\">\n", MARGIN, HEADER + MARGIN / 2);
	for (size_t i = 0; i < layout.line_count; i++)
		add_line(into, &layout.lines[i]);
	for (size_t i = 0; i < layout.box_count; i++)
		add_box(into, &layout.boxes[i]);
	text_add(into, "</g>\n");
	add_strip(into, view->timeline, height - STRIP, width);
	text_add(into, "</svg>\n");
	return true;
}
