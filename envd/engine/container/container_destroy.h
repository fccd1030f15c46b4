/*
 * container_destroy.h - nothing of an environment is left: containers, then networks, then volumes.
 *
 * What is to be removed is found by label, not from a plan or a lock: those may be gone, or wrong.
 * "Not found" is success. A thing that cannot be removed does not keep the others.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_DESTROY_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_DESTROY_H

#include "engine/engine.h"

bool container_destroy(const struct engine_request *request, struct worker_lines *lines,
		       json_t **data, struct error *err);

/* After an ending that nobody saw: removes containers that never started. What runs stays, for
 * `create` to go on with. */
bool container_recover(const struct engine_request *request, struct worker_lines *lines,
		       json_t **data, struct error *err);

#endif
