/*
 * compose_build.h - from the whole tree of a Compose file to its data. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_BUILD_H
#define ENVD_COMPOSE_COMPOSE_BUILD_H

#include "compose/compose_reader.h"

/* Fills in reader->file and checks it; `root` may lose what was only there to be reset. */
NODISCARD bool compose_build(struct compose_reader *reader, struct yaml_node *root,
			     struct error *err);

#endif
