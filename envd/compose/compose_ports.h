/*
 * compose_ports.h - `ports:` and `expose:` of a service. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_PORTS_H
#define ENVD_COMPOSE_COMPOSE_PORTS_H

#include "compose/compose_reader.h"

NODISCARD bool compose_ports_read(struct compose_reader *reader, const struct yaml_node *list,
				  struct compose_ports *ports, struct error *err);
NODISCARD bool compose_expose_read(struct compose_reader *reader, const struct yaml_node *list,
				   struct compose_ports *ports, struct error *err);
void compose_ports_release(struct compose_ports *ports);

#endif
