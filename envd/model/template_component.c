#include "model/template_component.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "model/template_read.h"

/* The pattern of a component for a kind of pin, and what is filled in there. */
static const struct {
	size_t field;
	const char *key;
	const char *placeholder;
} patterns[] = {
	[PIN_VERSION] = { offsetof(struct template_component, image), "image", "{version}" },
	[PIN_BRANCH] = { offsetof(struct template_component, branch), "branch", "{branch}" },
	[PIN_PULL_REQUEST] = { offsetof(struct template_component, pull_request), "pull_request",
			       "{number}" },
};

bool template_component_is_group(const struct template_component *component)
{
	return component->members[0] != NULL;
}

static bool has_version(const struct template_component *component, const char *version)
{
	char **known = component->versions;

	if (!*known)
		return true;
	for (; *known; known++)
		if (strcmp(*known, version) == 0)
			return true;
	return false;
}

static bool version_is_valid(const char *version)
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
	if (!json_is_string(seen) || !version_is_valid(node->text))
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
	if (!has_version(component, node->text))
		return yaml_error(item->document, node, err,
				  "default \"%s\" is not among its versions", node->text);
	return true;
}

static char **pattern_of(const struct template_component *component, enum pin_kind kind)
{
	return (char **)(uintptr_t)((const char *)component + patterns[kind].field);
}

static bool read_patterns(const struct template_item *item, struct template_component *component,
			  struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		const struct yaml_node *node = yaml_get(item->map, patterns[i].key);
		char **pattern = pattern_of(component, (enum pin_kind)i);

		if (!yaml_copy_string(item->document, item->map, patterns[i].key, NULL, pattern,
				      err))
			return false;
		if (node && !strstr(*pattern, patterns[i].placeholder))
			return yaml_error(
			    item->document, node, err,
			    "%s \"%s\" has no %s in it, so a pin would change nothing",
			    patterns[i].key, *pattern, patterns[i].placeholder);
	}
	return true;
}

static bool read_single(const struct template_item *item, struct template_component *component,
			struct error *err)
{
	static const char *const known[] = { "default",  "variable",     "image",
					     "versions", "description",  "members",
					     "branch",   "pull_request", NULL };
	const struct yaml_node *image = yaml_get(item->map, "image");

	if (!yaml_only_keys(item->document, item->map, known, err) ||
	    !read_patterns(item, component, err) ||
	    !template_read_variable(item, image ? "_IMAGE" : "_VERSION", &component->variable,
				    err) ||
	    !read_default(item, component, err))
		return false;
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
	free(component->branch);
	free(component->pull_request);
	free(component->default_version);
	free_list(component->versions);
	free_list(component->members);
	*component = (struct template_component){ 0 };
}

enum pin_kind template_pin_kind(const char *pin)
{
	if (pin[0] == '@')
		return PIN_BRANCH;
	return text_starts_with(pin, "pr:") ? PIN_PULL_REQUEST : PIN_VERSION;
}

/* The pin without what says its kind. */
static const char *bare(const char *pin)
{
	static const size_t skipped[] = { [PIN_BRANCH] = 1, [PIN_PULL_REQUEST] = 3 };
	enum pin_kind kind = template_pin_kind(pin);

	return kind == PIN_VERSION ? pin : pin + skipped[kind];
}

static bool branch_is_valid(const char *branch)
{
	size_t length = strlen(branch);

	return length >= 1 && length <= 100 && !strchr(".-/", branch[0]) &&
	       branch[length - 1] != '/' && !strstr(branch, "..") && !strstr(branch, "//") &&
	       strspn(branch,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
		   length;
}

bool template_pin_is_valid(const char *pin)
{
	const char *value = bare(pin);
	size_t length = strlen(value);

	switch (template_pin_kind(pin)) {
	case PIN_BRANCH:
		return branch_is_valid(value);
	case PIN_PULL_REQUEST:
		return length >= 1 && length <= 9 && value[0] != '0' &&
		       strspn(value, "0123456789") == length;
	case PIN_VERSION:
		break;
	}
	return version_is_valid(pin);
}

bool template_component_takes(const struct template_component *component, const char *pin)
{
	enum pin_kind kind = template_pin_kind(pin);

	return kind == PIN_VERSION ? has_version(component, pin)
				   : *pattern_of(component, kind) != NULL;
}

/* Only a branch can hold what a tag cannot. */
static void add_value(struct text *text, const char *value)
{
	for (; *value; value++)
		text_add_char(text, *value == '/' ? '-' : *value);
}

char *template_component_value(const struct template_component *component, const char *pin)
{
	enum pin_kind kind = template_pin_kind(pin);
	const char *from = *pattern_of(component, kind), *placeholder = patterns[kind].placeholder;
	struct text value = TEXT_EMPTY;

	if (!from)
		return xstrdup(pin);
	for (const char *at; (at = strstr(from, placeholder)); from = at + strlen(placeholder)) {
		text_add_bytes(&value, from, (size_t)(at - from));
		add_value(&value, bare(pin));
	}
	text_add(&value, from);
	return text_take(&value);
}
