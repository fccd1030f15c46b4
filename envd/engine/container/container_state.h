/*
 * container_state.h - the runtime's own words about an environment, unjudged: for evidence.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_STATE_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_STATE_H

#include "engine/engine.h"

/* data: {"runtime", "version", "items": [ITEM...], "containers": {name: inspect}, "processes":
 * {name: top}, "networks": {name: inspect}}. What could not be read is {"error": sentence} in its
 * place: evidence of half a disaster is better than none. */
bool container_state(const struct engine_request *request, struct worker_lines *lines,
		     json_t **data, struct error *err);

#endif
