#include "compose/compose_merge.h"

#include <string.h>

#include "base/text.h"

const char *const compose_tags[] = { "!reset", "!override", NULL };

enum rule {
	BY_KIND,
	REPLACE,     /* a list that is one value */
	AS_PAIRS,    /* NAME=value in a list, or a map */
	AS_NAMES,    /* names in a list, or a map */
	ONE_OR_MANY, /* a text, or a list of them */
	LOGGING,     /* options belong to their driver */
	AS_BUILD,    /* a context, or a map that has one */
};

static const struct {
	const char *path;
	enum rule rule;
} rules[] = {
	{ "services.*.command", REPLACE },          { "services.*.entrypoint", REPLACE },
	{ "services.*.healthcheck.test", REPLACE }, { "services.*.environment", AS_PAIRS },
	{ "services.*.labels", AS_PAIRS },          { "services.*.sysctls", AS_PAIRS },
	{ "services.*.extra_hosts", AS_PAIRS },     { "services.*.depends_on", AS_NAMES },
	{ "services.*.networks", AS_NAMES },        { "services.*.dns", ONE_OR_MANY },
	{ "services.*.dns_search", ONE_OR_MANY },   { "services.*.tmpfs", ONE_OR_MANY },
	{ "services.*.env_file", ONE_OR_MANY },     { "services.*.logging", LOGGING },
	{ "services.*.build", AS_BUILD },           { "services.*.build.args", AS_PAIRS },
	{ "services.*.build.labels", AS_PAIRS },
};

static enum rule rule_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (strcmp(rules[i].path, path) == 0)
			return rules[i].rule;
	return BY_KIND;
}

static bool has_tag(const struct yaml_node *node, const char *tag)
{
	return node->tag && strcmp(node->tag, tag) == 0;
}

/* ---- one notation for both ----------------------------------------------------------------- */

/* A: x as "A=x", in place; a name in a map is not filled in, so its dollar signs are kept. */
static void list_pairs(struct yaml_node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		struct yaml_node *key = node->keys[i], *item = node->items[i];
		AUTO(text_release) struct text text = TEXT_EMPTY;

		for (const char *c = key->text; *c; c++) {
			text_add_char(&text, *c);
			if (*c == '$')
				text_add_char(&text, '$');
		}
		if (item->kind != YAML_SCALAR)
			continue; /* whoever reads the list says what is wrong with it */
		if (!compose_is_null(item))
			text_format(&text, "=%s", item->text);
		free(item->text);
		item->text = text_take(&text);
		item->is_plain = false;
	}
	for (size_t i = 0; i < node->count; i++)
		yaml_node_free(node->keys[i]);
	free(node->keys);
	node->keys = NULL;
	node->kind = YAML_LIST;
}

static bool map_names(const struct compose_reader *reader, struct yaml_node *node,
		      struct error *err)
{
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];

		if (item->kind != YAML_SCALAR || strchr(item->text, '$'))
			return compose_wrong(reader, item, err,
					     "only a plain name can be merged with a map");
	}
	node->keys = node->items;
	node->items = xcalloc(node->count + 1, sizeof(*node->items));
	for (size_t i = 0; i < node->count; i++)
		node->items[i] = yaml_new_text(xstrdup(""), node->keys[i]);
	node->kind = YAML_MAP;
	return true;
}

static struct yaml_node *listed(struct yaml_node *node)
{
	struct yaml_node *list;

	if (node->kind == YAML_LIST)
		return node;
	list = yaml_new(YAML_LIST, node);
	yaml_append(list, node);
	return list;
}

static struct yaml_node *with_context(struct yaml_node *node)
{
	struct yaml_node *map, *key;

	if (node->kind != YAML_SCALAR)
		return node;
	map = yaml_new(YAML_MAP, node);
	key = yaml_new_text(xstrdup("context"), node);
	yaml_put(map, key, node);
	yaml_node_free(key);
	return map;
}

