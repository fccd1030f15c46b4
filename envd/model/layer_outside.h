/*
 * layer_outside.h - what layers.yaml says of the world outside of its checkout: who can tell what
 * exists, and where the states are kept.
 */
#ifndef ENVD_MODEL_LAYER_OUTSIDE_H
#define ENVD_MODEL_LAYER_OUTSIDE_H

#include "model/layer_list.h"

/* "inventory" and "backend" of the file; without the key nothing changes. */
NODISCARD bool layer_read_inventories(const struct layer_reading *reading,
				      const struct yaml_node *root, struct layer_list *list);
NODISCARD bool layer_read_backend(const struct layer_reading *reading, const struct yaml_node *root,
				  struct layer_list *list);

#endif
