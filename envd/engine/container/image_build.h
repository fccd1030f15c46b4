/*
 * image_build.h - `build:` of a service: its context goes to the runtime, an image comes back.
 *
 * What is built is named after everything it is built from ("localhost/envd-build/INSTANCE:HASH"),
 * and labelled LABEL_BUILT_BY and LABEL_BUILD. So a second environment of the same template finds
 * it, a changed file makes another image, and no name of the user's is ever taken or moved. Steps
 * are cached by the runtime.
 */
#ifndef ENVD_ENGINE_CONTAINER_IMAGE_BUILD_H
#define ENVD_ENGINE_CONTAINER_IMAGE_BUILD_H

#include "compose/compose.h"
#include "engine/container/container_runtime.h"

#define LABEL_BUILT_BY                                                                             \
	"envd-built-by"          /* the instance; not envd-instance: containers inherit it         \
				  */
#define LABEL_BUILD "envd-build" /* HASH */

#define BUILD_LINES_MAX 500 /* said of one build; the runtime's output may be of any length */

struct build_subject {
	const struct compose_file *file;
	const struct compose_service *service; /* has a build */
	const char *locked_id; /* of an earlier attempt, or NULL: that one if it is still there */
};

/*
 * `image`: what the runtime says of it, a new reference; `name`: the caller frees. Errors:
 * build_context, build_failed (with the output's last lines), registry_credentials, and the
 * runtime's.
 */
NODISCARD bool image_build(const struct engine_request *request, struct runtime *runtime,
			   struct worker_lines *lines, const struct build_subject *subject,
			   json_t **image, char **name, struct error *err);

#endif