static bool align(const struct compose_reader *reader, enum rule rule, struct yaml_node **base,
		  struct yaml_node **over, struct error *err)
{
	if (rule == ONE_OR_MANY) {
		*base = listed(*base);
		*over = listed(*over);
	}
	if (rule == AS_BUILD) {
		*base = with_context(*base);
		*over = with_context(*over);
	}
	if ((*base)->kind == (*over)->kind)
		return true;
	if (rule == AS_PAIRS && (*base)->kind == YAML_MAP)
		list_pairs(*base);
	else if (rule == AS_PAIRS && (*over)->kind == YAML_MAP)
		list_pairs(*over);
	if (rule == AS_NAMES && (*base)->kind == YAML_LIST)
		return map_names(reader, *base, err);
	if (rule == AS_NAMES && (*over)->kind == YAML_LIST)
		return map_names(reader, *over, err);
	return true;
}

/* ---- maps and lists ------------------------------------------------------------------------ */

static void append_all(struct yaml_node *base, struct yaml_node *over)
{
	int highest = 0;

	for (size_t i = 0; i < base->count; i++)
		if (base->items[i]->layer > highest)
			highest = base->items[i]->layer;
	for (size_t i = 0; i < over->count; i++) {
		over->items[i]->layer += highest + 1;
		yaml_append(base, TAKE(over->items[i]));
	}
	over->count = 0;
}

/* Names of services, networks and so on are none of the rules' business. */
static char *path_below(const char *path, const char *key)
{
	static const char *const named[] = { "services", "services.*.networks",
					     "services.*.depends_on", NULL };

	for (size_t i = 0; named[i]; i++)
		if (strcmp(path, named[i]) == 0)
			key = "*";
	return *path ? xasprintf("%s.%s", path, key) : xstrdup(key);
}

static bool merge_key(const struct compose_reader *reader, struct yaml_node *base,
		      const struct yaml_node *key, struct yaml_node *item, const char *path,
		      struct error *err)
{
	AUTO(free) char *below = path_below(path, key->text);
	struct yaml_node **slot = yaml_slot(base, key->text);

	if (!slot || has_tag(*slot, "!reset") || has_tag(item, "!override") ||
	    has_tag(item, "!reset")) {
		yaml_put(base, key, item);
		return true;
	}
	return compose_merge(reader, TAKE(*slot), item, below, slot, err);
}

static bool merge_maps(const struct compose_reader *reader, struct yaml_node *base,
		       struct yaml_node *over, const char *path, struct error *err)
{
	for (size_t i = 0; i < over->count; i++)
		if (!merge_key(reader, base, over->keys[i], TAKE(over->items[i]), path, err))
			return false;
	return true;
}

static bool has_other_driver(const struct yaml_node *base, const struct yaml_node *over)
{
	const struct yaml_node *old = yaml_get(base, "driver"), *driver = yaml_get(over, "driver");

	return driver && !(old && text_equal(old->text, driver->text));
}

bool compose_merge(const struct compose_reader *reader, struct yaml_node *base_given,
		   struct yaml_node *over_given, const char *path, struct yaml_node **merged,
		   struct error *err)
{
	AUTO(yaml_node_free) struct yaml_node *base = base_given;
	AUTO(yaml_node_free) struct yaml_node *over = over_given;
	enum rule rule = rule_of(path);

	if (compose_is_null(over)) {
		*merged = TAKE(base);
		return true;
	}
	if (compose_is_null(base) || rule == REPLACE ||
	    (base->kind == YAML_SCALAR && over->kind == YAML_SCALAR && rule != ONE_OR_MANY) ||
	    (rule == LOGGING && has_other_driver(base, over))) {
		*merged = TAKE(over);
		return true;
	}
	if (!align(reader, rule, &base, &over, err))
		return false;
	if (base->kind == YAML_SCALAR || over->kind == YAML_SCALAR) {
		*merged = TAKE(over); /* short and long notation, as in ulimits */
		return true;
	}
	if (base->kind != over->kind)
		return compose_wrong(reader, over, err,
				     "\"%s\" is %s here and %s in the file below", path,
				     yaml_kind_name(over), yaml_kind_name(base));
	if (base->kind == YAML_LIST)
		append_all(base, over);
	else if (!merge_maps(reader, base, over, path, err))
		return false;
	*merged = TAKE(base);
	return true;
}

void compose_drop_resets(struct yaml_node *node)
{
	for (size_t i = node->count; i-- > 0;) {
		if (has_tag(node->items[i], "!reset"))
			yaml_remove_at(node, i);
		else
			compose_drop_resets(node->items[i]);
	}
}
