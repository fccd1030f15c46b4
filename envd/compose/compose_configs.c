#include "compose/compose_configs.h"

#include <string.h>

#include "base/text.h"
#include "compose/compose_origin.h"

#define CONFIGS_MAX 200
#define FILE_MODE 0444

/* The two are alike but for where their files go and what they can come from. */
struct kind {
	const char *key;
	const char *one;
	const char *folder; /* of targets that are only a name */
	bool may_have_content;
};

static const struct kind configs_kind = { "configs", "config", "", true };
static const struct kind secrets_kind = { "secrets", "secret", "/run/secrets", false };

/* ---- at the top ---------------------------------------------------------------------------- */

static bool read_file(struct compose_reader *reader, const struct yaml_node *node, char **path,
		      struct error *err)
{
	AUTO(free) char *written = NULL;

	if (!compose_text(reader, node, "file", &written, err))
		return false;
	*path = compose_path(reader, node, written);
	return true;
}

static bool read_variable(struct compose_reader *reader, const struct yaml_node *node,
			  struct compose_config *config, struct error *err)
{
	const json_t *variables = compose_origin_of(reader, node)->variables;
	const char *value;

	if (!compose_text(reader, node, "environment", &config->variable, err))
		return false;
	json_object_set_new(reader->variables_used, config->variable, json_true());
	value = json_get_string(variables, config->variable, NULL);
	config->value = value ? xstrdup(value) : NULL;
	return true;
}

static bool read_source(struct compose_reader *reader, const struct yaml_node *map,
			const struct kind *kind, struct compose_config *config, struct error *err)
{
	static const char *const config_keys[] = { "file", "content", "environment", NULL };
	static const char *const secret_keys[] = { "file", "environment", NULL };
	const struct yaml_node *file, *content, *variable;

	if (!compose_only_keys(reader, map, kind->key,
			       kind->may_have_content ? config_keys : secret_keys, err))
		return false;
	file = compose_get(map, "file");
	content = yaml_get(map, "content");
	variable = compose_get(map, "environment");
	if (!!file + !!content + !!variable != 1)
		return compose_wrong(
		    reader, map, err, "%s \"%s\" needs one of %s", kind->one, config->name,
		    kind->may_have_content ? "\"file\", \"content\" and \"environment\""
					   : "\"file\" and \"environment\"");
	if (file)
		return read_file(reader, file, &config->file, err);
	return content ? compose_text(reader, content, "content", &config->content, err)
		       : read_variable(reader, variable, config, err);
}

static bool read_all(struct compose_reader *reader, const struct kind *kind,
		     struct compose_configs *configs, struct error *err)
{
	const struct yaml_node *map;

	if (!compose_get_map(reader, kind->key, CONFIGS_MAX, &map, err))
		return false;
	if (!map)
		return true;
	configs->items = xcalloc(map->count + 1, sizeof(*configs->items));
	for (size_t i = 0; i < map->count; i++) {
		struct compose_config *config;

		if (compose_is_extension(map->keys[i]->text))
			continue;
		if (!compose_check_name(reader, map->keys[i], kind->key, err))
			return false;
		config = &configs->items[configs->count++];
		config->name = xstrdup(map->keys[i]->text);
		config->at = compose_place_of(map->items[i]);
		if (!read_source(reader, map->items[i], kind, config, err))
			return false;
	}
	return true;
}

bool compose_configs_read(struct compose_reader *reader, struct compose_configs *configs,
			  struct error *err)
{
	return read_all(reader, &configs_kind, configs, err);
}

bool compose_secrets_read(struct compose_reader *reader, struct compose_configs *secrets,
			  struct error *err)
{
	return read_all(reader, &secrets_kind, secrets, err);
}

