#include "model/layer_forward.h"

#include <stdlib.h>
#include <string.h>

static bool is_label(const char *text)
{
	size_t length = strlen(text);

	return length && length <= 63 && *text != '-' && text[length - 1] != '-' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool read_label(const struct yaml_document *document, const struct yaml_node *map,
		       const char *key, char **label, struct error *err)
{
	const char *text;

	if (!yaml_read_string(document, map, key, &text, err))
		return false;
	if (!is_label(text))
		return yaml_error(document, yaml_get(map, key), err,
				  "\"%s\" must be a name of Kubernetes: a-z, 0-9, \"-\"", key);
	*label = xstrdup(text);
	return true;
}

static bool read_port(const struct yaml_document *document, const struct yaml_node *map,
		      const char *key, int64_t *port, struct error *err)
{
	if (!yaml_read_int64(document, map, key, port, err))
		return false;
	return (*port >= 1 && *port <= 65535) ||
	       yaml_error(document, yaml_get(map, key), err, "\"%s\" must be 1 to 65535", key);
}

static bool read_one(const struct yaml_document *document, const struct yaml_node *name,
		     const struct yaml_node *map, struct layer_forward *forward, struct error *err)
{
	static const char *const known[] = { "namespace", "service", "port", "local", NULL };

	if (!is_label(name->text))
		return yaml_error(document, name, err,
				  "a forward's name has only a-z, 0-9 and \"-\"");
	forward->name = xstrdup(name->text);
	if (map->kind != YAML_MAP)
		return yaml_error(document, map, err, "a forward must be a map");
	return yaml_only_keys(document, map, known, err) &&
	       read_label(document, map, "namespace", &forward->namespace, err) &&
	       read_label(document, map, "service", &forward->service, err) &&
	       read_port(document, map, "port", &forward->port, err) &&
	       (!yaml_get(map, "local") || read_port(document, map, "local", &forward->local, err));
}

bool layer_forwards_read(const struct yaml_document *document, const struct yaml_node *root,
			 struct layer_forwards *forwards, struct error *err)
{
	const struct yaml_node *map = yaml_get(root, "forwards");

	if (!map)
		return true;
	if (map->kind != YAML_MAP || map->count > FORWARDS_MAX)
		return yaml_error(document, map, err,
				  "\"forwards\" must be a map of at most %d names", FORWARDS_MAX);
	forwards->items = xcalloc(map->count + 1, sizeof(*forwards->items));
	for (size_t i = 0; i < map->count; i++)
		if (!read_one(document, map->keys[i], map->items[i],
			      &forwards->items[forwards->count++], err))
			return false;
	return true;
}

void layer_forwards_release(struct layer_forwards *forwards)
{
	for (size_t i = 0; i < forwards->count; i++) {
		free(forwards->items[i].name);
		free(forwards->items[i].namespace);
		free(forwards->items[i].service);
	}
	free(forwards->items);
	*forwards = (struct layer_forwards){ NULL, 0 };
}

const struct layer_forward *layer_forward_find(const struct layer_forwards *forwards,
					       const char *name)
{
	for (size_t i = 0; i < forwards->count; i++)
		if (strcmp(forwards->items[i].name, name) == 0)
			return &forwards->items[i];
	return NULL;
}

json_t *layer_forwards_json(const struct layer_forwards *forwards)
{
	json_t *list = json_array();

	for (size_t i = 0; i < forwards->count; i++) {
		const struct layer_forward *forward = &forwards->items[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", forward->name,
						"namespace", forward->namespace, "service",
						forward->service, "port", (json_int_t)forward->port,
						"local", (json_int_t)forward->local));
	}
	return list;
}
