/*
 * layer_read.h - for the files that read layers.yaml together, and nobody else.
 */
#ifndef ENVD_MODEL_LAYER_READ_H
#define ENVD_MODEL_LAYER_READ_H

#include "base/yaml_read.h"
#include "model/layer_list.h"

struct reading {
	const struct yaml_document *document;
	struct error *err;
};

/* A list of words under `key`, ended by NULL; `*words` stays as it is when there is none. */
NODISCARD bool layer_read_words(const struct reading *reading, const struct yaml_node *map,
				const char *key, char ***words);
/* The same for something to run: never an empty list. */
NODISCARD bool layer_read_command(const struct reading *reading, const struct yaml_node *map,
				  const char *key, char ***words);
NODISCARD bool layer_expect_map(const struct reading *reading, const struct yaml_node *node,
				const char *what);
NODISCARD bool layer_read_secret(const struct reading *reading, const struct yaml_node *key,
				 const struct yaml_node *map, struct layer_secret *secret);

/* layer_outside.c: what is outside of the checkout. */
NODISCARD bool layer_read_inventories(const struct reading *reading, const struct yaml_node *root,
				      struct layer_list *list);
NODISCARD bool layer_read_backend(const struct reading *reading, const struct yaml_node *root,
				  struct layer_list *list);

#endif