static void forget(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void compose_configs_release(struct compose_configs *configs)
{
	for (size_t i = 0; i < configs->count; i++) {
		free(configs->items[i].name);
		free(configs->items[i].file);
		free(configs->items[i].content);
		free(configs->items[i].variable);
		forget(configs->items[i].value);
	}
	free(configs->items);
	*configs = (struct compose_configs){ 0 };
}

/* ---- of a service -------------------------------------------------------------------------- */

static bool read_owner(struct compose_reader *reader, const struct yaml_node *map, const char *key,
		       int64_t *id, struct error *err)
{
	const struct yaml_node *node = compose_get(map, key);

	return !node || compose_int64(reader, node, key, 0, 4294967294, id, err);
}

static bool read_long(struct compose_reader *reader, const struct yaml_node *map,
		      const struct kind *kind, struct compose_config_use *use, struct error *err)
{
	static const char *const known[] = { "source", "target", "uid", "gid", "mode", NULL };
	const struct yaml_node *source = compose_get(map, "source"), *target, *mode;

	if (!compose_only_keys(reader, map, kind->key, known, err))
		return false;
	if (!source)
		return compose_wrong(reader, map, err, "\"%s.source\" is missing", kind->key);
	target = compose_get(map, "target");
	mode = compose_get(map, "mode");
	return compose_text(reader, source, "source", &use->source, err) &&
	       (!target || compose_text(reader, target, "target", &use->target, err)) &&
	       (!mode || compose_mode(reader, mode, "mode", &use->mode, err)) &&
	       read_owner(reader, map, "uid", &use->uid, err) &&
	       read_owner(reader, map, "gid", &use->gid, err);
}

/* A secret's target that is no path is a name in the folder of secrets. */
static void complete_target(const struct kind *kind, struct compose_config_use *use)
{
	AUTO(free) char *name = NULL;

	if (use->target && (*use->target == '/' || !*kind->folder))
		return;
	name = use->target;
	use->target = xasprintf("%s/%s", kind->folder, name ? name : use->source);
}

static void release_use(struct compose_config_use *use)
{
	free(use->source);
	free(use->target);
}

static bool read_use(struct compose_reader *reader, const struct yaml_node *node,
		     const struct kind *kind, struct compose_config_use *use, struct error *err)
{
	bool fine;

	use->mode = FILE_MODE;
	use->at = compose_place_of(node);
	fine = node->kind == YAML_MAP ? read_long(reader, node, kind, use, err)
				      : compose_text(reader, node, kind->key, &use->source, err);
	if (!fine)
		return false;
	complete_target(kind, use);
	return compose_check_target(reader, node, kind->key, use->target, err);
}

/* Two that were merged may have one target; the later one stays. */
static bool check_twice(const struct compose_reader *reader, const struct yaml_node *node,
			const struct kind *kind, struct compose_config_uses *uses,
			struct error *err)
{
	struct compose_config_use *last = &uses->items[uses->count - 1];

	for (size_t i = 0; i + 1 < uses->count; i++) {
		if (strcmp(uses->items[i].target, last->target) != 0)
			continue;
		if (!compose_is_over(last->at, uses->items[i].at))
			return compose_wrong(reader, node, err,
					     "\"%s\": there is something at \"%.80s\" already",
					     kind->key, last->target);
		release_use(&uses->items[i]);
		uses->items[i] = *last;
		uses->count--;
		return true;
	}
	return true;
}

static bool read_uses(struct compose_reader *reader, const struct yaml_node *list,
		      const struct kind *kind, struct compose_config_uses *uses, struct error *err)
{
	if (list->kind != YAML_LIST)
		return compose_wrong(reader, list, err, "\"%s\" must be a list (got %s)", kind->key,
				     yaml_kind_name(list));
	if (list->count > CONFIGS_MAX)
		return compose_wrong(reader, list, err, "\"%s\": more than %d", kind->key,
				     CONFIGS_MAX);
	uses->items = xcalloc(list->count + 1, sizeof(*uses->items));
	for (size_t i = 0; i < list->count; i++)
		if (!read_use(reader, list->items[i], kind, &uses->items[uses->count++], err) ||
		    !check_twice(reader, list->items[i], kind, uses, err))
			return false;
	return true;
}

bool compose_config_uses_read(struct compose_reader *reader, const struct yaml_node *node,
			      struct compose_service *service, struct error *err)
{
	return read_uses(reader, node, &configs_kind, &service->configs, err);
}

bool compose_secret_uses_read(struct compose_reader *reader, const struct yaml_node *node,
			      struct compose_service *service, struct error *err)
{
	return read_uses(reader, node, &secrets_kind, &service->secrets, err);
}

void compose_config_uses_release(struct compose_config_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++)
		release_use(&uses->items[i]);
	free(uses->items);
	*uses = (struct compose_config_uses){ 0 };
}
