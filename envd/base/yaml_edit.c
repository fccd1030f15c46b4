#include "base/yaml_edit.h"

#include <string.h>

/* Room for one more. The reader's own growth is by powers of two and never needed again here. */
static void make_room(struct yaml_node *node)
{
	node->items = xrealloc(node->items, node->count + 1, sizeof(*node->items));
	if (node->kind == YAML_MAP)
		node->keys = xrealloc(node->keys, node->count + 1, sizeof(*node->keys));
}

struct yaml_node *yaml_new(enum yaml_kind kind, const struct yaml_node *at)
{
	struct yaml_node *node = xcalloc(1, sizeof(*node));

	node->kind = kind;
	node->file = at->file;
	node->line = at->line;
	node->column = at->column;
	node->layer = at->layer;
	return node;
}

struct yaml_node *yaml_new_text(char *text, const struct yaml_node *at)
{
	struct yaml_node *node = yaml_new(YAML_SCALAR, at);

	node->text = text;
	node->is_plain = true;
	return node;
}

struct yaml_node *yaml_copy(const struct yaml_node *node, size_t *nodes_left)
{
	AUTO(yaml_node_free) struct yaml_node *copy = NULL;

	if (*nodes_left == 0)
		return NULL;
	--*nodes_left;
	copy = yaml_new(node->kind, node);
	copy->is_plain = node->is_plain;
	copy->tag = node->tag;
	copy->text = node->text ? xstrdup(node->text) : NULL;
	for (size_t i = 0; i < node->count; i++) {
		AUTO(yaml_node_free)
		struct yaml_node *key = node->keys ? yaml_copy(node->keys[i], nodes_left) : NULL;
		struct yaml_node *item = yaml_copy(node->items[i], nodes_left);

		if (!item)
			return NULL;
		make_room(copy);
		if (node->keys)
			copy->keys[copy->count] = TAKE(key);
		copy->items[copy->count++] = item;
	}
	return TAKE(copy);
}

static size_t index_of(const struct yaml_node *map, const char *key)
{
	size_t i = 0;

	while (i < map->count && strcmp(map->keys[i]->text, key) != 0)
		i++;
	return i;
}

struct yaml_node **yaml_slot(struct yaml_node *map, const char *key)
{
	size_t i;

	if (map->kind != YAML_MAP)
		return NULL;
	i = index_of(map, key);
	return i < map->count ? &map->items[i] : NULL;
}

void yaml_remove_at(struct yaml_node *node, size_t index)
{
	size_t after = node->count - index - 1;

	yaml_node_free(node->items[index]);
	memmove(node->items + index, node->items + index + 1, after * sizeof(*node->items));
	if (node->keys) {
		yaml_node_free(node->keys[index]);
		memmove(node->keys + index, node->keys + index + 1, after * sizeof(*node->keys));
	}
	node->count--;
}

struct yaml_node *yaml_take(struct yaml_node *map, const char *key)
{
	struct yaml_node **slot = yaml_slot(map, key), *item;

	if (!slot)
		return NULL;
	item = TAKE(*slot);
	yaml_remove_at(map, (size_t)(slot - map->items));
	return item;
}

void yaml_put(struct yaml_node *map, const struct yaml_node *key, struct yaml_node *item)
{
	size_t i = index_of(map, key->text);

	if (i < map->count) {
		yaml_node_free(map->items[i]);
		map->items[i] = item;
		return;
	}
	make_room(map);
	map->keys[map->count] = yaml_new_text(xstrdup(key->text), key);
	map->items[map->count++] = item;
}

void yaml_append(struct yaml_node *list, struct yaml_node *item)
{
	make_room(list);
	list->items[list->count++] = item;
}
