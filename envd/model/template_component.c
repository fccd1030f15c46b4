#include "model/template_component.h"

#include <string.h>

#include "base/text.h"
#include "model/template_read.h"

static const char placeholder[] = "{version}";

bool template_component_is_group(const struct template_component *component)
{
	return component->members[0] != NULL;
}

bool template_component_has_version(const struct template_component *component, const char *version)
{
	char **known = component->versions;

	if (!*known)
		return true;
	for (; *known; known++)
		if (strcmp(*known, version) == 0)
			return true;
	return false;
}

bool template_version_is_valid(const char *version)
{
	size_t length = strlen(version);

	return length >= 1 && length <= 128 && !strchr(".-+", version[0]) &&
	       strspn(version,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+") ==
		   length;
}

/* The list at `key` as copies that end with NULL; no key, no entries. `check` is asked about each.
 */
static bool read_list(const struct template_item *item, const char *key,
		      bool (*check)(const struct template_item *item, const struct yaml_node *node,
				    struct error *err),
		      char ***list, struct error *err)
{
	const struct yaml_node *node = yaml_get(item->map, key);
	size_t count = node ? node->count : 0;

	if (node && (node->kind != YAML_LIST || !count))
		return yaml_error(item->document, node, err,
				  "\"%s\" must be a list with something in it", key);
	if (count > TEMPLATE_ITEMS_MAX)
		return yaml_error(item->document, node, err, "\"%s\": more than %d", key,
				  TEMPLATE_ITEMS_MAX);
	*list = xcalloc(count + 1, sizeof(**list));
	for (size_t i = 0; i < count; i++) {
		if (!check(item, node->items[i], err))
			return false;
		for (size_t j = 0; j < i; j++)
			if (strcmp((*list)[j], node->items[i]->text) == 0)
				return yaml_error(item->document, node->items[i], err,
						  "\"%s\" is there twice", (*list)[j]);
		(*list)[i] = xstrdup(node->items[i]->text);
	}
	return true;
}

/* 1.20 without quotes is the number 1.2 to every other reader of YAML. */
static bool check_version(const struct template_item *item, const struct yaml_node *node,
			  struct error *err)
{
	AUTO(json_decref) json_t *seen = yaml_to_json(node);

	if (json_is_number(seen)) {
		yaml_error(item->document, node, err, "version %s must be in quotes", node->text);
		return error_hint(err,
				  "write \"%s\": without quotes it is a number, and 1.20 is 1.2",
				  node->text);
	}
	if (!json_is_string(seen) || !template_version_is_valid(node->text))
		return yaml_error(item->document, node, err,
				  "a version is 1 to 128 letters, digits, \".\", \"_\", \"-\" and "
				  "\"+\", in quotes");
	return true;
}

static bool check_member(const struct template_item *item, const struct yaml_node *node,
			 struct error *err)
{
	return template_check_key(item->document, node, "member", err);
}

static bool read_group(const struct template_item *item, struct template_component *component,
		       struct error *err)
{
	static const char *const known[] = { "members", "versions", "description", NULL };

	component->variable = NULL;
	return yaml_only_keys(item->document, item->map, known, err) ||
	       error_hint(err, "a group has members and versions; all else is its members' to say");
}

static bool read_default(const struct template_item *item, struct template_component *component,
			 struct error *err)
{
	const struct yaml_node *node = yaml_get(item->map, "default");

	if (!node)
		return yaml_error(item->document, item->map, err, "\"default\" is missing");
	if (!check_version(item, node, err))
		return false;
	component->default_version = xstrdup(node->text);
	if (!template_component_has_version(component, node->text))
		return yaml_error(item->document, node, err,
				  "default \"%s\" is not among its versions", node->text);
	return true;
}

static bool read_single(const struct template_item *item, struct template_component *component,
			struct error *err)
{
	static const char *const known[] = { "default",     "variable", "image", "versions",
					     "description", "members",  NULL };
	const struct yaml_node *image = yaml_get(item->map, "image");

	if (!yaml_only_keys(item->document, item->map, known, err) ||
	    !yaml_copy_string(item->document, item->map, "image", NULL, &component->image, err) ||
	    !template_read_variable(item, image ? "_IMAGE" : "_VERSION", &component->variable,
				    err) ||
	    !read_default(item, component, err))
		return false;
	if (image && !strstr(component->image, placeholder))
		return yaml_error(
		    item->document, image, err,
		    "image \"%s\" has no {version} in it, so a pin would change nothing",
		    component->image);
	return true;
}

bool template_component_read(const struct yaml_document *document, const struct yaml_node *name,
			     const struct yaml_node *map, struct template_component *component,
			     struct error *err)
{
	const struct template_item item = { document, name, map };

	*component = (struct template_component){ .name = xstrdup(name->text) };
	if (!template_check_key(document, name, "component", err) ||
	    !template_check_map(&item, "component", err) ||
	    !yaml_copy_string(document, map, "description", "", &component->description, err) ||
	    !read_list(&item, "versions", check_version, &component->versions, err) ||
	    !read_list(&item, "members", check_member, &component->members, err) ||
	    !(component->members[0] ? read_group(&item, component, err)
				    : read_single(&item, component, err))) {
		template_component_release(component);
		return false;
	}
	return true;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void template_component_release(struct template_component *component)
{
	free(component->name);
	free(component->description);
	free(component->variable);
	free(component->image);
	free(component->default_version);
	free_list(component->versions);
	free_list(component->members);
	*component = (struct template_component){ 0 };
}

char *template_component_value(const struct template_component *component, const char *version)
{
	struct text value = TEXT_EMPTY;
	const char *from = component->image, *at;

	if (!from)
		return xstrdup(version);
	while ((at = strstr(from, placeholder))) {
		text_add_bytes(&value, from, (size_t)(at - from));
		text_add(&value, version);
		from = at + strlen(placeholder);
	}
	text_add(&value, from);
	return text_take(&value);
}
