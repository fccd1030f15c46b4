/*
 * compose_command.h - `command:` and `entrypoint:` of a service. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_COMMAND_H
#define ENVD_COMPOSE_COMPOSE_COMMAND_H

#include "compose/compose_reader.h"

NODISCARD bool compose_command_read(struct compose_reader *reader, const struct yaml_node *node,
				    const char *what, struct compose_command *command,
				    struct error *err);

#endif
