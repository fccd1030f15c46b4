#include "engine/container/pull_progress.h"

#include <inttypes.h>
#include <string.h>

static bool is_done(const char *status)
{
	return strcmp(status, "Download complete") == 0 || strcmp(status, "Pull complete") == 0 ||
	       strcmp(status, "Already exists") == 0;
}

static void note_layer(struct pull_progress *progress, const json_t *line)
{
	const char *id = json_get_string(line, "id", NULL);
	const char *status = json_get_string(line, "status", "");
	const json_t *detail = json_object_get(line, "progressDetail");
	json_t *layer;

	/* The first line's id is the tag. */
	if (!id || text_starts_with(status, "Pulling from"))
		return;
	if (!progress->layers)
		progress->layers = json_object();
	layer = json_object_get(progress->layers, id);
	if (!layer) {
		if (json_object_size(progress->layers) >= PULL_LAYERS_MAX)
			return;
		layer = json_object();
		json_object_set_new(progress->layers, id, layer);
	}
	if (is_done(status))
		json_object_set_new(layer, "done", json_true());
	if (strcmp(status, "Downloading") == 0) {
		json_object_set_new(layer, "current",
				    json_integer(json_get_int64(detail, "current", 0)));
		json_object_set_new(layer, "total",
				    json_integer(json_get_int64(detail, "total", 0)));
	}
}

static void on_line(void *arg, const json_t *line)
{
	struct pull_progress *progress = arg;

	if (json_get_string(line, "error", NULL) && !progress->failure)
		progress->failure = xstrdup(json_get_string(line, "error", ""));
	note_layer(progress, line);
}

void pull_progress_feed(struct pull_progress *progress, const char *bytes, size_t length)
{
	progress->reader.on_line = on_line;
	progress->reader.arg = progress;
	json_lines_feed(&progress->reader, bytes, length);
}

void pull_progress_end(struct pull_progress *progress)
{
	json_lines_end(&progress->reader);
}

char *pull_progress_text(const struct pull_progress *progress)
{
	int64_t current = 0, total = 0;
	size_t done = 0;
	const char *id;
	json_t *layer;

	if (!json_object_size(progress->layers))
		return xstrdup("waiting for the registry");
	json_object_foreach(progress->layers, id, layer) {
		done += json_get_bool(layer, "done", false);
		current += json_get_bool(layer, "done", false)
			       ? json_get_int64(layer, "total", 0)
			       : json_get_int64(layer, "current", 0);
		total += json_get_int64(layer, "total", 0);
	}
	if (total <= 0) /* Podman tells no sizes */
		return xasprintf("%zu of %zu layers", done, json_object_size(progress->layers));
	return xasprintf("%zu of %zu layers, %.1f of %.1f MB", done,
			 json_object_size(progress->layers), (double)current / 1e6,
			 (double)total / 1e6);
}

void pull_progress_release(struct pull_progress *progress)
{
	json_lines_release(&progress->reader);
	json_decref(progress->layers);
	free(progress->failure);
	*progress = (struct pull_progress){ 0 };
}
