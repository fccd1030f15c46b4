/*
 * container_create.h - an environment from its plan: networks and volumes, then every service as
 * soon as what it needs is there.
 *
 * Repeatable: what an earlier attempt left running and would be made the same again is kept,
 * anything else of ours is replaced.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_CREATE_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_CREATE_H

#include "engine/engine.h"

bool container_create(const struct engine_request *request, struct worker_lines *lines,
		      json_t **data, struct error *err);

#endif
