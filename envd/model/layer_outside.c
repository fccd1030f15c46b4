#include "model/layer_outside.h"

#include <string.h>

#include "base/text.h"

#define SETTLE_DEFAULT_MS 60000
#define SETTLE_MAX_MS 600000
#define TAGS_MAX 20

static bool are_references(const struct layer_secret *secret)
{
	for (; secret; secret = secret->otherwise)
		if ((secret->kind != LAYER_SECRET_VARIABLE && secret->kind != LAYER_SECRET_FILE &&
		     secret->kind != LAYER_SECRET_COMMAND) ||
		    secret->when)
			return false;
	return true;
}

/* A reference under "credentials": like a secret of the configuration, without its own name. */
static bool read_credentials(const struct layer_reading *reading, const struct yaml_node *map,
			     struct layer_secret *secret)
{
	/* Its name is never shown to Pulumi; it has the form of one. */
	static char text[] = "envd:credentials";
	const struct yaml_node *node = yaml_get(map, "credentials");
	struct yaml_node key;

	if (!node)
		return true;
	key = *map->keys[0];
	key.text = text;
	return layer_secret_read(reading, &key, node, secret) &&
	       (are_references(secret) ||
		yaml_error(reading->document, node, reading->err,
			   "\"credentials\" cannot be made up: variable, file or command"));
}

/* {Stack: x} is "Stack=x"; a cloud whose tags are words has a list of them. */
static bool read_tags(const struct layer_reading *reading, const struct yaml_node *map,
		      char ***tags)
{
	const struct yaml_node *node = yaml_get(map, "tags");

	if (!node || node->kind != YAML_MAP)
		return layer_read_words(reading, map, "tags", tags);
	if (node->count > TAGS_MAX)
		return yaml_error(reading->document, node, reading->err,
				  "\"tags\" must have at most %d", TAGS_MAX);
	*tags = xcalloc(node->count + 1, sizeof(**tags));
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->kind != YAML_SCALAR || !*node->items[i]->text)
			return yaml_error(reading->document, node->items[i], reading->err,
					  "the value of a tag must be text");
		(*tags)[i] = xasprintf("%s=%s", node->keys[i]->text, node->items[i]->text);
	}
	return true;
}

static bool read_settle(const struct layer_reading *reading, const struct yaml_node *map,
			int64_t *settle_ms)
{
	*settle_ms = SETTLE_DEFAULT_MS;
	if (!yaml_get(map, "settle"))
		return true;
	return yaml_read_duration_ms(reading->document, map, "settle", settle_ms, reading->err) &&
	       (*settle_ms <= SETTLE_MAX_MS ||
		yaml_error(reading->document, yaml_get(map, "settle"), reading->err,
			   "\"settle\" must be at most 10m"));
}

/* What says that a thing is ours; without any of it nothing ever would be. */
static bool check_marks(const struct layer_reading *reading, const struct yaml_node *map,
			const struct layer_inventory *inventory)
{
	return inventory->tags || inventory->names || inventory->clusters ||
	       yaml_error(reading->document, map, reading->err,
			  "inventory \"%s\" needs \"tags\", \"names\" or \"clusters\": what "
			  "says that a thing is this environment's?",
			  inventory->provider);
}

static bool read_adapter(const struct layer_reading *reading, const struct yaml_node *map,
			 struct layer_inventory *inventory)
{
	static const char *const known[] = { "adapter",  "regions",     "clusters", "tags", "names",
					     "endpoint", "credentials", "settle",   "when", NULL };
	const struct yaml_document *document = reading->document;

	if (!yaml_only_keys(document, map, known, reading->err) ||
	    !yaml_copy_string(document, map, "adapter", NULL, &inventory->adapter, reading->err) ||
	    !yaml_copy_string(document, map, "endpoint", NULL, &inventory->endpoint,
			      reading->err) ||
	    !layer_read_words(reading, map, "regions", &inventory->regions) ||
	    !layer_read_words(reading, map, "clusters", &inventory->clusters) ||
	    !layer_read_words(reading, map, "names", &inventory->names) ||
	    !read_tags(reading, map, &inventory->tags) ||
	    !read_settle(reading, map, &inventory->settle_ms) ||
	    !read_credentials(reading, map, &inventory->credentials))
		return false;
	if (!inventory->credentials.key)
		return yaml_error(document, map, reading->err,
				  "inventory \"%s\" needs \"credentials\": variable, file or "
				  "command",
				  inventory->provider);
	return check_marks(reading, map, inventory);
}

