/*
 * container_image.h - image references become image ids, which cannot move.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_IMAGE_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_IMAGE_H

#include "engine/container/container_runtime.h"

struct image_wish {
	const char *service;
	const char *reference; /* as the Compose file has it */
	const char *locked_id; /* of an earlier attempt, or NULL: then exactly this one */

	json_t *image; /* answered: what the runtime says of it; the caller releases */
};

/*
 * All at once. What is not there is pulled, unless its reference starts with "localhost/", which
 * only this machine can have. Errors: image_missing (naming image and service), image_invalid.
 */
NODISCARD bool images_resolve(struct runtime *runtime, struct worker_lines *lines,
			      struct image_wish *wishes, size_t count, struct error *err);

/* Error: wrong_architecture. After runtime_take_info(). */
NODISCARD bool image_check_architecture(const struct runtime *runtime,
					const struct image_wish *wish, struct error *err);

/* Is this the form of a reference? Everything else would be a path into the runtime's API. */
bool image_reference_is_valid(const char *reference);

#endif
