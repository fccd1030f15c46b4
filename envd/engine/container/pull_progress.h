/*
 * pull_progress.h - what a runtime says while it pulls an image: lines of JSON, in pieces of any
 * size, of which one may be a failure. Pure.
 */
#ifndef ENVD_ENGINE_CONTAINER_PULL_PROGRESS_H
#define ENVD_ENGINE_CONTAINER_PULL_PROGRESS_H

#include "engine/container/json_lines.h"

#define PULL_LAYERS_MAX 512 /* an image has at most 127; more are not counted */

/* Zeroed at first. */
struct pull_progress {
	struct json_lines reader;
	json_t *layers; /* {id: {"done": bool, "current": bytes, "total": bytes}} */
	char *failure;  /* the first that was said; NULL: none */
};

void pull_progress_feed(struct pull_progress *progress, const char *bytes, size_t length);
void pull_progress_end(struct pull_progress *progress); /* a last line without its newline */

/* "3 of 7 layers, 12.4 of 80.1 MB"; the caller frees. */
char *pull_progress_text(const struct pull_progress *progress);

/* Zeroed again, too. */
void pull_progress_release(struct pull_progress *progress);

#endif
