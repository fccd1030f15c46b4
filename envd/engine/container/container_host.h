/*
 * container_host.h - what a service asks of the machine, and how it is called there, in the body of
 * POST /containers/create: powers, names, its process. Pure.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_HOST_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_HOST_H

#include <jansson.h>

#include "compose/compose.h"

/* Adds to `body` and its HostConfig `host` what the file gives, and nothing else. */
void container_host_add(const struct compose_service *service, json_t *body, json_t *host);

#endif
