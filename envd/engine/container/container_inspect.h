/*
 * container_inspect.h - how an environment's services are, and whether they are still the ones that
 * were made.
 *
 * The runtime is not simply believed: Podman goes on saying "running" for ever when the process
 * that watched a container was killed before the container ended.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_INSPECT_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_INSPECT_H

#include "engine/container/container_runtime.h"

/* SERVICE of engine.h from the runtime's answer about a container and the lock. New reference. */
json_t *service_json(const struct engine_request *request, const char *name,
		     const json_t *inspected, const json_t *lock, const char *state,
		     const char *health);

bool container_inspect(const struct engine_request *request, struct worker_lines *lines,
		       json_t **data, struct error *err);

#endif
