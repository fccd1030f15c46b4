/*
 * container_image.h - image references become image ids, which cannot move.
 *
 * First images_find(), which asks what the target has; then images_fetch(), which pulls what it
 * has not. In between is the time to look whether the target can run them at all.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_IMAGE_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_IMAGE_H

#include "compose/compose.h"
#include "engine/container/container_runtime.h"

struct image_wish {
	const char *service;
	const char *reference; /* as the Compose file has it; NULL: not to be looked for */
	const char *platform;  /* as the file has it, or NULL */
	enum compose_pull pull;
	const char *locked_id;     /* of an earlier attempt, or NULL: then exactly this one */
	const char *locked_digest; /* REPOSITORY@DIGEST it can be pulled by again, or NULL */

	bool was_there; /* answered: the target had it, and what a pull brings is not ours alone */
	json_t *image;  /* answered: what the runtime says of it; the caller releases */
};

/* All at once; what is not there, or is to be pulled again, stays without `image`. Errors:
 * image_missing, where it may not be pulled, and image_invalid, naming image and service. */
NODISCARD bool images_find(struct runtime *runtime, struct image_wish *wishes, size_t count,
			   struct error *err);

/* Errors: image_pull.h. */
NODISCARD bool images_fetch(const struct engine_request *request, struct runtime *runtime,
			    struct worker_lines *lines, struct image_wish *wishes, size_t count,
			    struct error *err);

/* Error: wrong_architecture, of what the wish asks for and of what was found. After
 * runtime_take_info(). */
NODISCARD bool image_check_architecture(const struct runtime *runtime,
					const struct image_wish *wish, struct error *err);

#endif
