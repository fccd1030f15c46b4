/*
 * container_inventory.h - what is there with our labels: containers, networks, volumes.
 *
 * Images are not in it: they are the machine's, not an environment's.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_INVENTORY_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_INVENTORY_H

#include "engine/container/container_runtime.h"

/*
 * ITEMs of engine.h, each with "labels" and (containers) "state" added; see engine.h for the rest.
 * `environment` NULL: of the whole instance. False if any listing failed: `*items` is then set too,
 * to what could be listed, and is not the whole. New reference.
 */
NODISCARD bool inventory_take(struct runtime *runtime, const char *instance,
			      const struct env_id *environment, json_t **items, struct error *err);

/* The item of this kind and name, or NULL. */
const json_t *inventory_find(const json_t *items, const char *kind, const char *name);

bool container_inventory(const struct engine_request *request, const struct env_id *environment,
			 struct worker_lines *lines, json_t **data, struct error *err);

#endif
