#include "cli/progress.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/text.h"

enum { LAYERS_MAX = 500 };

struct progress {
	const struct progress_kind *kind;
	struct progress_view view;
	bool has_ended;
};

const char *const progress_modes[] = { "auto", "tty", "plain", "json", "quiet", NULL };

static void quiet_change(const struct progress_view *view, const json_t *row)
{
	(void)view;
	(void)row;
}

static void quiet_tick(struct progress_view *view)
{
	(void)view;
}

static void quiet_end(const struct progress_view *view)
{
	(void)view;
}

static const struct progress_kind progress_quiet = {
	.name = "quiet",
	.change = quiet_change,
	.tick = quiet_tick,
	.end = quiet_end,
};

static const struct progress_kind *const kinds[] = {
	&progress_tty,
	&progress_plain,
	&progress_json,
	&progress_quiet,
};

static const struct progress_kind *kind_for(const char *mode, const struct terminal *terminal)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (text_equal(kinds[i]->name, mode))
			return kinds[i];
	return terminal->is_terminal && !text_equal(getenv("TERM"), "dumb") ? &progress_tty
									    : &progress_plain;
}

struct progress *progress_new(const char *mode, const struct terminal *terminal)
{
	struct progress *progress = xcalloc(1, sizeof(*progress));

	progress->kind = kind_for(mode, terminal);
	progress->view.terminal = *terminal;
	progress->view.began_ms = progress->view.changed_ms = clock_mono_ms();
	return progress;
}

void progress_free(struct progress *progress)
{
	if (!progress)
		return;
	progress_end(progress);
	for (size_t i = 0; i < progress->view.layer_count; i++)
		free(progress->view.layers[i].name);
	free(progress->view.layers);
	free(progress->view.name);
	free(progress);
}

/* ---- what is known ---- */

static struct progress_layer *layer_named(struct progress_view *view, const char *name)
{
	struct progress_layer *layer;

	for (size_t i = 0; i < view->layer_count; i++)
		if (text_equal(view->layers[i].name, name))
			return &view->layers[i];
	if (view->layer_count == LAYERS_MAX)
		return &view->layers[LAYERS_MAX - 1];
	view->layers = xrealloc(view->layers, view->layer_count + 1, sizeof(*view->layers));
	layer = &view->layers[view->layer_count++];
	*layer = (struct progress_layer){ .name = xstrdup(name) };
	return layer;
}

static void note_layer(struct progress_view *view, const json_t *row)
{
	const json_t *data = json_object_get(row, "data");
	struct progress_layer *layer = layer_named(view, json_get_string(data, "name", "?"));

	text_printable(json_get_string(data, "state", "started"), layer->state,
		       sizeof(layer->state));
	layer->elapsed_ms = json_get_int64(data, "elapsed_ms", 0);
	if (text_equal(layer->state, "started"))
		layer->since_ms = clock_mono_ms();
}

static void note(struct progress_view *view, const json_t *row)
{
	const char *kind = json_get_string(row, "kind", "");

	if (!view->name && json_has(row, "name"))
		view->name = xstrdup(json_get_string(row, "name", ""));
	if (json_has(row, "state"))
		text_printable(json_get_string(row, "state", ""), view->state, sizeof(view->state));
	if (text_equal(kind, "layer"))
		note_layer(view, row);
	else if (*json_get_string(row, "message", ""))
		text_printable(json_get_string(row, "message", ""), view->message,
			       sizeof(view->message));
}

void progress_begin(struct progress *progress, const char *name, const char *state)
{
	if (!progress->view.name && name)
		progress->view.name = xstrdup(name);
	if (!progress->view.state[0])
		text_printable(state, progress->view.state, sizeof(progress->view.state));
}

void progress_change(struct progress *progress, const json_t *row)
{
	if (progress->has_ended)
		return;
	note(&progress->view, row);
	progress->kind->change(&progress->view, row);
	progress->view.changed_ms = clock_mono_ms();
}

void progress_tick(struct progress *progress)
{
	if (!progress->has_ended)
		progress->kind->tick(&progress->view);
}

void progress_say(struct progress *progress, const char *format, ...)
{
	AUTO(json_decref) json_t *row = NULL;
	char words[200], at[CLOCK_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	row = json_pack("{s:s, s:s, s:s}", "kind", "client", "message", words, "at",
			clock_format(clock_wall_ms(), at));
	if (row)
		progress_change(progress, row);
}

void progress_end(struct progress *progress)
{
	if (progress->has_ended)
		return;
	progress->kind->end(&progress->view);
	progress->has_ended = true;
}