static bool read_commands(const struct layer_reading *reading, const struct yaml_node *map,
			  struct layer_inventory *inventory)
{
	static const char *const known[] = { "list", "remove", "gone_with", "when", NULL };

	if (!yaml_only_keys(reading->document, map, known, reading->err) ||
	    !layer_read_command(reading, map, "list", &inventory->list) ||
	    !layer_read_command(reading, map, "remove", &inventory->remove) ||
	    !layer_read_words(reading, map, "gone_with", &inventory->gone_with))
		return false;
	if (inventory->gone_with && !*inventory->gone_with)
		return yaml_error(reading->document, map, reading->err,
				  "inventory \"%s\": \"gone_with\" names nobody",
				  inventory->provider);
	return inventory->list || (inventory->gone_with && !inventory->remove) ||
	       yaml_error(reading->document, map, reading->err,
			  "inventory \"%s\" needs an \"adapter\", a \"list\" or \"gone_with\"",
			  inventory->provider);
}

/* One that can tell by itself: two that wait for each other's word would prove each other gone. */
static bool tells_by_itself(const struct layer_list *list, const char *provider)
{
	const struct layer_inventory *inventory = layer_list_inventory(list, provider);

	return inventory && !inventory->gone_with;
}

static bool check_gone_with(const struct layer_reading *reading, const struct yaml_node *map,
			    const struct layer_list *list)
{
	for (size_t i = 0; i < list->inventory_count; i++)
		for (char **name = list->inventories[i].gone_with; name && *name; name++)
			if (!tells_by_itself(list, *name))
				return yaml_error(
				    reading->document, yaml_get(map->items[i], "gone_with"),
				    reading->err,
				    "inventory \"%s\": \"gone_with\" must name inventories "
				    "without \"gone_with\" (got \"%.60s\")",
				    list->inventories[i].provider, *name);
	return true;
}

bool layer_read_inventories(const struct layer_reading *reading, const struct yaml_node *root,
			    struct layer_list *list)
{
	const struct yaml_node *map = yaml_get(root, "inventory");

	if (!map)
		return true;
	if (!layer_expect_map(reading, map, "\"inventory\""))
		return false;
	list->inventories = xcalloc(map->count + 1, sizeof(*list->inventories));
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_node *item = map->items[i];
		struct layer_inventory *inventory = &list->inventories[list->inventory_count++];

		inventory->provider = xstrdup(map->keys[i]->text);
		if (!layer_expect_map(reading, item, "an inventory") ||
		    !layer_read_when(reading, item, &inventory->when) ||
		    !(yaml_get(item, "adapter") ? read_adapter(reading, item, inventory)
						: read_commands(reading, item, inventory)))
			return false;
	}
	return check_gone_with(reading, map, list);
}

bool layer_read_backend(const struct layer_reading *reading, const struct yaml_node *root,
			struct layer_list *list)
{
	static const char *const known[] = { "url", "secrets", "organization", "credentials",
					     NULL };
	const struct yaml_document *document = reading->document;
	const struct yaml_node *map = yaml_get(root, "backend");
	struct layer_backend *backend = &list->backend;

	if (!map)
		return true;
	if (!layer_expect_map(reading, map, "\"backend\"") ||
	    !yaml_only_keys(document, map, known, reading->err) ||
	    !yaml_copy_string(document, map, "url", NULL, &backend->url, reading->err) ||
	    !yaml_copy_string(document, map, "secrets", NULL, &backend->secrets, reading->err) ||
	    !yaml_copy_string(document, map, "organization", NULL, &backend->organization,
			      reading->err) ||
	    !read_credentials(reading, map, &backend->credentials))
		return false;
	if (!backend->url)
		return yaml_error(document, map, reading->err,
				  "\"backend\" needs a \"url\": s3://BUCKET?region=... or the "
				  "https:// address of Pulumi Cloud");
	return backend->credentials.key ||
	       yaml_error(document, map, reading->err,
			  "\"backend\" needs \"credentials\": variable, file or command");
}
