/*
 * template_read.h - what the readers of a template's parts share.
 */
#ifndef ENVD_MODEL_TEMPLATE_READ_H
#define ENVD_MODEL_TEMPLATE_READ_H

#include "base/json_read.h"
#include "base/yaml_read.h"

#define TEMPLATE_ITEMS_MAX 100 /* parameters, components, versions of one, outputs: each */

/* A parameter, a component or an output where it stands. */
struct template_item {
	const struct yaml_document *document;
	const struct yaml_node *name; /* its key */
	const struct yaml_node *map;  /* what stands under it */
};

/* [a-z][a-z0-9_-]{0,39}: what parts of a template are called. `what` is "parameter" and so on. */
NODISCARD bool template_check_key(const struct yaml_document *document, const struct yaml_node *key,
				  const char *what, struct error *err);

NODISCARD bool template_check_map(const struct template_item *item, const char *what,
				  struct error *err);

/* The key "variable", else the item's name in capitals and `suffix`; the caller frees. Names that
 * begin with ENVD_ are taken. */
NODISCARD bool template_read_variable(const struct template_item *item, const char *suffix,
				      char **variable, struct error *err);

#endif
