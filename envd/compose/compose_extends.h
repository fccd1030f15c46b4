/*
 * compose_extends.h - services that are built on others: `extends:`. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_EXTENDS_H
#define ENVD_COMPOSE_COMPOSE_EXTENDS_H

#include "compose/compose_load.h"

/* Every `extends` of the file's services is followed and gone. */
NODISCARD bool compose_extend(struct compose_loading *loading, struct yaml_node *root,
			      struct error *err);

#endif
