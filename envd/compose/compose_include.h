/*
 * compose_include.h - other Compose files as parts of this one: `include:`. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_INCLUDE_H
#define ENVD_COMPOSE_COMPOSE_INCLUDE_H

#include "compose/compose_load.h"

/* What the file includes is part of it, and the key is gone. */
NODISCARD bool compose_include(struct compose_loading *loading, struct yaml_node *root,
			       struct error *err);

/* NAME=value lines of a file stand in for variables that are not set; `path` NULL: FOLDER/.env, if
 * there is one. New reference. */
NODISCARD bool compose_add_variables(struct compose_loading *loading,
				     const struct compose_wanted *file, json_t **variables,
				     struct error *err);

#endif
