/*
 * compose_mounts.h - `volumes:` and `tmpfs:` of a service. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_MOUNTS_H
#define ENVD_COMPOSE_COMPOSE_MOUNTS_H

#include "compose/compose_reader.h"

/* Both add to `mounts`. */
NODISCARD bool compose_volumes_read(struct compose_reader *reader, const struct yaml_node *list,
				    struct compose_mounts *mounts, struct error *err);
NODISCARD bool compose_tmpfs_read(struct compose_reader *reader, const struct yaml_node *node,
				  struct compose_mounts *mounts, struct error *err);
void compose_mounts_release(struct compose_mounts *mounts);

#endif
