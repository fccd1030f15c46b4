/*
 * compose_merge.h - one tree over another, by the rules of the Compose specification ("Merge and
 * override"): maps key by key, lists one behind the other, values replaced. For compose/ only.
 *
 * Items of a list that came from the upper tree get a higher yaml_node.layer: whoever reads a list
 * of things with names lets a later layer win over an earlier one, where a name that is there twice
 * in one layer is a mistake.
 */
#ifndef ENVD_COMPOSE_COMPOSE_MERGE_H
#define ENVD_COMPOSE_COMPOSE_MERGE_H

#include "base/yaml_edit.h"
#include "compose/compose_reader.h"

/* "!reset" drops what the lower tree has, "!override" keeps nothing of it; ends with NULL. */
extern const char *const compose_tags[];

/* Takes both over, also when it fails. `path` is what they are: "" for whole files, "services.*"
 * for services. */
NODISCARD bool compose_merge(const struct compose_reader *reader, struct yaml_node *base,
			     struct yaml_node *over, const char *path, struct yaml_node **merged,
			     struct error *err);

/* What had nothing to be reset. */
void compose_drop_resets(struct yaml_node *node);

#endif
