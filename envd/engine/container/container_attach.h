/*
 * container_attach.h - a command in a container with a client at the other end (engine.h).
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_ATTACH_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_ATTACH_H

#include "engine/engine.h"

bool container_attach(const struct engine_request *request,
		      const struct engine_attachment *attachment, struct worker_lines *lines,
		      struct error *err);

#endif
