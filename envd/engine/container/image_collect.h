/*
 * image_collect.h - removing the images that envd pulled or built and that nothing needs any more.
 *
 * What is ours: image_marks.h. What is needed: any container of anybody, in any state, is made
 * from it. How long it has not been: runtimes do not say, so the asker keeps what each look
 * answered and gives it to the next one. An image that no look has seen unused before stays.
 *
 * request: "images": {"keep_ms", "keep_bytes", "now_ms", "unused": {ID: SINCE_MS}, "dry_run"}
 * data: {"unused": {ID: SINCE_MS}, "removed": [{"image", "bytes"}]}
 *
 * A listing that failed is an error, and nothing is removed. What was removed too early is pulled
 * by its digest, or built, again.
 */
#ifndef ENVD_ENGINE_CONTAINER_IMAGE_COLLECT_H
#define ENVD_ENGINE_CONTAINER_IMAGE_COLLECT_H

#include "engine/engine.h"

/* Not even for want of space: somebody may be about to use it. */
#define IMAGE_UNUSED_MIN_MS ((int64_t)30 * 60000)

bool container_images(const struct engine_request *request, struct worker_lines *lines,
		      json_t **data, struct error *err);

#endif
