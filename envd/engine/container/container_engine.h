/*
 * container_engine.h - environments out of containers, from a Compose file, on Docker or Podman.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_ENGINE_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_ENGINE_H

#include "engine/engine.h"

extern const struct engine engine_container;

#endif
