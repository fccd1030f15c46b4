#include "model/layer_change.h"

#include <string.h>

#include "base/text.h"
#include "model/layer_config.h"

#define CHANGES_MAX 200

static bool read_rewrite(const struct layer_reading *reading, const struct yaml_node *map,
			 struct layer_change *change)
{
	static const char *const known[] = { "rewrite", "key",    "matching", "pin",
					     "to",      "reason", "when",     NULL };
	const struct yaml_document *document = reading->document;

	if (!yaml_only_keys(document, map, known, reading->err) ||
	    !layer_read_path(reading, map, "rewrite", NULL, &change->what) ||
	    !yaml_copy_string(document, map, "key", NULL, &change->key, reading->err) ||
	    !yaml_copy_string(document, map, "matching", "*", &change->matching, reading->err) ||
	    !yaml_copy_string(document, map, "pin", NULL, &change->pin, reading->err) ||
	    !yaml_copy_string(document, map, "to", NULL, &change->to, reading->err))
		return false;
	if (!change->key || !*change->key ||
	    strspn(change->key, layer_name_letters) != strlen(change->key))
		return yaml_error(document, map, reading->err,
				  "a rewrite needs a \"key\", such as image");
	return !change->pin != !change->to ||
	       yaml_error(document, map, reading->err, "a rewrite needs either \"pin\" or \"to\"");
}

static bool read_patch(const struct layer_reading *reading, const struct yaml_node *map,
		       struct layer_change *change)
{
	static const char *const known[] = { "patch", "reason", "when", NULL };

	change->kind = LAYER_CHANGE_PATCH;
	return yaml_only_keys(reading->document, map, known, reading->err) &&
	       layer_read_path(reading, map, "patch", NULL, &change->what);
}

static bool read_copy(const struct layer_reading *reading, const struct yaml_node *map,
		      struct layer_change *change)
{
	static const char *const known[] = { "copy", "to", "reason", "when", NULL };

	change->kind = LAYER_CHANGE_COPY;
	if (!yaml_only_keys(reading->document, map, known, reading->err) ||
	    !layer_read_path(reading, map, "copy", NULL, &change->what) ||
	    !layer_read_path(reading, map, "to", NULL, &change->to))
		return false;
	return (change->to && *change->to) ||
	       yaml_error(reading->document, map, reading->err,
			  "a copy needs \"to\", a path in the checkout");
}

static bool read_config(const struct layer_reading *reading, const struct yaml_node *map,
			struct layer_change *change)
{
	static const char *const known[] = { "config", "reason", "when", NULL };

	change->kind = LAYER_CHANGE_CONFIG;
	return yaml_only_keys(reading->document, map, known, reading->err) &&
	       layer_plain_read(reading, yaml_get(map, "config"), &change->config);
}

static bool read_one(const struct layer_reading *reading, const struct yaml_node *map,
		     struct layer_change *change)
{
	static const struct {
		const char *key;
		bool (*read)(const struct layer_reading *reading, const struct yaml_node *map,
			     struct layer_change *change);
	} kinds[] = {
		{ "rewrite", read_rewrite },
		{ "patch", read_patch },
		{ "copy", read_copy },
		{ "config", read_config },
	};
	size_t kind = 0;

	if (!layer_expect_map(reading, map, "a change"))
		return false;
	while (kind < ARRAY_SIZE(kinds) && !yaml_get(map, kinds[kind].key))
		kind++;
	if (kind == ARRAY_SIZE(kinds))
		return yaml_error(reading->document, map, reading->err,
				  "a change needs one of rewrite, patch, copy and config");
	if (!kinds[kind].read(reading, map, change) ||
	    !yaml_copy_string(reading->document, map, "reason", NULL, &change->reason,
			      reading->err) ||
	    !layer_read_when(reading, map, &change->when))
		return false;
	/* Who meets it later must be able to tell whether it is still needed. */
	return (change->reason && *change->reason) ||
	       yaml_error(reading->document, map, reading->err, "a change needs a \"reason\"");
}

bool layer_changes_read(const struct layer_reading *reading, const struct yaml_node *map,
			struct layer_change **changes, size_t *count)
{
	const struct yaml_node *node = yaml_get(map, "changes");

	if (!node)
		return true;
	if (node->kind != YAML_LIST || node->count > CHANGES_MAX)
		return yaml_error(reading->document, node, reading->err,
				  "\"changes\" must be a list of at most %d changes", CHANGES_MAX);
	*changes = xcalloc(node->count + 1, sizeof(**changes));
	for (size_t i = 0; i < node->count; i++)
		if (!read_one(reading, node->items[i], &(*changes)[(*count)++]))
			return false;
	return true;
}

void layer_changes_free(struct layer_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(changes[i].what);
		free(changes[i].reason);
		json_decref(changes[i].when);
		free(changes[i].key);
		free(changes[i].matching);
		free(changes[i].pin);
		free(changes[i].to);
		json_decref(changes[i].config);
	}
	free(changes);
}
