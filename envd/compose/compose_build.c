#include "compose/compose_build.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "compose/compose_check.h"
#include "compose/compose_merge.h"
#include "compose/compose_profiles.h"
#include "compose/compose_reader.h"
#include "compose/compose_service.h"

#define NAMES_MAX 200 /* networks, volumes, configs: each */

/* ---- networks and volumes ------------------------------------------------------------------ */

static bool check_resource_name(const struct compose_reader *reader, const struct yaml_node *name,
				const char *what, struct error *err)
{
	size_t length = strlen(name->text);
	char shown[80];

	return (length <= 63 && isalnum((unsigned char)name->text[0]) &&
		strspn(name->text,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		    length) ||
	       compose_wrong(
		   reader, name, err,
		   "\"%s\": \"%s\" must be 1 to 63 letters, digits, \".\", \"_\" and \"-\"", what,
		   text_printable(name->text, shown, sizeof(shown)));
}

static void add_name(struct compose_names *names, const char *name, struct compose_place at)
{
	names->items = xrealloc(names->items, names->count + 1, sizeof(*names->items));
	names->items[names->count++] = (struct compose_name){ xstrdup(name), at };
}

/* Nothing can be set but the driver that would be taken anyway. */
static bool check_resource(struct compose_reader *reader, const struct yaml_node *node,
			   const char *what, const char *driver, struct error *err)
{
	static const char *const known[] = { "driver", NULL };
	const struct yaml_node *given;
	AUTO(free) char *name = NULL;

	if (compose_is_null(node))
		return true;
	if (!compose_only_keys(reader, node, what, known, err))
		return false;
	given = compose_get(node, "driver");
	if (!given)
		return true;
	if (!compose_text(reader, given, "driver", &name, err))
		return false;
	return strcmp(name, driver) == 0 ||
	       compose_unsupported(reader, given, err,
				   "\"%s.driver\": \"%.40s\" is not supported (expected %s)", what,
				   name, driver);
}

/* NULL in `map` if the key is not there. */
static bool get_map(const struct compose_reader *reader, const char *key,
		    const struct yaml_node **map, struct error *err)
{
	*map = compose_get(reader->root, key);
	if (*map && (*map)->kind != YAML_MAP)
		return compose_wrong(reader, *map, err, "\"%s\" must be a map (got %s)", key,
				     yaml_kind_name(*map));
	if (*map && (*map)->count > NAMES_MAX)
		return compose_wrong(reader, *map, err, "\"%s\": more than %d", key, NAMES_MAX);
	return true;
}

static bool read_names(struct compose_reader *reader, const char *key, const char *driver,
		       struct compose_names *names, struct error *err)
{
	const struct yaml_node *map;

	if (!get_map(reader, key, &map, err))
		return false;
	for (size_t i = 0; map && i < map->count; i++) {
		if (compose_is_extension(map->keys[i]->text))
			continue;
		if (!check_resource_name(reader, map->keys[i], key, err) ||
		    !check_resource(reader, map->items[i], key, driver, err))
			return false;
		add_name(names, map->keys[i]->text, compose_place_of(map->keys[i]));
	}
	return true;
}

/* The network that services are on when they name none. */
static void add_default_network(struct compose_file *file)
{
	for (size_t i = 0; i < file->networks.count; i++)
		if (strcmp(file->networks.items[i].name, "default") == 0)
			return;
	for (size_t i = 0; i < file->service_count; i++) {
		const struct compose_attachments *networks = &file->services[i].networks;

		for (size_t j = 0; j < networks->count; j++) {
			if (strcmp(networks->items[j].network, "default") == 0) {
				add_name(&file->networks, "default", file->services[i].at);
				return;
			}
		}
	}
}

/* ---- configs ------------------------------------------------------------------------------- */

static bool read_config(struct compose_reader *reader, const struct yaml_node *map,
			struct compose_config *config, struct error *err)
{
	static const char *const known[] = { "file", "content", NULL };
	const struct yaml_node *file, *content;

	if (!compose_only_keys(reader, map, "configs", known, err))
		return false;
	file = compose_get(map, "file");
	content = yaml_get(map, "content");
	if (!file == !content)
		return compose_wrong(reader, map, err,
				     "config \"%s\" needs either \"file\" or \"content\"",
				     config->name);
	return file ? compose_text(reader, file, "file", &config->file, err)
		    : compose_text(reader, content, "content", &config->content, err);
}

static bool read_configs(struct compose_reader *reader, struct compose_configs *configs,
			 struct error *err)
{
	const struct yaml_node *map;

	if (!get_map(reader, "configs", &map, err))
		return false;
	if (!map)
		return true;
	configs->items = xcalloc(map->count + 1, sizeof(*configs->items));
	for (size_t i = 0; i < map->count; i++) {
		struct compose_config *config;

		if (compose_is_extension(map->keys[i]->text))
			continue;
		if (!check_resource_name(reader, map->keys[i], "configs", err))
			return false;
		config = &configs->items[configs->count++];
		config->name = xstrdup(map->keys[i]->text);
		config->at = compose_place_of(map->items[i]);
		if (!read_config(reader, map->items[i], config, err))
			return false;
	}
	return true;
}

/* ---- the file ------------------------------------------------------------------------------ */

static bool read_services(struct compose_reader *reader, struct compose_file *file,
			  struct error *err)
{
	const struct yaml_node *map;

	if (!get_map(reader, "services", &map, err))
		return false;
	if (map && map->count > COMPOSE_SERVICES_MAX)
		return compose_wrong(reader, map, err, "\"services\": more than %d",
				     COMPOSE_SERVICES_MAX);
	file->services = xcalloc((map ? map->count : 0) + 1, sizeof(*file->services));
	for (size_t i = 0; map && i < map->count; i++) {
		bool fine;

		if (compose_is_extension(map->keys[i]->text))
			continue;
		reader->service = map->keys[i]->text;
		fine = compose_service_read(reader, map->keys[i], map->items[i],
					    &file->services[file->service_count++], err);
		reader->service = NULL;
		if (!fine)
			return false;
	}
	if (!file->service_count)
		return compose_wrong(reader, map ? map : reader->root, err,
				     "there are no services");
	return true;
}

static bool read_file(struct compose_reader *reader, struct error *err)
{
	static const char *const known[] = { "name",    "services", "networks", "volumes",
					     "configs", "version",  NULL };
	struct compose_file *file = reader->file;
	const struct yaml_node *root = reader->root, *name;

	if (!compose_only_keys(reader, root, "", known, err))
		return false;
	name = compose_get(root, "name");
	if ((name && !compose_text(reader, name, "name", &file->name, err)) ||
	    !read_names(reader, "networks", "bridge", &file->networks, err) ||
	    !read_names(reader, "volumes", "local", &file->volumes, err) ||
	    !read_configs(reader, &file->configs, err) || !read_services(reader, file, err))
		return false;
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_variables(const json_t *used, struct compose_strings *names)
{
	const char *name;
	const json_t *value;

	json_object_foreach_const(used, name, value)
		compose_strings_add(names, xstrdup(name));
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), by_bytes);
}

bool compose_build(struct compose_reader *reader, struct yaml_node *root, struct error *err)
{
	compose_drop_resets(root);
	reader->root = root;
	if (!read_file(reader, err) || !compose_profiles_select(reader, err))
		return false;
	add_default_network(reader->file);
	if (!compose_check(reader->file, err))
		return false;
	list_variables(reader->variables_used, &reader->file->variables_used);
	return true;
}
