/*
 * compose_service.h - one service of a Compose file. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_SERVICE_H
#define ENVD_COMPOSE_COMPOSE_SERVICE_H

#include "compose/compose_reader.h"

/* `service` is empty before; after a failure it is half filled in, for compose_service_release().
 */
NODISCARD bool compose_service_read(struct compose_reader *reader, const struct yaml_node *name,
				    const struct yaml_node *map, struct compose_service *service,
				    struct error *err);
void compose_service_release(struct compose_service *service);

#endif
