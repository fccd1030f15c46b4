/*
 * look_schema.h - what is seen of an environment by looking into it: layers (layers_json.c),
 * resources and updates, which its engine's books hold.
 */
#ifndef ENVD_WIRE_LOOK_SCHEMA_H
#define ENVD_WIRE_LOOK_SCHEMA_H

#include "wire/schema.h"

extern const struct schema look_layer_schema;
extern const struct schema look_resource_schema;
extern const struct schema look_update_schema;
extern const struct schema look_update_resource_schema;
extern const struct schema look_attribute_schema;

#endif
