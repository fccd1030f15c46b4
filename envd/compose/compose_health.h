/*
 * compose_health.h - `healthcheck:` of a service. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_HEALTH_H
#define ENVD_COMPOSE_COMPOSE_HEALTH_H

#include "compose/compose_reader.h"

/* The specification's defaults, for services without a health check in the file. */
struct compose_health compose_health_default(void);

NODISCARD bool compose_health_read(struct compose_reader *reader, const struct yaml_node *map,
				   struct compose_health *health, struct error *err);

#endif
