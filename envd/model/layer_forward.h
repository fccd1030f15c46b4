/*
 * layer_forward.h - ports in an environment's cluster that people look at, by name: `forwards` of
 * layers.yaml.
 */
#ifndef ENVD_MODEL_LAYER_FORWARD_H
#define ENVD_MODEL_LAYER_FORWARD_H

#include <jansson.h>
#include <stdint.h>

#include "base/yaml_read.h"

#define FORWARDS_MAX 20

struct layer_forward {
	char *name;
	char *namespace;
	char *service;
	int64_t port;  /* of the service */
	int64_t local; /* where it is looked for on one's own machine; 0: anywhere */
};

struct layer_forwards {
	struct layer_forward *items;
	size_t count;
};

/* Of the map `root`; nothing is fine. ERR_INVALID with the place in the file. */
NODISCARD bool layer_forwards_read(const struct yaml_document *document,
				   const struct yaml_node *root, struct layer_forwards *forwards,
				   struct error *err);
void layer_forwards_release(struct layer_forwards *forwards);

/* NULL: there is none of this name. */
const struct layer_forward *layer_forward_find(const struct layer_forwards *forwards,
					       const char *name);

/* [{"name", "namespace", "service", "port", "local"}]; new reference. */
json_t *layer_forwards_json(const struct layer_forwards *forwards);

#endif
