/*
 * compose_image.h - where a service's image comes from: `image:`, `build:`, `pull_policy:` and
 * `platform:`. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_IMAGE_H
#define ENVD_COMPOSE_COMPOSE_IMAGE_H

#include "compose/compose_reader.h"

NODISCARD bool compose_image_read(struct compose_reader *reader, const struct yaml_node *node,
				  struct compose_service *service, struct error *err);
NODISCARD bool compose_build_read(struct compose_reader *reader, const struct yaml_node *node,
				  struct compose_service *service, struct error *err);
NODISCARD bool compose_pull_policy_read(struct compose_reader *reader, const struct yaml_node *node,
					struct compose_service *service, struct error *err);
NODISCARD bool compose_platform_read(struct compose_reader *reader, const struct yaml_node *node,
				     struct compose_service *service, struct error *err);

/* Do they fit together? When all keys of a service have been read. */
NODISCARD bool compose_image_check(struct compose_reader *reader, const struct yaml_node *name,
				   const struct compose_service *service, struct error *err);

void compose_image_release(struct compose_service *service);

#endif
