#include "compose/compose_lists.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_origin.h"
#include "compose/compose_reader.h"

#define LIST_ITEMS_MAX 1000

void compose_strings_add(struct compose_strings *strings, char *text)
{
	strings->items = xrealloc(strings->items, strings->count + 2, sizeof(*strings->items));
	strings->items[strings->count++] = text;
	strings->items[strings->count] = NULL;
}

void compose_strings_release(struct compose_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct compose_strings){ 0 };
}

void compose_pairs_release(struct compose_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].name);
		free(pairs->items[i].value);
	}
	free(pairs->items);
	*pairs = (struct compose_pairs){ 0 };
}

static bool check_count(const struct compose_reader *reader, const struct yaml_node *node,
			const char *what, struct error *err)
{
	return node->count <= LIST_ITEMS_MAX ||
	       compose_wrong(reader, node, err, "\"%s\": more than %d", what, LIST_ITEMS_MAX);
}

bool compose_list(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		  bool may_be_text, struct compose_strings *list, struct error *err)
{
	AUTO(compose_strings_release) struct compose_strings read = { 0 };
	char *text;

	if (node->kind == YAML_SCALAR && may_be_text) {
		if (!compose_text(reader, node, what, &text, err))
			return false;
		compose_strings_add(&read, text);
	} else if (node->kind != YAML_LIST) {
		return compose_wrong(reader, node, err, "\"%s\" must be a list (got %s)", what,
				     yaml_kind_name(node));
	}
	if (!check_count(reader, node, what, err))
		return false;
	for (size_t i = 0; i < node->count; i++) {
		if (!compose_text(reader, node->items[i], what, &text, err))
			return false;
		compose_strings_add(&read, text);
	}
	*list = read;
	read = (struct compose_strings){ 0 };
	return true;
}

static bool has_text(const struct compose_strings *strings, const char *text)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcmp(strings->items[i], text) == 0)
			return true;
	return false;
}

bool compose_set(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		 bool may_be_text, struct compose_list *list, struct error *err)
{
	AUTO(compose_strings_release) struct compose_strings read = { 0 };

	if (!compose_list(reader, node, what, may_be_text, &read, err))
		return false;
	list->at = compose_place_of(node);
	for (size_t i = 0; i < read.count; i++)
		if (!has_text(&list->texts, read.items[i]))
			compose_strings_add(&list->texts, xstrdup(read.items[i]));
	return true;
}

static struct compose_pair *find_pair(const struct compose_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, name) == 0)
			return &pairs->items[i];
	return NULL;
}

/* Takes `name` and `value` over, also when it fails. */
static bool add_pair(const struct compose_reader *reader, const struct yaml_node *at,
		     const char *what, struct compose_pairs *pairs, char *name, char *value,
		     struct error *err)
{
	struct compose_pair pair = { name, value, compose_place_of(at) };
	struct compose_pair *old = find_pair(pairs, name);

	if (old && compose_is_over(pair.at, old->at)) {
		free(old->name);
		free(old->value);
		*old = pair;
		return true;
	}
	pairs->items = xrealloc(pairs->items, pairs->count + 1, sizeof(*pairs->items));
	pairs->items[pairs->count++] = pair;
	if (old)
		return compose_wrong(reader, at, err, "\"%s\": \"%.80s\" is there twice", what,
				     name);
	if (!*name || strchr(name, '='))
		return compose_wrong(reader, at, err, "\"%s\": \"%.80s\" is no name", what, name);
	return true;
}

/* A name that came without a value. */
static bool add_name(const struct compose_reader *reader, const struct yaml_node *at,
		     const char *what, bool from_variables, struct compose_pairs *pairs,
		     const char *name, struct error *err)
{
	const json_t *variables = compose_origin_of(reader, at)->variables;
	const char *value = from_variables ? json_get_string(variables, name, NULL) : "";

	if (from_variables)
		json_object_set_new(reader->variables_used, name, json_true());
	return !value || add_pair(reader, at, what, pairs, xstrdup(name), xstrdup(value), err);
}

static bool read_mapped(struct compose_reader *reader, const struct yaml_node *key,
			const struct yaml_node *item, const char *what, bool from_variables,
			struct compose_pairs *pairs, struct error *err)
{
	char *value;

	if (compose_is_null(item))
		return add_name(reader, key, what, from_variables, pairs, key->text, err);
	return compose_text(reader, item, key->text, &value, err) &&
	       add_pair(reader, key, what, pairs, xstrdup(key->text), value, err);
}

static bool read_listed(struct compose_reader *reader, const struct yaml_node *item,
			const char *what, bool from_variables, struct compose_pairs *pairs,
			struct error *err)
{
	AUTO(free) char *text = NULL;
	char *sign;

	if (!compose_text(reader, item, what, &text, err))
		return false;
	sign = strchr(text, '=');
	if (!sign)
		return add_name(reader, item, what, from_variables, pairs, text, err);
	return add_pair(reader, item, what, pairs, xstrndup(text, (size_t)(sign - text)),
			xstrdup(sign + 1), err);
}

bool compose_pairs(struct compose_reader *reader, const struct yaml_node *node, const char *what,
		   bool from_variables, struct compose_pairs *pairs, struct error *err)
{
	if (node->kind == YAML_SCALAR)
		return compose_wrong(reader, node, err, "\"%s\" must be a map or a list (got %s)",
				     what, yaml_kind_name(node));
	if (!check_count(reader, node, what, err))
		return false;
	for (size_t i = 0; i < node->count; i++) {
		bool fine =
		    node->kind == YAML_MAP
			? read_mapped(reader, node->keys[i], node->items[i], what, from_variables,
				      pairs, err)
			: read_listed(reader, node->items[i], what, from_variables, pairs, err);

		if (!fine)
			return false;
	}
	return true;
}
