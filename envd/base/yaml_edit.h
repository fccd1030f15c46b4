/*
 * yaml_edit.h - changing a tree that yaml_read.h has read: copy, move, put, remove.
 *
 * A node has one owner, the node above it. What is put somewhere is taken over; what it takes the
 * place of is freed. Copies keep file, line and column, so an error still names where a thing is
 * written.
 */
#ifndef ENVD_BASE_YAML_EDIT_H
#define ENVD_BASE_YAML_EDIT_H

#include "base/yaml_read.h"

/* Counts down `*nodes_left` by the nodes copied; NULL once there are none left. */
struct yaml_node *yaml_copy(const struct yaml_node *node, size_t *nodes_left);

/* Without items; it stands where `at` stands. */
struct yaml_node *yaml_new(enum yaml_kind kind, const struct yaml_node *at);
/* A scalar without quotes; takes `text`. */
struct yaml_node *yaml_new_text(char *text, const struct yaml_node *at);

/* Where the value of a key is kept, until the map changes; NULL if it is not there, or `map` is no
 * map. */
struct yaml_node **yaml_slot(struct yaml_node *map, const char *key);
/* Moves the value out of the map, and drops its key; NULL if it is not there. */
struct yaml_node *yaml_take(struct yaml_node *map, const char *key);
/* Takes `item` over, and copies `key` if it is new. */
void yaml_put(struct yaml_node *map, const struct yaml_node *key, struct yaml_node *item);
void yaml_append(struct yaml_node *list, struct yaml_node *item);
void yaml_remove_at(struct yaml_node *node, size_t index);

#endif
