/*
 * compose_variables.h - what a service finds in its process's environment: `environment:` and
 * `env_file:`. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_VARIABLES_H
#define ENVD_COMPOSE_COMPOSE_VARIABLES_H

#include "compose/compose_reader.h"

NODISCARD bool compose_environment_read(struct compose_reader *reader, const struct yaml_node *node,
					struct compose_service *service, struct error *err);
/* After `environment`, which wins over the files. */
NODISCARD bool compose_env_file_read(struct compose_reader *reader, const struct yaml_node *node,
				     struct compose_service *service, struct error *err);

#endif
